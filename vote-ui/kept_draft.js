// Half-filled ballots: kept for as long as the tab is open, over a look elsewhere, a reload, and a phone that is short of memory.
// SPDX-License-Identifier: MIT

/** @typedef {import('./draft.js').Draft} Draft */

const PREFIX = 'scrutin.draft.';

/** @param {string} poll @returns {Draft | undefined} */
export function keptDraft(poll) {
  try {
    const { choices, scores } = JSON.parse(sessionStorage.getItem(PREFIX + poll) ?? '');
    if (Array.isArray(choices) && scores) return { choices, scores };
  } catch { /* there is none, or the browser keeps nothing */ }
  return undefined;
}

/** @param {string} poll @param {Draft | null} draft null: it was cast, or given up */
export function keepDraft(poll, draft) {
  try {
    if (draft && (draft.choices.length || Object.keys(draft.scores).length)) sessionStorage.setItem(PREFIX + poll, JSON.stringify(draft));
    else sessionStorage.removeItem(PREFIX + poll);
  } catch { /* then it lasts as long as the view */ }
}
