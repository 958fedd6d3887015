// The programs that make load or measure a ceiling, and the calculations with their output.
// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
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

/** Runs the works in turns, `rounds` times, so that other activity of the machine affects all of them alike. */
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

/** Sends requests as fast as h2load can: 64 connections of 32 streams. Counts the 2xx answers. */
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

/** Publishes one message after the other to JetStream, and waits for each acknowledgement. */
export async function publishCeiling(system, bytes, seconds) {
  return JSON.parse(await run(tool('publish_ceiling'), [system.env.NATS_URL, String(bytes), String(seconds)]));
}

/** The worker's upsert straight from SQL, with as many connections as workers. voters = 0: all voters are new. */
export async function upsertCeiling(system, poll, rows, seconds, voters = 0) {
  const env = { ...system.env, PGUSER: 'scrutin_worker' };
  const args = [poll.key, system.workers, rows, seconds, voters].map(String);
  return JSON.parse(await run(tool('upsert_ceiling'), args, { env }));
}

/** The report of perf about the middle of the next seconds, as text; "" if perf is not installed. */
export async function hotFunctions(system, seconds) {
  const data = `${tmpdir()}/scrutin-bench-${process.pid}.perf`;
  const parts = Object.entries(system.pids).filter(([name]) => /^(vote-api|worker_0|nats)$/.test(name));
  const postgres = (await system.db.query("SELECT pid FROM pg_stat_activity WHERE usename = 'scrutin_worker' LIMIT 1"))[0][0];
  await sleep(200 * seconds);
  const texts = await Promise.all([...parts, ['postgres', postgres]].map(async ([name, pid]) => {
    const file = `${data}.${name}`, quiet = { stdio: ['ignore', 'pipe', 'ignore'] };
    try {
      await run('perf', ['record', '-o', file, '-F', '997', '-p', String(pid), '--', 'sleep', String(0.6 * seconds)], quiet);
      const report = await run('perf', ['report', '-i', file, '--sort', 'dso,symbol', '--percent-limit', '1.5'], quiet);
      return `${name}\n${report.split('\n').filter((line) => /^ +\d/.test(line)).slice(0, 20).map((line) => line.replace(/ +- +-\s*$/, '')).join('\n')}`;
    } catch {
      return '';
    } finally {
      rmSync(file, { force: true });
    }
  }));
  return texts.join('\n\n');
}
