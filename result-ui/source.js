// The results of one poll: the newest snapshot, the state of the connection, and the turnout.
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
  /** The poll, while its results are hidden. @type {import('../web/types.js').Poll | undefined} */
  poll;
  /** @type {Turnout | undefined} */
  turnout;
  turnoutVersion = 0; // the version of the results when the turnout was read

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

  /** The source of a poll. All views of the poll share its connection. @param {string} code */
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
      this.results = this.turnout = undefined; // they must disappear from the page
      this.readPoll();
    }
    this.link = link;
    refresh();
  }

  /** Shows a snapshot, unless it is older than the one shown: counts must not go back. @param {Results} results */
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
    } catch { /* the next try to read the results reads the poll again */ }
  }

  get title() {
    return this.results?.poll.title ?? this.poll?.title ?? '';
  }

  /** Reads the turnout again, if there are new results and the page is visible. */
  async readTurnout() {
    const { results } = this;
    if (!results || document.hidden || this.turnoutVersion === results.version) return;
    const version = results.version;
    try {
      this.turnout = await ask('GET', `${this.path}/timeline?step=${stepFor(results)}`, { headers: this.headers });
      this.turnoutVersion = version;
      refresh();
    } catch { /* the timer tries again */ }
  }

  /** Saves one of the exports as a file. @param {string} name such as `results.csv` */
  async save(name) {
    const response = await send('GET', `${this.path}/${name}`, { headers: { accept: '*/*', ...this.headers }, timeout: 60_000 });
    saveFile(`${this.code}-${name}`, response.headers.get('content-type') ?? 'text/plain', await response.text());
  }
}

/** A step that gives about a hundred columns, whatever the length of the poll. @param {Results} results */
function stepFor({ poll }) {
  const begun = Date.parse(poll.opens_at ?? poll.created_at);
  const ended = Math.min(now(), poll.closes_at ? Date.parse(poll.closes_at) : Infinity);
  const seconds = Number.isFinite(begun) ? Math.max(0, ended - begun) / 1000 : 0;
  return STEPS.find((step) => seconds / step <= 120) ?? STEPS[STEPS.length - 1];
}

/**
 * The manage token or the receipt that opens hidden results. They are behind the # of the address, which no server sees,
 * and are kept as long as this tab is open.
 * @param {string} code @returns {Record<string, string>}
 */
function credentials(code) {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ['manage', 'receipt']) {
    const value = given.get(name);
    if (value) forSession.set(`${name}.${code}`, value);
    for (const old of storedNames(`${name}.`)) store(old, null); // earlier versions of this page stored them
  }
  if (given.has('manage') || given.has('receipt')) history.replaceState(history.state, '', location.pathname + location.search);
  const manage = forSession.get(`manage.${code}`), receipt = forSession.get(`receipt.${code}`);
  return { ...(manage && { authorization: `Bearer ${manage}` }), ...(receipt && { 'scrutin-receipt': receipt }) };
}
