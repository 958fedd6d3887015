// What organisers use, loaded when it is asked for: voters come with a phone and a thin network.
// SPDX-License-Identifier: MIT
import { addLanguage } from '../web/i18n.js';

export { createView } from './create.js';
export { manageView } from './manage.js';

/** Once its sentences are here too. */
export const ready = addLanguage({ en: () => import('./lang/organise.en.js'), fr: () => import('./lang/organise.fr.js') });
