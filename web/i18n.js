// The language of the page: its sentences, plurals, numbers and times, by Intl.
// SPDX-License-Identifier: MIT
import { now } from './clock.js';
import { stored, store } from './store.js';

/** @typedef {'en' | 'fr'} Language */
/** @typedef {string | {one: string, other: string}} Message a sentence with {names}; or one for each plural of {n} */
/** @typedef {Record<string, Message>} Messages */

export const LANGUAGES = /** @type {const} */ (['en', 'fr']);

/** @type {Messages} */
let messages = {};
/** @typedef {Record<Language, () => Promise<{messages: Messages}>>} Source where sentences come from */
/** @type {Source[]} */
const sources = [];

/** @param {string | null | undefined} tag @returns {Language | undefined} */
const known = (tag) => LANGUAGES.find((one) => tag?.toLowerCase().split('-')[0] === one);

/** `?lang=` first, then what was chosen before, then what the browser asks for. @returns {Language} */
function preferred() {
  return known(new URLSearchParams(location.search).get('lang')) ?? known(stored('lang'))
    ?? navigator.languages.map(known).find(Boolean) ?? 'en';
}

/** @type {Language} */
let language = preferred();
let locale = String(language); // how numbers and times are written

/** Loads the sentences of a language. @param {Language} wanted */
async function use(wanted) {
  const parts = await Promise.all(sources.map((source) => source[wanted]()));
  // Parts of one language may come in any order.
  messages = Object.assign(wanted === language ? messages : {}, ...parts.map((part) => part.messages));
  language = wanted;
  locale = navigator.languages.find((tag) => known(tag) === wanted) ?? wanted; // en-GB writes 17:30, en-US 5:30 PM
  document.documentElement.lang = wanted;
}

/** Adds sentences of the page, or of a part of it, and loads them. @param {Source} source */
export async function addLanguage(source) {
  if (!sources.includes(source)) sources.push(source);
  await use(language);
}

/** Changes the language, and keeps the choice. @param {Language} wanted */
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
 * A sentence, with {names} filled in; numbers among the values are written as the language has them, and `n` chooses
 * the plural. A key that is missing shows itself.
 * @param {string} key @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  let message = messages[key] ?? key;
  if (typeof message !== 'string') {
    message = message[/** @type {'one' | 'other'} */ (new Intl.PluralRules(language).select(Number(values.n)))] ?? message.other;
  }
  if (language === 'fr') message = message.replace(/ ([;!?])/g, '\u202f$1').replace(/ ([:»])/g, '\u00a0$1').replace(/« /g, '«\u00a0');
  return message.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name];
    return typeof value === 'number' ? number(value) : value ?? all;
  });
}

/** Whether there is a sentence of this name. @param {string} key */
export const has = (key) => key in messages;

/** @param {number} n @param {Intl.NumberFormatOptions} [options] */
export const number = (n, options) => new Intl.NumberFormat(locale, options).format(n);

/** 0.255 → 26 %. @param {number} share @param {number} [digits] */
export const percent = (share, digits = 0) => number(share, { style: 'percent', maximumFractionDigits: digits });

/** @param {string | number | Date} when @param {Intl.DateTimeFormatOptions} options */
export const dateTime = (when, options) => new Intl.DateTimeFormat(locale, options).format(new Date(when));

/** A point in time for people: the hour alone when it is today. @param {string | number | Date} when */
export function time(when) {
  const date = new Date(when);
  const isToday = date.toDateString() === new Date(now()).toDateString();
  return dateTime(date, isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

/** How far away a point in time is: "in 5 minutes". @param {string | number | Date} when */
export function distance(when) {
  const seconds = (new Date(when).getTime() - now()) / 1000;
  const [unit, size] = /** @type {[Intl.RelativeTimeFormatUnit, number]} */ (
    Math.abs(seconds) < 90 ? ['second', 1] : Math.abs(seconds) < 5400 ? ['minute', 60]
      : Math.abs(seconds) < 129_600 ? ['hour', 3600] : ['day', 86_400]);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.round(seconds / size), unit);
}

/** "a, b and c". @param {string[]} items */
export const list = (items) => new Intl.ListFormat(language).format(items);
