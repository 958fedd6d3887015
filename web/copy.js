// Copies texts and saves files. Browsers offer navigator.clipboard only over HTTPS, so there is another way to copy.
// SPDX-License-Identifier: MIT
import { announce } from './announce.js';
import { t } from './i18n.js';

/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

const SHOWN = 4000; // ms

/** Shows a text for a moment, and says it to screen readers. @param {string} text */
function tell(text) {
  document.querySelector('.toast')?.remove();
  const toast = document.createElement('div');
  toast.className = 'toast';
  toast.ariaHidden = 'true';
  toast.textContent = text;
  document.body.append(toast);
  setTimeout(() => toast.remove(), SHOWN);
  announce(text);
}

/**
 * The click handler of a copy button. If the browser refuses to copy, it selects the text, so that the person can copy it.
 * @param {string} text @param {string} selector of the element beside the button that shows the text
 */
export const copier = (text, selector) => async (/** @type {Event} */ event) => {
  const shown = /** @type {HTMLElement} */ (event.currentTarget).parentElement?.querySelector(selector);
  const done = await copyText(text);
  if (!done && shown) getSelection()?.selectAllChildren(shown);
  tell(t(done ? 'copied' : 'copy.failed'));
};

/** Saves a text as a file. @param {string} name @param {string} type @param {string} text */
export function saveFile(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
