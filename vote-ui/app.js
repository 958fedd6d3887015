// The vote page and its addresses. Voters and organisers each load only what they need, because the network of a hall is
// slow.
// SPDX-License-Identifier: MIT
import { siteAddresses } from '../web/api.js';
import { html } from '../web/html.js';
import { t } from '../web/i18n.js';
import { notFound } from '../web/not_found.js';
import { lazyView, partOf, refresh, startShell } from '../web/shell.js';
import { storedNames } from '../web/store.js';

let resultPage = '';

const voter = partOf(() => import('./voter.js'), { en: () => import('./lang/voter.en.js'), fr: () => import('./lang/voter.fr.js') });
const organiser = partOf(() => import('./organise.js'), { en: () => import('./lang/organise.en.js'), fr: () => import('./lang/organise.fr.js') });
(/^\/(new$|manage\/)/.test(location.pathname) ? organiser : voter)().catch(() => {}); // the view shows the error

startShell({
  languages: { en: () => import('./lang/en.js'), fr: () => import('./lang/fr.js') },
  routes: [
    ['/', lazyView(async () => (await voter()).homeView)],
    ['/p/:code', lazyView(async () => (await voter()).pollView)],
    ['/device', lazyView(async () => (await voter()).deviceView)],
    ['/receipt', lazyView(async () => (await voter()).receiptView)],
    ['/new', lazyView(async () => (await organiser()).createView)],
    ['/manage/:code', lazyView(async () => (await organiser()).manageView)],
  ],
  notFound,
  footer: () => html`<a href="/receipt">${t('receipt.title')}</a><a href="/device">${t('device.title')}</a>
    ${resultPage ? html`<a href=${resultPage}>${t('results')}</a>` : ''}<a href="/docs" rel="external">${t('docs')}</a>`,
});
if (storedNames('ballot.').length) voter(); // a stored vote may still have to be sent
siteAddresses().then(({ result }) => {
  resultPage = result;
  refresh();
}, () => {});
