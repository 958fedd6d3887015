// Journey: a gateway with an API key sends 100 ballots in each request. RATE is requests per second.
// SPDX-License-Identifier: MIT
import { castMany } from './lib/ballots.js';
import { bookLedger } from './lib/ledger.js';
import { common, scenario, thresholds } from './lib/profiles.js';
import { summarize } from './lib/summary.js';
import { makePoll } from './lib/target.js';

const RATE = 100; // unless it is set

export const options = {
  ...common,
  scenarios: { bulk: scenario('bulk', RATE, { maxUsers: 400 }) },
  thresholds: thresholds({ 'POST ballots': 1000 }),
};

export const setup = () => makePoll('k6: bulk');

export function bulk({ poll }) {
  castMany(poll, 100);
}

export const teardown = ({ poll }) => bookLedger(poll);

export const handleSummary = (data) => summarize('bulk', RATE, data);
