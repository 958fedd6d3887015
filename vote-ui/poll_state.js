// What the state of a poll means for the page.
// SPDX-License-Identifier: MIT

/** @typedef {import('../web/types.js').Poll} Poll */

/** Whether voting has ended. @param {Poll} poll */
export const isOver = (poll) => ['closed', 'counting', 'final'].includes(poll.state);
