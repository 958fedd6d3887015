// The ballots of this device. Each one is kept until the server confirms it, and followed until it is counted.
// kept_ballot.js decides which parts are stored. An open page remembers its own choice until it is closed.
// SPDX-License-Identifier: MIT
//
//   waiting ──202──▶ sent ──receipt──▶ counted, superseded or rejected
//      │ ▲ no network, or server busy: tries again with back-off, and at once when the network is back
//      └─┴──refused for good──▶ refused (the page says why)
//
// A ballot counts once, even if it is sent several times: the device has its voter token before the first try, and a voter
// has one ballot in a poll.
import { Problem, ask, backOff, pause, persist } from '../web/api.js';
import { now } from '../web/clock.js';
import { onStored, store, stored, storeJson, storedJson, storedNames } from '../web/store.js';
import { KEPT_AFTER, endOf, isForgotten, isUnderWay, neededOf } from './kept_ballot.js';

/** @typedef {import('./kept_ballot.js').KeptBallot} KeptBallot */
/** @typedef {import('./kept_ballot.js').Fate} Fate */

const PREFIX = 'ballot.'; // stored names are this and the id of the poll

/** @type {Record<string, KeptBallot>} */
const ballots = {};
/** @type {Set<() => void>} */
const listeners = new Set();
/** Polls whose ballot is being sent or followed. Aborting ends the current wait. @type {Map<string, AbortController>} */
const busy = new Map();

/** Calls `listener` after every change. Returns a function that stops this. @param {() => void} listener */
export function onBallots(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {string} poll */
function changed(poll) {
  storeJson(PREFIX + poll, ballots[poll] ? neededOf(ballots[poll], now()) : null);
  for (const listener of listeners) listener();
}

/** Reads the stored ballot, unless it is older than the one in memory. @param {string} poll */
function read(poll) {
  const kept = /** @type {KeptBallot | null} */ (storedJson(PREFIX + poll, null));
  const known = ballots[poll];
  if (!kept || kept.n < (known?.n ?? 0)) return;
  ballots[poll] = kept.n === known?.n && known.selection ? { ...kept, selection: known.selection } : kept;
}

/** The newest ballot of this device in a poll. @param {string} poll @returns {KeptBallot | undefined} */
export const keptBallot = (poll) => ballots[poll];

/** Stores a ballot and sends it. @param {import('../web/types.js').Poll} shown @param {import('../web/types.js').Selection} selection @param {string} [code] */
export function cast(shown, selection, code) {
  const poll = shown.id;
  const { before: _, ...last } = ballots[poll] ?? {};
  const before = last.state === 'sent' ? /** @type {KeptBallot} */ (last) : ballots[poll]?.before;
  ballots[poll] = { poll, selection, n: (last.n ?? 0) + 1, code, state: 'waiting', tries: 0, before,
    revisable: shown.revisable, castAt: now(), overAt: endOf(shown, now()) };
  changed(poll);
  work(poll);
}

/** Takes from a poll how long its ballot is needed. @param {import('../web/types.js').Poll} shown */
export function heardOfPoll(shown) {
  const ballot = ballots[shown.id];
  const overAt = endOf(shown, now());
  if (!ballot || (ballot.overAt === overAt && ballot.revisable === shown.revisable)) return;
  Object.assign(ballot, { overAt, revisable: shown.revisable });
  if (!busy.has(shown.id)) changed(shown.id);
}

/** Removes a ballot that was refused. The one before it counts. @param {string} poll */
export function forget(poll) {
  const { n, before } = ballots[poll];
  if (before) ballots[poll] = { ...before, n };
  else delete ballots[poll];
  changed(poll);
}

/** All ballots of this device. @returns {KeptBallot[]} */
export const keptBallots = () => Object.values(ballots);

/** When the receipt will be removed, if the end of the poll is known. @param {KeptBallot} ballot */
export const keptUntil = ({ overAt }) => overAt && overAt + KEPT_AFTER;

/** Removes everything about a ballot, whatever its state is. @param {string} poll */
export function drop(poll) {
  delete ballots[poll];
  storeJson(`poll.${poll}`, null);
  changed(poll);
  hurry(poll);
}

/** Ends the wait for the next request. @param {string} poll */
export const hurry = (poll) => busy.get(poll)?.abort();

// --- the voter

/**
 * The voter token of this device. The device gets it before it sends its first ballot. If the token came with the answer
 * to a ballot, and that answer were lost, the second try would come from a new voter.
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

/** Tries once to send a ballot. @param {KeptBallot} ballot */
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

/** Waits until the time is over or hurry() is called. It does not wait if hurry() was called since the last wait. @param {string} poll @param {number} ms */
async function rest(poll, ms) {
  const { signal } = /** @type {AbortController} */ (busy.get(poll));
  if (!signal.aborted) await pause(ms, signal);
  busy.set(poll, new AbortController());
}

/** The receipt is in a header, because proxies log addresses. Characters that no header can have are removed. @param {string} receipt */
const withReceipt = (receipt) => ({ 'scrutin-receipt': receipt.replace(/[^!-~]/g, '') });

/** Asks for the fate of a ballot, less and less often. @param {KeptBallot} ballot @param {number} looks */
async function follow(ballot, looks) {
  await rest(ballot.poll, Math.min(15_000, 250 * 1.6 ** looks) * (0.75 + Math.random() / 2));
  if (ballots[ballot.poll] !== ballot) return;
  try {
    const { state, reason } = await ask('GET', '/v1/receipts', { headers: withReceipt(ballot.receipt ?? '') });
    ballot.fate = state;
    ballot.reason = reason;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (!error.isPassing) ballot.fate = 'counted'; // the server forgets old receipts
  }
  if (ballot.fate !== 'pending') ballot.endedAt = now();
}

/** Runs a task in one tab at a time, if the browser has locks. Two at a time would do no harm. @param {string} poll @param {() => Promise<void>} task */
const alone = (poll, task) => ('locks' in navigator ? navigator.locks.request(`scrutin.${poll}`, task) : task());

/** Starts to send or follow the ballot of a poll. @param {string} poll */
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

/** Sends and follows the newest ballot of a poll until its fate is known. @param {string} poll */
async function finish(poll) {
  let looks = 0;
  read(poll); // another tab may have sent it
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

/** Continues with unfinished ballots now, and each time the network comes back. */
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

/** Removes what is no longer needed. */
async function tidy() {
  store('api-key', null); // earlier versions of this page stored it
  for (const ballot of keptBallots()) {
    ballot.castAt ??= now();
    const needed = neededOf(ballot, now());
    if (needed) ballots[ballot.poll] = needed;
    if (needed) changed(ballot.poll);
    else drop(ballot.poll);
  }
  if (!keptBallots().length) store('voter', null); // so that nobody is recognised by it later
  for (const { poll } of keptBallots().filter((ballot) => isForgotten(ballot, now()))) {
    try {
      heardOfPoll(await ask('GET', `/v1/polls/${encodeURIComponent(poll)}`));
    } catch (error) {
      if (error instanceof Problem && error.slug === 'poll-not-found') drop(poll);
    }
  }
}

/** The fate of a ballot. @param {string} receipt @returns {Promise<{state: Fate, reason?: string}>} */
export const askReceipt = (receipt) => persist(() => ask('GET', '/v1/receipts', { headers: withReceipt(receipt) }), { tries: 3 });
