// What is known of one poll's results: the newest snapshot, how fresh it is, and the turnout over time.
// SPDX-License-Identifier: MIT
import { Problem, ask, send } from '../web/api.js';
import { now } from '../web/clock.js';
import { saveFile } from '../web/copy.js';
import { refresh } from '../web/shell.js';
import { forSession, store, storedNames } from '../web/store.js';
import { follow } from './stream.js';

/** @typedef {import('../web/types.js').Results} Results */
/** @typedef {'connecting' | 'live' | 'reconnecting' | 'hidden' | 'missing'} Link */
/** @typedef {{at: string, received: number, counted: number}} Bucket */
/** @typedef {{step_s: number, buckets: Bucket[], peak: {at: string, per_second: number} | null, revisions: number}} Turnout */

const TURNOUT_EVERY = 5000; // ms
const STEPS = [10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400]; // seconds

/** @type {Source | undefined} */
let current;

export class Source {
  /** @type {Results | undefined} */
  results;
  /** @type {Link} */
  link = 'connecting';
  /** @type {Problem | undefined} */
  problem;
  /** What everybody may know, for as long as the results are hidden. @type {import('../web/types.js').Poll | undefined} */
  poll;
  /** @type {Turnout | undefined} */
  turnout;
  turnoutVersion = 0; // of the results that it was read for

  /** @param {string} code */
  constructor(code) {
    this.code = code;
    this.path = `/v1/polls/${encodeURIComponent(code)}`;
    this.headers = credentials(code);
    this.stop = follow(`${this.path}/results/stream`, this.headers, {
      onOpen: () => this.set('live'),
      onEvent: (_id, data) => this.take(JSON.parse(data)),
      onProblem: (problem) => {
        this.problem = problem;
        this.set(problem.status === 404 ? 'missing' : problem.slug === 'results-hidden' ? 'hidden' : this.results ? 'reconnecting' : 'connecting');
      },
    });
    this.timer = setInterval(() => this.readTurnout(), TURNOUT_EVERY);
  }

  /** The source of a poll; going from one view of it to another keeps the connection. @param {string} code */
  static of(code) {
    if (current?.code !== code) {
      current?.close();
      current = new Source(code);
    }
    return current;
  }

  static leave() {
    current?.close();
    current = undefined;
  }

  close() {
    this.stop();
    clearInterval(this.timer);
  }

  /** @param {Link} link */
  set(link) {
    if (link === 'hidden') {
      this.results = this.turnout = undefined; // nobody may go on looking at them
      this.readPoll();
    }
    this.link = link;
    refresh();
  }

  /** A snapshot that is older than the one shown is dropped: no count goes back. @param {Results} results */
  take(results) {
    if (this.results && results.version <= this.results.version) return;
    const isFirst = !this.results;
    this.results = results;
    this.link = 'live';
    if (isFirst) this.readTurnout();
    refresh();
  }

  async readPoll() {
    try {
      this.poll = await ask('GET', this.path);
      refresh();
    } catch { /* it is asked for again with the next look at the results */ }
  }

  get title() {
    return this.results?.poll.title ?? this.poll?.title ?? '';
  }

  /** Reads the turnout again, when there is something new in it and somebody looks. */
  async readTurnout() {
    const { results } = this;
    if (!results || document.hidden || this.turnoutVersion === results.version) return;
    const version = results.version;
    try {
      this.turnout = await ask('GET', `${this.path}/timeline?step=${stepFor(results)}`, { headers: this.headers });
      this.turnoutVersion = version;
      refresh();
    } catch { /* the next look may succeed */ }
  }

  /** Saves one of the exports as a file. @param {string} name as `results.csv` */
  async save(name) {
    const response = await send('GET', `${this.path}/${name}`, { headers: { accept: '*/*', ...this.headers }, timeout: 60_000 });
    saveFile(`${this.code}-${name}`, response.headers.get('content-type') ?? 'text/plain', await response.text());
  }
}

/** About a hundred columns, whatever the poll's length. @param {Results} results */
function stepFor({ poll }) {
  const begun = Date.parse(poll.opens_at ?? poll.created_at);
  const ended = Math.min(now(), poll.closes_at ? Date.parse(poll.closes_at) : Infinity);
  const seconds = Number.isFinite(begun) ? Math.max(0, ended - begun) / 1000 : 0;
  return STEPS.find((step) => seconds / step <= 120) ?? STEPS[STEPS.length - 1];
}

/**
 * What opens hidden results: the manage token or a receipt. They come behind the #, which no server sees, and are kept
 * for as long as this tab is open.
 * @param {string} code @returns {Record<string, string>}
 */
function credentials(code) {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ['manage', 'receipt']) {
    const value = given.get(name);
    if (value) forSession.set(`${name}.${code}`, value);
    for (const old of storedNames(`${name}.`)) store(old, null); // earlier versions of this page kept them
  }
  if (given.has('manage') || given.has('receipt')) history.replaceState(history.state, '', location.pathname + location.search);
  const manage = forSession.get(`manage.${code}`), receipt = forSession.get(`receipt.${code}`);
  return { ...(manage && { authorization: `Bearer ${manage}` }), ...(receipt && { 'scrutin-receipt': receipt }) };
}
