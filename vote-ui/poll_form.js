// A poll in the form that creates or edits it, its conversion from and to the API's JSON, and its faults. Pure.
// SPDX-License-Identifier: MIT

/** @typedef {import('../web/types.js').Poll} Poll */

/**
 * @typedef {object} PollForm
 * @property {string} title
 * @property {string} description
 * @property {{key: string, id?: string, label: string}[]} options `key` names the row while the form is open
 * @property {import('../web/types.js').Method} method
 * @property {number} min
 * @property {number | null} max null means all options
 * @property {boolean} revisable
 * @property {boolean} reopenable
 * @property {string} opens local time in the format of a datetime-local input, or ''
 * @property {string} closes
 * @property {import('../web/types.js').Visibility} results_visibility
 * @property {import('../web/types.js').VoterPolicy} voter_policy
 */

export const TITLE_MAX = 200;
export const LABEL_MAX = 200;
export const TEXT_MAX = 2000;
export const OPTIONS_MAX = 100;
export const RANKED_MAX = 30; // options of a ranked poll

let lastKey = 0;
/** @param {string} label @param {string} [id] */
export const newOption = (label, id) => ({ key: `k${++lastKey}`, id, label });

/** A point in time in the format of a datetime-local input. @param {string | null} at */
export function localTime(at) {
  if (!at) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999); // the API accepts no later time, but an input does

/** Null if there is no time, or one that the API does not accept. @param {string} local */
function utcTime(local) {
  const date = new Date(local);
  return date.getTime() <= LAST ? date.toISOString() : null;
}

/** @param {Poll} [poll] @returns {PollForm} */
export function formOf(poll) {
  if (!poll) {
    return { title: '', description: '', options: [newOption(''), newOption('')], method: 'plurality', min: 1, max: null,
      revisable: true, reopenable: false, opens: '', closes: '', results_visibility: 'always', voter_policy: 'open' };
  }
  return {
    title: poll.title, description: poll.description, options: poll.options.map(({ id, label }) => newOption(label, id)),
    method: poll.method, min: poll.min_choices ?? 1,
    max: poll.max_choices === undefined || poll.max_choices >= poll.options.length ? null : poll.max_choices,
    revisable: poll.revisable, reopenable: poll.reopenable ?? false, opens: localTime(poll.opens_at),
    closes: localTime(poll.closes_at), results_visibility: poll.results_visibility, voter_policy: poll.voter_policy,
  };
}

/** The options that have a name. @param {PollForm} form */
export const filled = (form) => form.options.filter((option) => !BLANK.test(option.label));

/** The JSON that the API accepts. @param {PollForm} form @returns {Record<string, unknown>} */
export function bodyOf(form) {
  const options = filled(form);
  return {
    title: form.title.trim(),
    description: form.description.trim(),
    options: options.map(({ id, label }) => ({ ...(id && { id }), label: label.trim() })),
    method: form.method,
    ...(form.method !== 'plurality' && { min_choices: form.min, max_choices: form.max ?? options.length }),
    revisable: form.revisable,
    reopenable: form.reopenable,
    ...(form.opens && { opens_at: utcTime(form.opens) }),
    ...(form.closes && { closes_at: utcTime(form.closes) }),
    results_visibility: form.results_visibility,
    voter_policy: form.voter_policy,
  };
}

/** The fields that are fixed once the poll has opened. */
const FIXED = ['options', 'method', 'min_choices', 'max_choices', 'revisable', 'reopenable', 'voter_policy', 'opens_at'];

/** The fields that differ from the poll. @param {PollForm} form @param {Poll} poll @param {boolean} hasOpened */
export function changesOf(form, poll, hasOpened) {
  const was = { opens_at: null, closes_at: null, ...bodyOf(formOf(poll)) };
  const is = { opens_at: null, closes_at: null, ...bodyOf(form) };
  return Object.fromEntries(Object.entries(is).filter(([name, value]) =>
    !(hasOpened && FIXED.includes(name)) && JSON.stringify(value) !== JSON.stringify(/** @type {Record<string, unknown>} */ (was)[name])));
}

/** The poll as voters would see it. @param {PollForm} form @returns {Poll} */
export function previewOf(form) {
  const options = filled(form);
  return {
    id: '', title: form.title, description: form.description, options: options.map(({ key, label }) => ({ id: key, label })),
    method: form.method, min_choices: Math.min(form.min, options.length),
    max_choices: Math.min(form.max ?? options.length, options.length), revisable: form.revisable, opens_at: utcTime(form.opens),
    closes_at: utcTime(form.closes), state: 'open', results_visibility: form.results_visibility,
    voter_policy: form.voter_policy, created_at: '',
  };
}

const BLANK = /^[\s\p{DI}\u2800]*$/u; // white space and invisible characters

// The page knows the usual cases of the rules in vote-api/polls/text_rules.c. The server decides.
/** Whether a text has control characters, or characters that change the direction of text. @param {string} text */
export const isForbidden = (text) => /[^\P{Cc}\t\n]|[\u202A-\u202E\u2066-\u2069]/u.test(text);

/** Is equal for two labels that look the same: nearly Unicode's case folding. @param {string} label */
const folded = (label) => label.replace(/[\xAD\u200B\uFEFF]/g, '').trim().replace(/\s+/g, ' ').normalize().toUpperCase().toLowerCase();

/**
 * The faults by field, as names of texts. Fields that are fixed since the opening are not checked.
 * @param {PollForm} form @param {number} now in ms since 1970 @param {boolean} [hasOpened] @returns {Record<string, string>}
 */
export function faults(form, now, hasOpened) {
  const n = filled(form).length;
  const labels = filled(form).map(({ label }) => label);
  /** @type {Record<string, string>} */
  const found = {};
  if (BLANK.test(form.title)) found.title = 'fault.title';
  else if (isForbidden(form.title)) found.title = 'fault.characters';
  if (isForbidden(form.description)) found.description = 'fault.characters';
  if (!hasOpened) {
    if (n < 2) found.options = 'fault.options';
    else if (labels.some(isForbidden)) found.options = 'fault.characters';
    else if (new Set(labels.map(folded)).size < n) found.options = 'fault.twice';
    else if (form.method === 'ranked' && n > RANKED_MAX) found.options = 'fault.ranked';
    if (form.method !== 'plurality' && n >= 2 && (form.min > n || (form.max ?? n) > n || form.min > (form.max ?? n))) found.min = 'fault.range';
    if (form.opens && !utcTime(form.opens)) found.opens = 'fault.late';
  }
  if (form.closes && !utcTime(form.closes)) found.closes = 'fault.late';
  else if (form.closes && new Date(form.closes).getTime() <= now) found.closes = 'fault.closes';
  else if (form.closes && form.opens && form.closes <= form.opens) found.closes = 'fault.order';
  return found;
}

/** The field of this form that a JSON pointer of the API means. @param {string} [pointer] */
export function fieldAt(pointer = '') {
  const name = pointer.split('/')[1] ?? '';
  return { opens_at: 'opens', closes_at: 'closes', min_choices: 'min', max_choices: 'min' }[name] ?? name;
}

/** The lines of a pasted list, without bullets and numbers. @param {string} text */
export const linesOf = (text) => text.split(/[\r\n\t]+/).map((line) => line.replace(/^\s*(?:[-*•–]|\d{1,3}[.)])\s+/, '').trim())
  .filter(Boolean).map((line) => [...line].slice(0, LABEL_MAX).join(''));
