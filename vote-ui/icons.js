// The icons of the vote page.
// SPDX-License-Identifier: MIT
import { html } from '../web/html.js';

/** @param {string} path */
const line = (path) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path class="line" d=${path} /></svg>`;

export const icons = {
  check: line('m5 12.5 4.5 4.5L19 7.5'),
  people: line('M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 2.9-6 6.5-6s6.5 2.5 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.5M17.5 14.3c2.4.7 4 2.9 4 5.7'),
  pencil: line('M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM13.5 7l3.5 3.5'),
  clock: line('M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2'),
  chart: line('M4 20h16M7 16v-4M12 16V6M17 16v-7'),
  up: line('m6 14.5 6-6 6 6'),
  down: line('m6 9.5 6 6 6-6'),
  remove: line('m6 6 12 12M18 6 6 18'),
  add: line('M12 5v14M5 12h14'),
  grip: line('M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01'),
  print: line('M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z'),
  key: line('M14 10a4.5 4.5 0 1 0-1.5 3.3L15 15.5h2.5V18H20v-2.5l-6-5.5'),
  download: line('M12 4v11m-4.5-4 4.5 4.5 4.5-4.5M4 20h16'),
  offline: line('M3 3l18 18M8.5 16a5 5 0 0 1 7 0M5 12.5a10 10 0 0 1 5-2.7m4.5.3a10 10 0 0 1 4.5 2.4M2 9a15 15 0 0 1 4.5-3M11 4.8A15 15 0 0 1 22 9M12 20h.01'),
};
