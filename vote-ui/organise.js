// What organisers use, in one file: create, share, manage.
// SPDX-License-Identifier: MIT
import { addLanguage } from '../web/i18n.js';

export { createView } from './create.js';
export { manageView } from './manage.js';

/** Once its sentences are here too. */
export const ready = addLanguage({ en: () => import('./lang/organise.en.js'), fr: () => import('./lang/organise.fr.js') });
