// The time by the server's clock. The clock of a phone can be wrong by a day, and an open poll would look closed.
// SPDX-License-Identifier: MIT

const NEAR = 15_000; // ms; below this the device's clock is good enough, and it does not jump with each answer
let ahead = 0; // ms; how far the device's clock is ahead of the server's

/** ms since 1970. */
export const now = () => Date.now() - ahead;

/** Learns the server's time from an answer. @param {string | null} date the header Date */
export function heardTime(date) {
  const by = Date.now() - Date.parse(date ?? '');
  if (!Number.isNaN(by)) ahead = Math.abs(by) < NEAR ? 0 : by;
}
