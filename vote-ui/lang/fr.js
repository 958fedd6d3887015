// The page's sentences in French.
// SPDX-License-Identifier: MIT
import { common } from '../../web/lang/fr.js';

/** @type {Record<keyof typeof import('./en.js').messages, import('../../web/i18n.js').Message>} */
export const messages = {
  ...common,
  'home.title': 'Scrutin',
};
