// Journey: people follow event streams while others vote. RATE is new streams per second.
// SPDX-License-Identifier: MIT
//
// k6 without extensions gives an answer to the script only when the answer has ended, so single events cannot be timed.
// In this journey a host hides the results every few seconds and shows them again. When results are hidden, the server
// ends their streams. So every stream is read completely, and holds a connection or an HTTP/2 stream until then.
import { sleep } from 'k6';
import { visit } from './lib/ballots.js';
import { bookLedger } from './lib/ledger.js';
import { common, scenario, thresholds, totalLength } from './lib/profiles.js';
import { holdStream } from './lib/reading.js';
import { summarize } from './lib/summary.js';
import { changePoll, makePoll } from './lib/target.js';

const RATE = 200; // unless it is set

export const options = {
  ...common,
  scenarios: {
    watchers: scenario('watchers', RATE, { holds: 2.5, maxUsers: 5000 }),
    voters: scenario('voters', 100, { share: 0.5 }),
    // Longer than the arrivals, so that the last streams end too.
    host: { executor: 'constant-arrival-rate', exec: 'host', rate: 1, timeUnit: '2s', duration: totalLength(8), preAllocatedVUs: 2, maxVUs: 2 },
  },
  thresholds: thresholds({}, { streams_ended: ['count>0'], stream_events: ['count>0'] }),
};

export const setup = () => makePoll('k6: event stream');

export function watchers({ poll }) {
  holdStream(poll);
}

export function voters({ poll }) {
  visit(poll);
}

export function host(run) {
  sleep(1.2);
  changePoll(run, { results_visibility: 'after_close' });
  sleep(0.3);
  changePoll(run, { results_visibility: 'always' });
}

/** Ends the last streams and shows the results again, so that the comparison can read them. */
export function teardown(run) {
  changePoll(run, { results_visibility: 'always' });
  bookLedger(run.poll);
}

export const handleSummary = (data) => summarize('stream', RATE, data);
