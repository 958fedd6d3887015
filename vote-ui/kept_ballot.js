// What this device keeps of a ballot, and for how long. Pure: no page, no server.
// SPDX-License-Identifier: MIT
import { isOver } from './poll_state.js';

/** @typedef {'waiting' | 'sent' | 'refused'} BallotState */
/** @typedef {'pending' | 'counted' | 'superseded' | 'rejected'} Fate */

/**
 * @typedef {object} KeptBallot
 * @property {string} poll
 * @property {import('../web/types.js').Selection} [selection] as long as it is needed
 * @property {number} n which of this device's ballots in this poll; a later one takes the place of an earlier
 * @property {string} [code] the voting code, where the poll wants one
 * @property {BallotState} state
 * @property {number} tries how often the server was asked in vain
 * @property {number} [nextAt] when it will be asked again; this and all that follow in ms since 1970 by the server's clock
 * @property {string} [problem] the problem type, when it waits or was refused
 * @property {string} [detail] what the server said about a refusal, in English
 * @property {string} [receipt]
 * @property {Fate} [fate]
 * @property {string} [reason] of a rejection
 * @property {KeptBallot} [before] the last one that the server took, should this one be refused
 * @property {boolean} [revisable] whether the vote can be changed
 * @property {number} [castAt]
 * @property {number} [endedAt] when its fate was heard
 * @property {number} [overAt] when the poll ends, or has ended
 */

const DAY = 86_400_000;
export const KEPT_AFTER = 30 * DAY; // receipt and voting code, after the end of the poll
const CHOICE_KEPT = DAY; // of a vote that can be changed, or was refused

/** Whether there is still something to do for it. @param {KeptBallot} ballot */
export const isUnderWay = (ballot) => ballot.state === 'waiting' || (ballot.state === 'sent' && ballot.fate === 'pending');

/** Whether the choice is still needed: to be sent, to be counted, or to be changed. @param {KeptBallot} ballot @param {number} at */
function needsChoice(ballot, at) {
  if (isUnderWay(ballot)) return true;
  const isRecent = at < (ballot.endedAt ?? ballot.castAt ?? at) + CHOICE_KEPT;
  if (ballot.state === 'refused') return isRecent;
  return isRecent && Boolean(ballot.revisable) && at < (ballot.overAt ?? Infinity);
}

/** What is needed of a ballot at a time; null: nothing any more. @param {KeptBallot} ballot @param {number} at @returns {KeptBallot | null} */
export function neededOf(ballot, at) {
  if (!isUnderWay(ballot) && at >= (ballot.overAt ?? Infinity) + KEPT_AFTER) return null;
  if (needsChoice(ballot, at)) return ballot;
  if (ballot.state === 'refused') return ballot.before ? { ...ballot.before, n: ballot.n } : null;
  const { selection: _, before: __, ...rest } = ballot;
  return rest;
}

/** Whether nobody has looked for so long that the poll may have ended without us. @param {KeptBallot} ballot @param {number} at */
export const isForgotten = (ballot, at) => !isUnderWay(ballot) && ballot.overAt === undefined && at >= (ballot.castAt ?? at) + KEPT_AFTER;

/** When a poll ends or has ended, as far as one knows. @param {import('../web/types.js').Poll} poll @param {number} at */
export function endOf(poll, at) {
  if (isOver(poll)) return Math.min(at, Date.parse(poll.closes_at ?? poll.updated_at ?? '') || at);
  return poll.closes_at ? Date.parse(poll.closes_at) : undefined;
}
