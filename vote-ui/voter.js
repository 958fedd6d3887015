// What voters use, in one file: join, vote, and what became of the ballot.
// SPDX-License-Identifier: MIT
import { addLanguage } from '../web/i18n.js';
import { lazyView } from '../web/shell.js';
import { keepPage } from './keep_page.js';
import { forgetToken, managedPolls } from './managed.js';
import { drop, keptBallots, keptUntil, onBallots, startOutbox } from './outbox.js';

export { homeView } from './home.js';
export { pollView } from './poll.js';
export { receiptView } from './receipt.js';

/** @type {Promise<void> | undefined} */
let words;

/** Few look at it, so it has a file of its own. That is given what is here already, and what it shares with nobody else. */
export const deviceView = lazyView(async () => {
  words ??= addLanguage({ en: () => import('./lang/device.en.js'), fr: () => import('./lang/device.fr.js') });
  const [{ deviceView: make }] = await Promise.all([import('./device.js'), words]);
  return () => make({ drop, forgetToken, keptBallots, keptUntil, managedPolls, onBallots });
});

startOutbox();
// What one came for goes first; and who comes to have everything forgotten is not to have it kept again.
if (location.pathname !== '/device') setTimeout(keepPage, 1000);
