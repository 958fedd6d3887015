// Keeps votes that are not submitted yet for as long as the tab is open: a phone that is short of memory reloads pages.
// SPDX-License-Identifier: MIT
import { forSession } from '../web/store.js';

/** @typedef {import('./draft.js').Draft} Draft */

/** @param {string} poll @returns {Draft | undefined} */
export function keptDraft(poll) {
  try {
    const { choices, scores } = JSON.parse(forSession.get(`draft.${poll}`) ?? '{}');
    return Array.isArray(choices) && scores ? { choices, scores } : undefined;
  } catch { // what is stored cannot be read
    return undefined;
  }
}

/** @param {string} poll @param {Draft | null} draft null removes it */
export function keepDraft(poll, draft) {
  const isEmpty = !draft || !(draft.choices.length || Object.keys(draft.scores).length);
  forSession.set(`draft.${poll}`, isEmpty ? null : JSON.stringify(draft));
}
