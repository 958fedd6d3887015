// Journey: votes, a gateway, results and receipts at the same time. RATE is visits per second.
// SPDX-License-Identifier: MIT
import { castMany, visit } from './lib/ballots.js';
import { bookLedger } from './lib/ledger.js';
import { common, scenario, thresholds } from './lib/profiles.js';
import { readReceipt, readResults } from './lib/reading.js';
import { summarize } from './lib/summary.js';
import { makePoll } from './lib/target.js';

const RATE = 500; // unless it is set

export const options = {
  ...common,
  scenarios: {
    vote: scenario('vote', RATE),
    bulk: scenario('bulk', 10, { share: 0.02, maxUsers: 200 }),
    results: scenario('results', 1000, { share: 2 }),
  },
  thresholds: thresholds({ 'PUT ballot': 500, 'POST ballots': 1000, 'GET results': 300 }),
};

export const setup = () => makePoll('k6: mixed');

export function vote({ poll }) {
  const receipt = visit(poll);
  if (receipt && Math.random() < 0.2) readReceipt(receipt);
}

export function bulk({ poll }) {
  castMany(poll, 100);
}

export function results({ poll }) {
  readResults(poll);
}

export const teardown = ({ poll }) => bookLedger(poll);

export const handleSummary = (data) => summarize('mixed', RATE, data);
