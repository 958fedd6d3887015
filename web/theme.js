// Dark or light. The page follows the system until somebody chooses.
// SPDX-License-Identifier: MIT
import { store, stored } from './store.js';

/** @typedef {'auto' | 'light' | 'dark'} Theme */

const THEMES = /** @type {const} */ (['auto', 'light', 'dark']);
const system = matchMedia('(prefers-color-scheme: dark)');

/** @returns {Theme} */
export const currentTheme = () => THEMES.find((theme) => theme === stored('theme')) ?? 'auto';

function apply() {
  const theme = currentTheme();
  document.documentElement.dataset.theme = theme === 'auto' ? (system.matches ? 'dark' : 'light') : theme;
}

export function startTheme() {
  system.addEventListener('change', apply);
  apply();
}

export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length];
  store('theme', next === 'auto' ? null : next);
  apply();
}
