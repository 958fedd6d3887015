// Journey: people vote, and one in ten changes their mind. RATE is visits a second.
// SPDX-License-Identifier: MIT
import { visit } from './lib/ballots.js';
import { common, scenario, thresholds } from './lib/profiles.js';
import { summarize } from './lib/summary.js';
import { makePoll } from './lib/target.js';

export const options = {
  ...common,
  scenarios: { vote: scenario('vote', 1000) },
  thresholds: thresholds({ 'PUT ballot': 500 }),
};

export const setup = () => makePoll('k6: vote');

export function vote({ poll }) {
  visit(poll);
}

export const handleSummary = (data) => summarize('vote', data);
