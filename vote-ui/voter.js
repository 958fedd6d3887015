// The voters' part of the page, as one file.
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
// The view itself is loaded first. On /device people remove everything, so nothing is stored there.
if (location.pathname !== '/device') setTimeout(keepPage, 1000);
