// The vote page: what is at which address. Voters and organisers each load what they need: a hall has a thin network.
// SPDX-License-Identifier: MIT
import { siteAddresses } from '../web/api.js';
import { html } from '../web/html.js';
import { t } from '../web/i18n.js';
import { notFound } from '../web/not_found.js';
import { lazyView, refresh, startShell } from '../web/shell.js';
import { storedNames } from '../web/store.js';

let resultPage = '';

const voter = async () => {
  const part = await import('./voter.js');
  await part.ready;
  return part;
};
const organiser = async () => {
  const part = await import('./organise.js');
  await part.ready;
  return part;
};

startShell({
  languages: { en: () => import('./lang/en.js'), fr: () => import('./lang/fr.js') },
  routes: [
    ['/', lazyView(async () => (await voter()).homeView)],
    ['/p/:code', lazyView(async () => (await voter()).pollView)],
    ['/receipt', lazyView(async () => (await voter()).receiptView)],
    ['/new', lazyView(async () => (await organiser()).createView)],
    ['/manage/:code', lazyView(async () => (await organiser()).manageView)],
  ],
  notFound,
  footer: () => html`<a href="/receipt">${t('receipt.title')}</a>
    ${resultPage ? html`<a href=${resultPage}>${t('results')}</a>` : ''}<a href="/docs" rel="external">${t('docs')}</a>`,
});
if (storedNames('ballot.').length) voter(); // one of them may wait for the network
siteAddresses().then(({ result }) => {
  resultPage = result;
  refresh();
}, () => {});
