// With COMPARE=1, k6 itself compares the acknowledged ballots with the poll's ledger. This is for containers, where
// k6/compare.mjs does not run afterwards.
// SPDX-License-Identifier: MIT
import http from 'k6/http';
import { fail, sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { RESULT_URL, named } from './target.js';

const COMPARE = __ENV.COMPARE === '1';
const STILL_S = 10; // twice the time after which result-api reads a poll again if its doorbell was lost

// Each counter must end at 0 or below. missing = acknowledged - ledger; too_many = ledger - (sent - refused).
const balances = ['ballots_missing', 'ballots_too_many', 'voters_missing', 'voters_too_many'];
const balance = Object.fromEntries(balances.map((name) => [name, new Counter(name)]));

function add(side, ballots, voters) {
  if (!COMPARE) return;
  balance[`ballots_${side}`].add(ballots);
  balance[`voters_${side}`].add(voters);
}

/** Counts what happened to ballots, and how many of them were the first ballot of a voter. */
export const bookSent = (ballots, voters) => add('too_many', -ballots, -voters);
export const bookRefused = (ballots, voters) => add('too_many', ballots, voters);
export const bookAcknowledged = (ballots, voters) => add('missing', ballots, voters);

export const comparison = COMPARE ? Object.fromEntries(balances.map((name) => [name, ['count<=0']])) : {};

/** For teardown(): waits until nothing is pending and the ledger no longer changes, then adds the ledger. */
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
