// The view for an address that does not exist, on both pages.
// SPDX-License-Identifier: MIT
import { html } from './html.js';
import { t } from './i18n.js';

/** @returns {import('./shell.js').View} */
export const notFound = () => ({
  title: () => t('not-found.title'),
  render: () => html`<div class="stack">
    <h1>${t('not-found.title')}</h1>
    <p>${t('not-found.text')}</p>
    <p><a class="button" href="/">${t('not-found.home')}</a></p>
  </div>`,
});
