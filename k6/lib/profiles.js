// The profiles of load, as scenarios with arrival rates. As with people, slow answers do not slow down the arrivals.
// SPDX-License-Identifier: MIT
import { comparison } from './ledger.js';

export const PROFILE = __ENV.PROFILE || 'smoke';

const seconds = (text) => {
  const parts = /^(\d+)(s|m|h)$/.exec(text);
  if (!parts) throw new Error(`DURATION=${text}: a number and s, m or h, such as 90s`);
  return Number(parts[1]) * { s: 1, m: 60, h: 3600 }[parts[2]];
};

// Each profile maps a length in seconds to steps: [target as a multiple of the journey's rate, seconds to get there].
const SHAPES = {
  smoke: { length: '5s', rate: 0.02, stages: (s) => [[1, 0], [1, s]] },
  load: { length: '5m', rate: 1, stages: (s) => [[1, s / 10], [1, s], [0, s / 10]] },
  stress: { length: '8m', rate: 1, stages: (s) => [1, 2, 3, 4].flatMap((n) => [[n, 5], [n, s / 4]]) },
  spike: { length: '1m', rate: 1, stages: (s) => [[0.25, 0], [0.25, s], [4, 3], [4, s], [0.25, 3], [0.25, s]] },
  soak: { length: '2h', rate: 0.5, stages: (s) => [[1, Math.min(30, s / 4)], [1, s], [0, Math.min(30, s / 4)]] },
  breakpoint: { length: '20m', rate: 1, stages: (s) => [[20, s]] },
};

function shape() {
  const { length, rate, stages } = SHAPES[PROFILE] || {};
  if (!stages) throw new Error(`PROFILE=${PROFILE}: one of ${Object.keys(SHAPES).join(', ')}`);
  return { rate, stages: stages(seconds(__ENV.DURATION || length)) };
}

const arrivals = (perSecond, share) => Math.max(1, Math.round(__ENV.RATE ? Number(__ENV.RATE) * share : perSecond * shape().rate));

/** A scenario that calls `exec` `perSecond` times a second in the chosen profile, or RATE × `share` times if RATE is set.
 *  `holds` is the number of seconds that an iteration may take. It decides how many users are created before the first
 *  arrival, because k6 drops an arrival for which no user exists yet. */
export function scenario(exec, perSecond, { share = 1, holds = 0.5, maxUsers = 2000 } = {}) {
  const { stages } = shape();
  const rate = arrivals(perSecond, share);
  const peak = rate * Math.max(...stages.map(([n]) => n));
  return {
    executor: 'ramping-arrival-rate', exec, timeUnit: '1s', gracefulStop: '35s', startRate: stages[0][1] === 0 ? Math.round(rate * stages[0][0]) : 1,
    preAllocatedVUs: Math.min(maxUsers, Math.ceil(peak * holds) + 5), maxVUs: maxUsers,
    stages: stages.filter(([, s]) => s > 0).map(([n, s]) => ({ target: Math.round(rate * n), duration: `${Math.max(1, Math.round(s))}s` })),
    tags: { profile: PROFILE },
  };
}

/** The arrivals per second that the profile breakpoint has reached after `ms` milliseconds. */
export function reached(perSecond, ms) {
  const [[most, length]] = shape().stages;
  return Math.round(arrivals(perSecond, 1) * most * Math.min(1, ms / 1000 / length));
}

/** The length of the profile plus `more` seconds, for scenarios that run beside the load. */
export function totalLength(more) {
  return `${Math.ceil(shape().stages.reduce((sum, [, s]) => sum + s, more))}s`;
}

/** The thresholds of all journeys and of this one. `latencies` has the p(99) in ms by route: `{'PUT ballot': 500}`. Smoke
 *  ignores latency, so that a slow machine passes. Breakpoint ends at the first threshold that is crossed. */
export function thresholds(latencies, more = {}) {
  const abort = (threshold) => (PROFILE === 'breakpoint' ? { threshold, abortOnFail: true, delayAbortEval: '10s' } : threshold);
  const all = { checks: [abort(PROFILE === 'smoke' ? 'rate==1' : 'rate>0.999')], http_req_failed: [abort(PROFILE === 'smoke' ? 'rate==0' : 'rate<0.001')], ...comparison, ...more };
  if (PROFILE === 'smoke') return all;
  for (const [name, ms] of Object.entries(latencies)) all[`http_req_duration{name:${name}}`] = [abort(`p(99)<${ms}`)];
  if (PROFILE === 'breakpoint') all.dropped_iterations = [abort('rate<10')]; // all users wait for answers
  if (PROFILE === 'load' || PROFILE === 'soak') all.dropped_iterations = ['count==0'];
  return all;
}

export const common = {
  insecureSkipTLSVerify: __ENV.INSECURE === '1', // certificates of tests are self-signed
  summaryTrendStats: ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max'],
  setupTimeout: '30s',
  teardownTimeout: '180s',
};
