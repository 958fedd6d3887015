// Stores small values on this device. If the browser forbids storage, they last as long as the page.
// SPDX-License-Identifier: MIT

const PREFIX = 'scrutin.';
/** @type {Map<string, string | null>} */
const fallback = new Map();

/** @param {string} name @returns {string | null} */
export function stored(name) {
  if (fallback.has(name)) return fallback.get(name) ?? null;
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} value null removes it */
export function store(name, value) {
  fallback.delete(name);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch { // storage is forbidden or full; the new value hides the stored one
    fallback.set(name, value);
  }
}

/** A value that was stored as JSON, or `otherwise` if there is none that can be read. @template T @param {string} name @param {T} otherwise @returns {T} */
export function storedJson(name, otherwise) {
  try {
    return JSON.parse(stored(name) ?? 'null') ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} name @param {unknown} value */
export const storeJson = (name, value) => store(name, value === null ? null : JSON.stringify(value));

/** Values that last as long as the tab, also when the page is loaded again. */
export const forSession = {
  /** @param {string} name @returns {string | null} */
  get(name) {
    try {
      return sessionStorage.getItem(PREFIX + name);
    } catch {
      return fallback.get(name) ?? null;
    }
  },
  /** @param {string} name @param {string | null} value null removes it */
  set(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(PREFIX + name);
      else sessionStorage.setItem(PREFIX + name, value);
    } catch { // storage is forbidden or full; the value lasts as long as the page
      fallback.set(name, value);
    }
  },
};

/** The names of all stored values that begin with `start`. @param {string} start */
export function storedNames(start) {
  /** @type {string[]} */
  let keys = [];
  try {
    keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
  } catch { /* only the values of this page are left */ }
  return [...new Set([...keys, ...fallback.keys()])].filter((name) => name.startsWith(start) && stored(name) !== null);
}

/** Calls `changed` when another tab changes a value whose name begins with `start`. @param {string} start @param {(name: string) => void} changed */
export const onStored = (start, changed) => addEventListener('storage', (event) => {
  if (event.key?.startsWith(PREFIX + start)) changed(event.key.slice(PREFIX.length));
});
