// COMPARE=1: k6 itself holds what it saw acknowledged against the poll's ledger, where no k6/compare.mjs follows, as in a container.
// SPDX-License-Identifier: MIT
import http from 'k6/http';
import { fail, sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { RESULT_URL, named } from './target.js';

const COMPARE = __ENV.COMPARE === '1';
const STILL_S = 10; // twice as long as result-api needs to read a poll again whose doorbell was lost

// Each must end at 0 or below: a run adds what it sees on one side, and in the end the ledger is added on the other.
const balances = ['ballots_missing', 'ballots_too_many', 'voters_missing', 'voters_too_many'];
const balance = Object.fromEntries(balances.map((name) => [name, new Counter(name)]));

function add(side, ballots, voters) {
  if (!COMPARE) return;
  balance[`ballots_${side}`].add(ballots);
  balance[`voters_${side}`].add(voters);
}

/** What became of ballots, and of those voters whose first one it was. */
export const bookSent = (ballots, voters) => add('too_many', -ballots, -voters);
export const bookRefused = (ballots, voters) => add('too_many', ballots, voters);
export const bookAcknowledged = (ballots, voters) => add('missing', ballots, voters);

export const comparison = COMPARE ? Object.fromEntries(balances.map((name) => [name, ['count<=0']])) : {};

/** For teardown(): adds the ledger, once nothing is pending and it has stood still. */
export function bookLedger(poll) {
  if (!COMPARE) return;
  const url = `${RESULT_URL}/v1/polls/${poll}/results`;
  let ledger, still = 0;
  for (let tries = 0; still < STILL_S; tries++) {
    if (tries === 150) fail(`${url}: not settled: ${JSON.stringify(ledger)}`);
    sleep(1);
    const answer = http.get(url, named('GET ledger', { responseCallback: null }));
    const now = answer.status === 200 ? answer.json('ledger') : null;
    still = now && now.pending === 0 && ledger && now.received === ledger.received ? still + 1 : 0;
    ledger = now;
  }
  add('missing', -ledger.received, -ledger.counted);
  add('too_many', ledger.received, ledger.counted);
}
