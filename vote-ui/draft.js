// A ballot that is not cast yet, and whether it can be cast. Pure: no page, no server.
// SPDX-License-Identifier: MIT

/** @typedef {import('../web/types.js').Poll} Poll */
/** @typedef {import('../web/types.js').Selection} Selection */
/** @typedef {{choices: string[], scores: Record<string, number>}} Draft choices are in the order of preference if the method is ranked */

/** @param {Selection} [selection] of a ballot that was cast before @returns {Draft} */
export const draftOf = (selection = []) => (Array.isArray(selection)
  ? { choices: [...selection], scores: {} } : { choices: [], scores: { ...selection } });

/** The selection to send. @param {Poll} poll @param {Draft} draft @returns {Selection} */
export const selectionOf = (poll, draft) => (poll.method === 'score' ? { ...draft.scores } : [...draft.choices]);

/** Removes options that the poll no longer has. @param {Poll} poll @param {Draft} draft */
export function prune(poll, draft) {
  const ids = new Set(poll.options.map((option) => option.id));
  draft.choices = draft.choices.filter((id) => ids.has(id));
  for (const id of Object.keys(draft.scores)) if (!ids.has(id)) delete draft.scores[id];
}

/** How many options a ballot can name. @param {Poll} poll */
export const limits = (poll) => ({
  min: poll.method === 'plurality' ? 1 : poll.min_choices ?? 1,
  max: poll.method === 'plurality' ? 1 : poll.max_choices ?? poll.options.length,
});

/** @param {Poll} poll @param {Draft} draft */
export const countOf = (poll, draft) => (poll.method === 'score' ? Object.keys(draft.scores).length : draft.choices.length);

/** @param {Poll} poll @param {Draft} draft */
export const isFull = (poll, draft) => countOf(poll, draft) >= limits(poll).max;

/** Below 0: so many options are missing. Above 0: so many are too many. @param {Poll} poll @param {Draft} draft */
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
