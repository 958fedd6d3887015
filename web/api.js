// Sends requests to the two APIs, which the page's own server passes on. Problems (RFC 9457) become errors.
// SPDX-License-Identifier: MIT
import { heardTime, now } from './clock.js';
import { has, t, distance } from './i18n.js';

/** An error that the API answered. Its slug is `offline` if there was no answer at all. */
export class Problem extends Error {
  /** @param {string} slug @param {number} status @param {{detail?: string, pointer?: string, request_id?: string, retryAfter?: number, visibility?: string}} [more] */
  constructor(slug, status, more = {}) {
    super(more.detail ?? slug);
    this.slug = slug;
    this.status = status;
    this.pointer = more.pointer;
    this.requestId = more.request_id;
    this.visibility = more.visibility;
    this.retryAfter = more.retryAfter; // seconds
  }

  /** Whether the same request can succeed later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What to tell people, in the language of the page. */
  get sentence() {
    if (this.slug === 'too-many-requests') {
      return t('problem.too-many-requests', { when: distance(now() + 1000 * (this.retryAfter ?? 10)) });
    }
    return this.status >= 500 && !has(`problem.${this.slug}`) ? t('problem.unavailable') : problemText(this.slug, this.message);
  }
}

/**
 * The page's own sentence for a problem type. A type without one shows the server's detail, which is in English.
 * @param {string} slug @param {string} detail
 */
export const problemText = (slug, detail) => (has(`problem.${slug}`) ? t(`problem.${slug}`) : t('problem.other', { detail }));

/** Seconds from a Retry-After header, which is a number of seconds or a date. @param {string | null} text */
function retryAfter(text) {
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** @param {Response} response */
async function problemOf(response) {
  const after = retryAfter(response.headers.get('retry-after'));
  try {
    const body = await response.json();
    const slug = String(body.type ?? '').split(/[/:]/).pop() || 'unavailable';
    return new Problem(slug, response.status, { ...body, retryAfter: after });
  } catch { // no problem of our API: a proxy answered
    return new Problem('unavailable', response.status, { retryAfter: after });
  }
}

/**
 * Sends one request. Throws a Problem.
 * @param {string} method @param {string} path
 * @param {{body?: unknown, token?: string | null, headers?: Record<string, string>, timeout?: number, signal?: AbortSignal}} [options]
 */
export async function send(method, path, { body, token, headers = {}, timeout = 10_000, signal } = {}) {
  const limit = AbortSignal.timeout(timeout);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? anySignal(signal, limit) : limit,
      cache: 'no-cache',
    });
  } catch {
    throw new Problem('offline', 0);
  }
  heardTime(response.headers.get('date'));
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** @param {AbortSignal} signal @param {AbortSignal} limit */
const anySignal = (signal, limit) => ('any' in AbortSignal ? AbortSignal.any([signal, limit]) : signal);

/** Sends one request and reads the JSON of the answer. @param {Parameters<typeof send>} args @returns {Promise<any>} */
export async function ask(...args) {
  const response = await send(...args);
  try {
    return response.status === 204 ? null : await response.json();
  } catch {
    throw new Problem('offline', 0); // the connection broke in the middle of the answer
  }
}

/**
 * How long to wait before the next try, in ms: as long as the server asks for, or twice as long each time. A random part
 * keeps the phones of a hall from coming back at the same moment.
 * @param {number} tries how many have failed @param {number} [after] Retry-After in seconds
 */
export function backOff(tries, after) {
  const step = Math.min(30_000, 500 * 2 ** Math.min(tries, 10));
  return after === undefined ? step / 2 + Math.random() * (step / 2) : after * 1000 + Math.random() * Math.min(step, 2000);
}

/** @param {number} ms @param {AbortSignal} [signal] */
export const pause = (ms, signal) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  signal?.addEventListener('abort', () => {
    clearTimeout(timer);
    done(undefined);
  }, { once: true });
});

/**
 * Tries again, with back-off, as long as the same request can succeed later.
 * @template T @param {() => Promise<T>} attempt @param {{tries?: number, signal?: AbortSignal, failed?: (problem: Problem) => void}} [options]
 * @returns {Promise<T>}
 */
export async function persist(attempt, { tries = 4, signal, failed } = {}) {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Problem) || !error.isPassing || n >= tries || signal?.aborted) throw error;
      failed?.(error);
      await pause(backOff(n, error.retryAfter), signal);
      if (signal?.aborted) throw error;
    }
  }
}

/** @type {Promise<{vote: string, result: string}> | undefined} */
let site;

/** The public addresses of both pages. They do not end with a slash. */
export const siteAddresses = () => (site ??= persist(() => ask('GET', '/site.json'), { tries: 3 }).catch((error) => {
  site = undefined;
  throw error;
}));
