// Journey: people vote, and one in ten changes the vote. RATE is visits per second.
// SPDX-License-Identifier: MIT
import { visit } from './lib/ballots.js';
import { bookLedger } from './lib/ledger.js';
import { common, scenario, thresholds } from './lib/profiles.js';
import { summarize } from './lib/summary.js';
import { makePoll } from './lib/target.js';

const RATE = 1000; // unless it is set

export const options = {
  ...common,
  scenarios: { vote: scenario('vote', RATE) },
  thresholds: thresholds({ 'PUT ballot': 500 }),
};

export const setup = () => makePoll('k6: vote');

export function vote({ poll }) {
  visit(poll);
}

export const teardown = ({ poll }) => bookLedger(poll);

export const handleSummary = (data) => summarize('vote', RATE, data);
