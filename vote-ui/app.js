// The vote page: what is at which address.
// SPDX-License-Identifier: MIT
import { siteAddresses } from '../web/api.js';
import { html } from '../web/html.js';
import { t } from '../web/i18n.js';
import { notFound } from '../web/not_found.js';
import { lazyView, refresh, startShell } from '../web/shell.js';
import { homeView } from './home.js';
import { startOutbox } from './outbox.js';
import { pollView } from './poll.js';
import { receiptView } from './receipt.js';

let resultPage = '';

const organise = async () => {
  const part = await import('./organise.js');
  await part.ready;
  return part;
};

startShell({
  languages: { en: () => import('./lang/en.js'), fr: () => import('./lang/fr.js') },
  routes: [
    ['/', homeView],
    ['/p/:code', pollView],
    ['/new', lazyView(async () => (await organise()).createView)],
    ['/manage/:code', lazyView(async () => (await organise()).manageView)],
    ['/receipt', receiptView],
  ],
  notFound,
  footer: () => html`<a href="/receipt">${t('receipt.title')}</a>
    ${resultPage ? html`<a href=${resultPage}>${t('results')}</a>` : ''}<a href="/docs" rel="external">${t('docs')}</a>`,
});
startOutbox();
siteAddresses().then(({ result }) => {
  resultPage = result;
  refresh();
}, () => {});
