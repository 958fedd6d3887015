// A ballot while it is being filled in, and whether it may be cast. Pure: no page, no server.
// SPDX-License-Identifier: MIT

/** @typedef {import('../web/types.js').Poll} Poll */
/** @typedef {import('../web/types.js').Selection} Selection */
/** @typedef {{choices: string[], scores: Record<string, number>}} Draft choices in order: of preference with method ranked */

/** @param {Selection} [selection] one that was cast, to begin with @returns {Draft} */
export const draftOf = (selection = []) => (Array.isArray(selection)
  ? { choices: [...selection], scores: {} } : { choices: [], scores: { ...selection } });

/** What is sent. @param {Poll} poll @param {Draft} draft @returns {Selection} */
export const selectionOf = (poll, draft) => (poll.method === 'score' ? { ...draft.scores } : [...draft.choices]);

/** Takes out options that the poll no longer has. @param {Poll} poll @param {Draft} draft */
export function prune(poll, draft) {
  const ids = new Set(poll.options.map((option) => option.id));
  draft.choices = draft.choices.filter((id) => ids.has(id));
  for (const id of Object.keys(draft.scores)) if (!ids.has(id)) delete draft.scores[id];
}

/** How many options a ballot names. @param {Poll} poll */
export const limits = (poll) => ({
  min: poll.method === 'plurality' ? 1 : poll.min_choices ?? 1,
  max: poll.method === 'plurality' ? 1 : poll.max_choices ?? poll.options.length,
});

/** @param {Poll} poll @param {Draft} draft */
export const countOf = (poll, draft) => (poll.method === 'score' ? Object.keys(draft.scores).length : draft.choices.length);

/** @param {Poll} poll @param {Draft} draft */
export const isFull = (poll, draft) => countOf(poll, draft) >= limits(poll).max;

/** How many options are missing or too many: below, at or above 0. @param {Poll} poll @param {Draft} draft */
export function fit(poll, draft) {
  const { min, max } = limits(poll);
  const n = countOf(poll, draft);
  return n < min ? n - min : n > max ? n - max : 0;
}

/** Moves an element of a list. @template T @param {T[]} list @param {number} from @param {number} to */
export function move(list, from, to) {
  const copy = [...list];
  const [item] = copy.splice(from, 1);
  copy.splice(Math.max(0, Math.min(copy.length, to)), 0, item);
  return copy;
}
