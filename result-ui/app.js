// The result page and its addresses.
// SPDX-License-Identifier: MIT
import { siteAddresses } from '../web/api.js';
import { html, nothing } from '../web/html.js';
import { t } from '../web/i18n.js';
import { notFound } from '../web/not_found.js';
import { refresh, startShell } from '../web/shell.js';
import { homeView } from './home.js';
import { presentView } from './present.js';
import { resultView } from './result.js';

let votePage = '';
siteAddresses().then(({ vote }) => {
  votePage = vote;
  refresh();
}, () => {});

startShell({
  languages: { en: () => import('./lang/en.js'), fr: () => import('./lang/fr.js') },
  routes: [
    ['/', homeView],
    ['/p/:code', resultView],
    ['/p/:code/present', presentView],
  ],
  notFound,
  nav: () => (votePage ? html`<a href=${votePage} rel="external">${t('nav.vote')}</a>` : html`${nothing}`),
  footer: () => html`<span>${t('footer')}</span>`,
});
