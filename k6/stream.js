// Journey: people hold event streams while others vote. RATE is new streams a second.
// SPDX-License-Identifier: MIT
//
// k6 without extensions gives an answer only when it has ended, so events cannot be timed one by one. Here a host ends
// the streams: it hides the results every few seconds and shows them again, and the server ends a stream that may no
// longer be seen. So every stream is read whole, and is one connection or HTTP/2 stream for as long.
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
    // Beyond the last arrival, so that the last streams are ended too.
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

/** The last streams end with the run, and the comparison may read the results. */
export function teardown(run) {
  changePoll(run, { results_visibility: 'always' });
  bookLedger(run.poll);
}

export const handleSummary = (data) => summarize('stream', RATE, data);
