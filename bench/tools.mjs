// The programs that make load or drive a ceiling, and the sums that are done with what they print.
// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { buildDir, run, sleep } from './instance.mjs';

const tool = (name) => `${buildDir}/bench/${name}`;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** Takes each of the works in turn, `rounds` times, so that what the machine does meanwhile meets all alike. */
export async function interleave(rounds, ...works) {
  const results = works.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) results[i].push(await work());
  }
  return results;
}

/** Sends ballots with bench/load; options as in its usage. */
export async function load(port, poll, options) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return JSON.parse(await run(tool('load'), ['--port', String(port), '--poll', poll.id, ...args]));
}

/** Sends requests as fast as h2load can: 64 connections of 32 streams. Counts what was answered with 2xx. */
export async function h2load(port, poll, requests, headers = []) {
  const body = `${tmpdir()}/scrutin-bench-${process.pid}.json`;
  writeFileSync(body, '{"selection":["cats"]}');
  const all = [':method: PUT', 'content-type: application/json', ...headers];
  const url = `http://127.0.0.1:${port}/v1/polls/${poll.id}/ballot`;
  const output = await run('h2load', ['-n', String(requests), '-c', '64', '-m', '32', '-d', body, ...all.flatMap((line) => ['-H', line]), url]);
  const [, time, unit] = /finished in ([\d.]+)(m?s)/.exec(output);
  const accepted = Number(/status codes: (\d+) 2xx/.exec(output)[1]);
  return { accepted, rate: accepted / (unit === 'ms' ? time / 1000 : Number(time)) };
}

/** Runs work(port) while bench/fixed_reply answers there. */
export async function withFixedReply(port, loops, work) {
  const child = spawn(tool('fixed_reply'), [String(port), String(loops)], { stdio: 'inherit' });
  try {
    await sleep(300);
    return await work(port);
  } finally {
    child.kill();
  }
}

/** One message after the other into JetStream, each acknowledged. */
export async function publishCeiling(system, bytes, seconds) {
  return JSON.parse(await run(tool('publish_ceiling'), [system.env.NATS_URL, String(bytes), String(seconds)]));
}

/** The worker's upsert straight from SQL, with as many connections as there are workers. voters = 0: new ones. */
export async function upsertCeiling(system, poll, rows, seconds, voters = 0) {
  const env = { ...system.env, PGUSER: 'scrutin_worker' };
  const args = [poll.key, system.workers, rows, seconds, voters].map(String);
  return JSON.parse(await run(tool('upsert_ceiling'), args, { env }));
}
