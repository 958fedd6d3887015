// The language of the page: its texts, and its plurals, numbers and times, which Intl formats.
// SPDX-License-Identifier: MIT
import { now } from './clock.js';
import { stored, store } from './store.js';

/** @typedef {'en' | 'fr'} Language */
/** @typedef {string | {one: string, other: string}} Message a text with {names}, or a text for each plural of {n} */
/** @typedef {Record<string, Message>} Messages */

export const LANGUAGES = /** @type {const} */ (['en', 'fr']);

/** @type {Messages} */
let messages = {};
/** @typedef {Record<Language, () => Promise<{messages: Messages}>>} Source loads texts */
/** @type {Source[]} */
const sources = [];

/** @param {string | null | undefined} tag @returns {Language | undefined} */
const known = (tag) => LANGUAGES.find((one) => tag?.toLowerCase().split('-')[0] === one);

/** `?lang=` comes first, then an earlier choice, then the languages of the browser. @returns {Language} */
function preferred() {
  return known(new URLSearchParams(location.search).get('lang')) ?? known(stored('lang'))
    ?? navigator.languages.map(known).find(Boolean) ?? 'en';
}

/** @type {Language} */
let language = preferred();
let locale = String(language); // how numbers and times are written

/** Whether Intl accepts a tag. Some browsers name a language as `en-US@posix`, and Intl throws an error. @param {string} tag */
function isLocale(tag) {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

/** Loads the texts of a language. @param {Language} wanted */
async function use(wanted) {
  const parts = await Promise.all(sources.map((source) => source[wanted]()));
  // The parts of one language can arrive in any order, so they are added to each other.
  messages = Object.assign(wanted === language ? messages : {}, ...parts.map((part) => part.messages));
  language = wanted;
  locale = navigator.languages.find((tag) => known(tag) === wanted && isLocale(tag)) ?? wanted; // en-GB writes 17:30, en-US 5:30 PM
  document.documentElement.lang = wanted;
}

/** Adds and loads the texts of the page, or of a part of it. @param {Source} source */
export async function addLanguage(source) {
  if (!sources.includes(source)) sources.push(source);
  await use(language);
}

/** Changes the language, and stores the choice. @param {Language} wanted */
export async function setLanguage(wanted) {
  await use(wanted);
  store('lang', wanted);
  const url = new URL(location.href);
  if (url.searchParams.has('lang')) {
    url.searchParams.set('lang', wanted);
    history.replaceState(history.state, '', url);
  }
}

export const currentLanguage = () => language;

/**
 * A text with its {names} filled in. Numbers are formatted for the language, and `n` chooses the plural. A key without a
 * text is returned as it is.
 * @param {string} key @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  let message = messages[key] ?? key;
  if (typeof message !== 'string') {
    message = message[/** @type {'one' | 'other'} */ (new Intl.PluralRules(language).select(Number(values.n)))] ?? message.other;
  }
  // French has a no-break space before these marks and inside « ». It is narrow before ; ! and ?
  if (language === 'fr') message = message.replace(/ ([;!?])/g, '\u202f$1').replace(/ ([:»])/g, '\u00a0$1').replace(/« /g, '«\u00a0');
  return message.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name];
    return typeof value === 'number' ? number(value) : value ?? all;
  });
}

/** Whether there is a text of this name. @param {string} key */
export const has = (key) => key in messages;

/** @param {number} n @param {Intl.NumberFormatOptions} [options] */
export const number = (n, options) => new Intl.NumberFormat(locale, options).format(n);

/** 0.255 → 26 %. @param {number} share @param {number} [digits] */
export const percent = (share, digits = 0) => number(share, { style: 'percent', maximumFractionDigits: digits });

/** @param {string | number | Date} when @param {Intl.DateTimeFormatOptions} options */
export const dateTime = (when, options) => new Intl.DateTimeFormat(locale, options).format(new Date(when));

/** A point in time. It has no date if it is today. @param {string | number | Date} when */
export function time(when) {
  const date = new Date(when);
  const isToday = date.toDateString() === new Date(now()).toDateString();
  return dateTime(date, isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

/** The distance to a point in time, as "in 5 minutes". @param {string | number | Date} when */
export function distance(when) {
  const seconds = (new Date(when).getTime() - now()) / 1000;
  const [unit, size] = /** @type {[Intl.RelativeTimeFormatUnit, number]} */ (
    Math.abs(seconds) < 90 ? ['second', 1] : Math.abs(seconds) < 5400 ? ['minute', 60]
      : Math.abs(seconds) < 129_600 ? ['hour', 3600] : ['day', 86_400]);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.round(seconds / size), unit);
}

/** "a, b and c". @param {string[]} items */
export const list = (items) => new Intl.ListFormat(language).format(items);
