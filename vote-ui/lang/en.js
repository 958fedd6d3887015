// The page's sentences in English.
// SPDX-License-Identifier: MIT
import { common } from '../../web/lang/en.js';

export const messages = {
  ...common,
  'home.title': 'Scrutin',
};
