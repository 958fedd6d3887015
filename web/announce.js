// Tells screen readers what has changed, in a polite live region that changes at most every five seconds.
// SPDX-License-Identifier: MIT

const PAUSE = 5000; // ms
/** @type {string | null} */
let waiting = null;
let lastAt = -PAUSE;
let timer = 0;

function speak() {
  const region = document.getElementById('spoken');
  timer = 0;
  if (waiting === null || !region) return;
  lastAt = performance.now();
  region.textContent = waiting;
  waiting = null;
}

/** Says a text as soon as possible. If several texts wait, only the newest one is said. @param {string} text */
export function announce(text) {
  waiting = text;
  timer ||= window.setTimeout(speak, Math.max(100, lastAt + PAUSE - performance.now()));
}
