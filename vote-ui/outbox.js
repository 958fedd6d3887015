// The ballots of this device: kept until the server has confirmed them, then followed until they are counted. What is
// stored of them is what kept_ballot.js says is needed; an open page knows its own choice for as long as it is open.
// SPDX-License-Identifier: MIT
//
//   waiting ──202──▶ sent ──receipt──▶ counted, superseded or rejected
//      │ ▲ no network, busy: back-off with jitter, and at once when the network is back
//      └─┴──refused for good──▶ refused (the page says why)
//
// A ballot is cast once however often it is sent: the voter is known before the first try, and has one ballot in a poll.
import { Problem, ask, backOff, pause, persist } from '../web/api.js';
import { now } from '../web/clock.js';
import { onStored, store, stored, storeJson, storedJson, storedNames } from '../web/store.js';
import { KEPT_AFTER, endOf, isForgotten, isUnderWay, neededOf } from './kept_ballot.js';

/** @typedef {import('./kept_ballot.js').KeptBallot} KeptBallot */
/** @typedef {import('./kept_ballot.js').Fate} Fate */

const PREFIX = 'ballot.'; // of the names under which ballots are stored, one for each poll

/** @type {Record<string, KeptBallot>} */
const ballots = {};
/** @type {Set<() => void>} */
const listeners = new Set();
/** Polls whose ballot is being dealt with, and how to wake whoever waits there. @type {Map<string, AbortController>} */
const busy = new Map();

/** Calls back after every change; gives the function that ends it. @param {() => void} listener */
export function onBallots(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {string} poll */
function changed(poll) {
  storeJson(PREFIX + poll, ballots[poll] ? neededOf(ballots[poll], now()) : null);
  for (const listener of listeners) listener();
}

/** Takes over what is stored, unless it is older than what we have. @param {string} poll */
function read(poll) {
  const kept = /** @type {KeptBallot | null} */ (storedJson(PREFIX + poll, null));
  const known = ballots[poll];
  if (!kept || kept.n < (known?.n ?? 0)) return;
  ballots[poll] = kept.n === known?.n && known.selection ? { ...kept, selection: known.selection } : kept;
}

/** The newest ballot of this device in a poll. @param {string} poll @returns {KeptBallot | undefined} */
export const keptBallot = (poll) => ballots[poll];

/** Keeps a ballot and sends it. @param {import('../web/types.js').Poll} shown @param {import('../web/types.js').Selection} selection @param {string} [code] */
export function cast(shown, selection, code) {
  const poll = shown.id;
  const { before: _, ...last } = ballots[poll] ?? {};
  const before = last.state === 'sent' ? /** @type {KeptBallot} */ (last) : ballots[poll]?.before;
  ballots[poll] = { poll, selection, n: (last.n ?? 0) + 1, code, state: 'waiting', tries: 0, before,
    revisable: shown.revisable, castAt: now(), overAt: endOf(shown, now()) };
  changed(poll);
  work(poll);
}

/** Notes what is now known of a poll: how long its ballot is needed. @param {import('../web/types.js').Poll} shown */
export function heardOfPoll(shown) {
  const ballot = ballots[shown.id];
  const overAt = endOf(shown, now());
  if (!ballot || (ballot.overAt === overAt && ballot.revisable === shown.revisable)) return;
  Object.assign(ballot, { overAt, revisable: shown.revisable });
  if (!busy.has(shown.id)) changed(shown.id);
}

/** Forgets a ballot that was refused; the one before it stands. @param {string} poll */
export function forget(poll) {
  const { n, before } = ballots[poll];
  if (before) ballots[poll] = { ...before, n };
  else delete ballots[poll];
  changed(poll);
}

/** All that this device has. @returns {KeptBallot[]} */
export const keptBallots = () => Object.values(ballots);

/** Until when its receipt is kept, where one knows when the poll ends. @param {KeptBallot} ballot */
export const keptUntil = ({ overAt }) => overAt && overAt + KEPT_AFTER;

/** Keeps nothing more of a ballot, whatever became of it. @param {string} poll */
export function drop(poll) {
  delete ballots[poll];
  storeJson(`poll.${poll}`, null);
  changed(poll);
  hurry(poll);
}

/** Asks at once instead of waiting. @param {string} poll */
export const hurry = (poll) => busy.get(poll)?.abort();

// --- who votes

/**
 * This device's voter token. It is asked for before the first ballot leaves: were it to come with the answer, an answer
 * that got lost would make the second try another voter's.
 */
async function voterToken() {
  const known = stored('voter');
  if (known) return known;
  const { token } = await ask('POST', '/v1/voters', { body: {} });
  const meanwhile = stored('voter'); // another tab was faster
  if (meanwhile) return meanwhile;
  store('voter', token);
  return token;
}

// --- sending

/** One try. @param {KeptBallot} ballot */
async function send(ballot) {
  const token = ballot.code ?? await voterToken();
  const answer = await ask('PUT', `/v1/polls/${encodeURIComponent(ballot.poll)}/ballot`,
    { body: { selection: ballot.selection }, token });
  ballot.state = 'sent';
  ballot.receipt = answer.receipt;
  ballot.fate = 'pending';
  delete ballot.before;
  delete ballot.problem;
  delete ballot.nextAt;
}

/** @param {KeptBallot} ballot @param {Problem} problem */
async function failed(ballot, problem) {
  ballot.problem = problem.slug;
  if (!problem.isPassing) {
    ballot.state = 'refused';
    ballot.detail = problem.message;
    ballot.endedAt = now();
    return;
  }
  const wait = backOff(ballot.tries++, problem.retryAfter);
  ballot.nextAt = now() + wait;
  changed(ballot.poll);
  await rest(ballot.poll, wait);
}

/** Waits until somebody is in a hurry; not at all if they were already, since the last time. @param {string} poll @param {number} ms */
async function rest(poll, ms) {
  const { signal } = /** @type {AbortController} */ (busy.get(poll));
  if (!signal.aborted) await pause(ms, signal);
  busy.set(poll, new AbortController());
}

/** In a header, because proxies write addresses down. A header has no other characters than these; nor has a receipt. @param {string} receipt */
const withReceipt = (receipt) => ({ 'scrutin-receipt': receipt.replace(/[^!-~]/g, '') });

/** Asks what became of a ballot, less and less often. @param {KeptBallot} ballot @param {number} looks */
async function follow(ballot, looks) {
  await rest(ballot.poll, Math.min(15_000, 250 * 1.6 ** looks) * (0.75 + Math.random() / 2));
  if (ballots[ballot.poll] !== ballot) return;
  try {
    const { state, reason } = await ask('GET', '/v1/receipts', { headers: withReceipt(ballot.receipt ?? '') });
    ballot.fate = state;
    ballot.reason = reason;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (!error.isPassing) ballot.fate = 'counted'; // a receipt that is no longer known was long ago
  }
  if (ballot.fate !== 'pending') ballot.endedAt = now();
}

/** In one tab at a time, where the browser can tell; two would do no harm. @param {string} poll @param {() => Promise<void>} task */
const alone = (poll, task) => ('locks' in navigator ? navigator.locks.request(`scrutin.${poll}`, task) : task());

/** Sees to the ballot of a poll. @param {string} poll */
async function work(poll) {
  if (busy.has(poll)) {
    hurry(poll);
    return;
  }
  busy.set(poll, new AbortController());
  try {
    await alone(poll, () => finish(poll));
  } finally {
    busy.delete(poll);
  }
}

/** Brings the newest ballot of a poll to its end. @param {string} poll */
async function finish(poll) {
  let looks = 0;
  read(poll); // another tab may have done it meanwhile
  for (let ballot = ballots[poll]; ballot && isUnderWay(ballot); ballot = ballots[poll]) {
    if (ballot.state === 'sent') {
      await follow(ballot, looks++);
    } else {
      try {
        await send(ballot);
        looks = 0;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (ballots[poll] === ballot) await failed(ballot, error);
      }
    }
    if (ballots[poll] === ballot) changed(poll);
  }
}

/** Takes up what was left, now and whenever the network comes back. */
export function startOutbox() {
  const all = () => {
    for (const ballot of Object.values(ballots)) if (isUnderWay(ballot)) work(ballot.poll);
  };
  for (const name of storedNames(PREFIX)) read(name.slice(PREFIX.length));
  tidy();
  onStored(PREFIX, (name) => {
    const poll = name.slice(PREFIX.length);
    if (stored(name) === null) { // removed in another tab
      delete ballots[poll];
      hurry(poll);
    } else if (!busy.has(poll) || storedJson(name, { n: 0 }).n > (ballots[poll]?.n ?? 0)) {
      read(poll);
    }
    for (const listener of listeners) listener();
  });
  addEventListener('online', all);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) all();
  });
  all();
}

/** Lets go of what is no longer needed. */
async function tidy() {
  store('api-key', null); // earlier versions of this page kept it
  for (const ballot of keptBallots()) {
    ballot.castAt ??= now();
    const needed = neededOf(ballot, now());
    if (needed) ballots[ballot.poll] = needed;
    if (needed) changed(ballot.poll);
    else drop(ballot.poll);
  }
  if (!keptBallots().length) store('voter', null); // nobody is to be recognised by it any more
  for (const { poll } of keptBallots().filter((ballot) => isForgotten(ballot, now()))) {
    try {
      heardOfPoll(await ask('GET', `/v1/polls/${encodeURIComponent(poll)}`));
    } catch (error) {
      if (error instanceof Problem && error.slug === 'poll-not-found') drop(poll);
    }
  }
}

/** What became of a ballot, for the page that checks receipts. @param {string} receipt @returns {Promise<{state: Fate, reason?: string}>} */
export const askReceipt = (receipt) => persist(() => ask('GET', '/v1/receipts', { headers: withReceipt(receipt) }), { tries: 3 });
