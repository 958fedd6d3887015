// The time by the server's clock: a phone's may be wrong by a day, and would call an open poll closed.
// SPDX-License-Identifier: MIT

const NEAR = 15_000; // ms; below it the device's own clock is good enough, and does not jump with each answer
let ahead = 0; // ms by which the device's clock is ahead of the server's

/** ms since 1970. */
export const now = () => Date.now() - ahead;

/** Takes over what an answer of the server says. @param {string | null} date its header Date */
export function heardTime(date) {
  const by = Date.now() - Date.parse(date ?? '');
  if (!Number.isNaN(by)) ahead = Math.abs(by) < NEAR ? 0 : by;
}
