// Casts ballots and counts what happened to each. At the end, these counters are compared with the database.
// SPDX-License-Identifier: MIT
import { check } from 'k6';
import { Counter } from 'k6/metrics';
import exec from 'k6/execution';
import { bookAcknowledged, bookRefused, bookSent } from './ledger.js';
import { API_KEY, OPTIONS, VOTE_URL, checkProtocol, sendJson } from './target.js';

// sent = acknowledged + refused + unknown. A ballot is unknown after a 5xx, without an answer, or when its iteration was
// cut short: it may be in the database or not.
const counters = (what, book) => {
  const [ballots, voters] = [new Counter(`ballots_${what}`), new Counter(`voters_${what}`)];
  return (nBallots, nVoters) => {
    ballots.add(nBallots);
    voters.add(nVoters);
    book(nBallots, nVoters);
  };
};
const countSent = counters('sent', bookSent);
const countAcknowledged = counters('acknowledged', bookAcknowledged);
const countRefused = counters('refused', bookRefused);

export const randomOption = () => OPTIONS[Math.floor(Math.random() * OPTIONS.length)];

function book(answer, ballots, voters) {
  checkProtocol(answer);
  check(answer, { 'ballot is acknowledged': ({ status }) => status === 202, 'ballot is not limited (RATE_LIMITS=off)': ({ status }) => status !== 429 });
  if (answer.status === 202) countAcknowledged(ballots, voters);
  else if (answer.status >= 400 && answer.status < 500) countRefused(ballots, voters);
  return answer.status === 202;
}

/** Casts one ballot. A sender without a cookie is a new voter and gets a cookie, which the jar of this iteration keeps.
 *  So the first ballot of an iteration has `isNew`, and the others replace it. */
export function castBallot(poll, isNew) {
  countSent(1, isNew ? 1 : 0);
  const answer = sendJson('PUT', `${VOTE_URL}/v1/polls/${poll}/ballot`, 'PUT ballot', { selection: [randomOption()] });
  book(answer, 1, isNew ? 1 : 0);
  return answer.status === 202 ? answer.json('receipt') : null;
}

/** A gateway's request with the ballots of n new voters. */
export function castMany(poll, n) {
  const prefix = `${exec.scenario.name}-${exec.scenario.iterationInTest}`;
  const ballots = Array.from({ length: n }, (_, i) => ({ voter: `${prefix}-${i}`, selection: [randomOption()] }));
  countSent(n, n);
  const answer = sendJson('POST', `${VOTE_URL}/v1/polls/${poll}/ballots`, 'POST ballots', { ballots }, API_KEY);
  return book(answer, n, n);
}

/** A voter's visit, one per iteration: casts a ballot, and in one of ten visits a second one. Returns the last receipt. */
export function visit(poll) {
  const receipt = castBallot(poll, true);
  return receipt && Math.random() < 0.1 ? castBallot(poll, false) || receipt : receipt;
}
