// Journey: many clients read the result of a poll while some people vote. RATE is requests per second.
// SPDX-License-Identifier: MIT
import { visit } from './lib/ballots.js';
import { bookLedger } from './lib/ledger.js';
import { common, scenario, thresholds } from './lib/profiles.js';
import { readReceipt, readResults } from './lib/reading.js';
import { summarize } from './lib/summary.js';
import { makePoll } from './lib/target.js';

const RATE = 2000; // unless it is set

export const options = {
  ...common,
  scenarios: { results: scenario('results', RATE), voters: scenario('voters', 100, { share: 0.05 }) },
  thresholds: thresholds({ 'GET results': 300, 'GET receipt': 500 }),
};

export const setup = () => makePoll('k6: results');

export function results({ poll }) {
  readResults(poll);
}

export function voters({ poll }) {
  const receipt = visit(poll);
  if (receipt) readReceipt(receipt);
}

export const teardown = ({ poll }) => bookLedger(poll);

export const handleSummary = (data) => summarize('results', RATE, data);
