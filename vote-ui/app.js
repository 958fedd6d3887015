// The vote page: what is at which address.
// SPDX-License-Identifier: MIT
import { html } from '../web/html.js';
import { t } from '../web/i18n.js';
import { notFound } from '../web/not_found.js';
import { startShell } from '../web/shell.js';

startShell({
  languages: { en: () => import('./lang/en.js'), fr: () => import('./lang/fr.js') },
  routes: [
    ['/', () => ({ title: () => t('home.title'), render: () => html`<h1>${t('home.title')}</h1>` })],
    ['/p/:code', ({ code }) => ({ title: () => code, render: () => html`<h1>${code}</h1>` })],
  ],
  notFound,
});
