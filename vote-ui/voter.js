// What voters use, in one file: join, vote, and what became of the ballot.
// SPDX-License-Identifier: MIT
import { keepPage } from './keep_page.js';
import { startOutbox } from './outbox.js';

export { homeView } from './home.js';
export { pollView } from './poll.js';
export { receiptView } from './receipt.js';

startOutbox();
setTimeout(keepPage, 1000); // what one came for goes first
