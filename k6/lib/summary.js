// The output of a run: a few lines to read, and a file with all figures.
// SPDX-License-Identifier: MIT
import { PROFILE, reached } from './profiles.js';

const count = (metrics, name) => (metrics[name] ? metrics[name].values.count : 0);

/** For handleSummary: writes the run's poll and k6's own figures to the file SUMMARY (default summary.json). `perSecond`
 *  is the rate of the journey without RATE. */
export function summarize(journey, perSecond, data) {
  const { metrics } = data;
  const { poll } = data.setup_data || {};
  const ballots = {
    sent: count(metrics, 'ballots_sent'), acknowledged: count(metrics, 'ballots_acknowledged'), refused: count(metrics, 'ballots_refused'),
  };
  const voters = {
    sent: count(metrics, 'voters_sent'), acknowledged: count(metrics, 'voters_acknowledged'), refused: count(metrics, 'voters_refused'),
  };
  const failed = Object.entries(metrics).flatMap(([name, { thresholds }]) =>
    Object.entries(thresholds || {}).filter(([, { ok }]) => !ok).map(([threshold]) => `${name} ${threshold}`));
  const lines = [`${journey}, ${PROFILE}: poll ${poll}`, `  ballots ${JSON.stringify(ballots)}, voters ${JSON.stringify(voters)}`];
  for (const [name, { type, values }] of Object.entries(metrics).sort()) {
    if (type === 'trend' && /^(http_req_duration|stream_)/.test(name)) {
      lines.push(`  ${name}: median ${values.med.toFixed(1)} ms, p99 ${values['p(99)'].toFixed(1)} ms, max ${values.max.toFixed(1)} ms`);
    } else if (/^(checks|http_reqs|iterations|dropped_iterations|stream_events|streams_ended)$/.test(name)) {
      lines.push(`  ${name}: ${JSON.stringify(values)}`);
    }
  }
  if (metrics.ballots_missing) {
    const unequal = failed.some((line) => /^(ballots|voters)_(missing|too_many) /.test(line));
    lines.push(`  ballots and voters, and those of the ledger: ${unequal ? 'NOT EQUAL' : 'equal'}`);
  }
  const rate = PROFILE === 'breakpoint' ? reached(perSecond, data.state.testRunDurationMs) : undefined;
  if (rate !== undefined) lines.push(`  ${failed.length > 0 ? 'broke at' : 'did not break up to'} ${rate} arrivals a second`);
  for (const threshold of failed) lines.push(`  threshold crossed: ${threshold}`);
  const file = { journey, profile: PROFILE, poll, ballots, voters, reached: rate, crossed: failed, checks: data.root_group, metrics };
  return { stdout: `${lines.join('\n')}\n`, [__ENV.SUMMARY || 'summary.json']: `${JSON.stringify(file, null, 2)}\n` };
}
