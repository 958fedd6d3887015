// What voters use, in one file: join, vote, and what became of the ballot.
// SPDX-License-Identifier: MIT
import { lazyView, partOf } from '../web/shell.js';
import { keepPage } from './keep_page.js';
import { forgetToken, managedPolls } from './managed.js';
import { drop, keptBallots, keptUntil, onBallots, startOutbox } from './outbox.js';

export { homeView } from './home.js';
export { pollView } from './poll.js';
export { receiptView } from './receipt.js';

// Few people open it, so it is a file of its own.
const device = partOf(() => import('./device.js'), { en: () => import('./lang/device.en.js'), fr: () => import('./lang/device.fr.js') });

export const deviceView = lazyView(async () => {
  const { deviceView: make } = await device();
  return () => make({ drop, forgetToken, keptBallots, keptUntil, managedPolls, onBallots });
});

startOutbox();
// What one came for goes first; and who comes to have everything forgotten is not to have it kept again.
if (location.pathname !== '/device') setTimeout(keepPage, 1000);
