// Which parts of a ballot this device keeps, and for how long. Pure: no page, no server.
// SPDX-License-Identifier: MIT
import { isOver } from './poll_state.js';

/** @typedef {'waiting' | 'sent' | 'refused'} BallotState */
/** @typedef {'pending' | 'counted' | 'superseded' | 'rejected'} Fate */

/**
 * @typedef {object} KeptBallot
 * @property {string} poll
 * @property {import('../web/types.js').Selection} [selection] as long as it is needed
 * @property {number} n counts the ballots of this device in this poll; a later ballot replaces an earlier one
 * @property {string} [code] the voting code, if the poll needs one
 * @property {BallotState} state
 * @property {number} tries how many requests have failed
 * @property {number} [nextAt] when the next request follows; like all times here in ms since 1970 by the server's clock
 * @property {string} [problem] the problem type, when it waits or was refused
 * @property {string} [detail] what the server said about a refusal, in English
 * @property {string} [receipt]
 * @property {Fate} [fate]
 * @property {string} [reason] of a rejection
 * @property {KeptBallot} [before] the last ballot that the server accepted; it counts if this one is refused
 * @property {boolean} [revisable] whether the vote can be changed
 * @property {number} [castAt]
 * @property {number} [endedAt] when this device learned the fate
 * @property {number} [overAt] when the poll ends, or has ended
 */

const DAY = 86_400_000;
export const KEPT_AFTER = 30 * DAY; // for receipt and voting code, after the end of the poll
const CHOICE_KEPT = DAY; // for a vote that can be changed, or that was refused

/** Whether the ballot must still be sent or followed. @param {KeptBallot} ballot */
export const isUnderWay = (ballot) => ballot.state === 'waiting' || (ballot.state === 'sent' && ballot.fate === 'pending');

/** Whether the choice is still needed, to send, count or change it. @param {KeptBallot} ballot @param {number} at */
function needsChoice(ballot, at) {
  if (isUnderWay(ballot)) return true;
  const isRecent = at < (ballot.endedAt ?? ballot.castAt ?? at) + CHOICE_KEPT;
  if (ballot.state === 'refused') return isRecent;
  return isRecent && Boolean(ballot.revisable) && at < (ballot.overAt ?? Infinity);
}

/** The parts of a ballot that are needed at a time, or null. @param {KeptBallot} ballot @param {number} at @returns {KeptBallot | null} */
export function neededOf(ballot, at) {
  if (!isUnderWay(ballot) && at >= (ballot.overAt ?? Infinity) + KEPT_AFTER) return null;
  if (needsChoice(ballot, at)) return ballot;
  if (ballot.state === 'refused') return ballot.before ? { ...ballot.before, n: ballot.n } : null;
  const { selection: _, before: __, ...rest } = ballot;
  return rest;
}

/** Whether nobody has looked for so long that the poll may have ended since then. @param {KeptBallot} ballot @param {number} at */
export const isForgotten = (ballot, at) => !isUnderWay(ballot) && ballot.overAt === undefined && at >= (ballot.castAt ?? at) + KEPT_AFTER;

/** When a poll ends or has ended, if that is known. @param {import('../web/types.js').Poll} poll @param {number} at */
export function endOf(poll, at) {
  if (isOver(poll)) return Math.min(at, Date.parse(poll.closes_at ?? poll.updated_at ?? '') || at);
  return poll.closes_at ? Date.parse(poll.closes_at) : undefined;
}
