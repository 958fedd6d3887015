// The benchmark: starts an instance, measures the figures, stops it, writes table, JSON and plot.
// SPDX-License-Identifier: MIT
import { cpus, totalmem } from 'node:os';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as figures from './figures.mjs';
import { Instance, root, run as runProgram } from './instance.mjs';
import { formatTable, plot } from './report.mjs';

// quick: for a check after a change, under three minutes. full: see bench/README.md.
const plans = {
  quick: { walSegments: 100, rounds: 2, requests: 400_000, flood: 600_000, seconds: 5, voters: 20_000, subscribers: 5000, millions: [1, 5], growthSeconds: 5,
    figures: ['accepted', 'sustained', 'latency', 'memory'] },
  full: { walSegments: 200, rounds: 3, requests: 1_000_000, flood: 2_000_000, seconds: 20, voters: 20_000, subscribers: 5000, millions: [1, 5, 20], growthSeconds: 8,
    figures: ['accepted', 'sustained', 'latency', 'memory', 'growth', 'profile'] },
};

const mode = process.env.BENCH ?? 'full';
const plan = plans[mode];
if (!plan) {
  console.error(`bench: BENCH=${mode} is neither quick nor full`);
  process.exit(2);
}
const wanted = process.env.FIGURES?.split(/[\s,]+/) ?? plan.figures;
const results = `${root}/bench/results`;
mkdirSync(results, { recursive: true });

const loops = Number(process.env.HTTP_LOOPS ?? 2); // of vote-api and of the fixed reply beside it
const system = new Instance({
  stateDir: `${results}/state`,
  port: Number(process.env.BENCH_PORT ?? 17000),
  workers: Number(process.env.WORKERS ?? 2),
  settings: { MAX_CONNECTIONS: 20000, MAX_CONNECTIONS_PER_ADDRESS: 0, MAX_SUBSCRIBERS_PER_ADDRESS: 0, HTTP_LOOPS: loops, RATE_LIMITS: process.env.RATE_LIMITS ?? 'off' },
});

async function describe() {
  const [[postgres]] = await system.db.query('SHOW server_version');
  return { mode, at: new Date().toISOString(), commit: (await runProgram('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).catch(() => 'no git')).trim(),
    cpu: cpus()[0].model.trim(), cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), postgres, nats: system.env.NATS_VERSION,
    workers: system.workers };
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await system.stop();
    process.exit(130);
  });
}

let report;
await system.remove(); // the remains of an interrupted run
try {
  await system.start();
  await system.warmUp(plan.walSegments);
  const run = { system, plan, loops, rowsPerStatement: 4000, idle: system.memory(), sustained: 150_000, notes: [] };
  report = { machine: await describe(), rows: [] };
  for (const name of wanted) {
    console.error(`bench: ${name}`);
    report.rows.push(...(await figures[name](run)));
  }
  report.notes = run.notes;
  await system.remove();
} catch (error) {
  await system.stop();
  console.error(`bench: ${error.stack}\nbench: the logs are in ${results}/state/log`);
  process.exit(1);
}
writeFileSync(`${results}/results.json`, JSON.stringify(report, null, 2));
writeFileSync(`${results}/results.svg`, plot(report));
console.log([formatTable(report), ...report.notes].join('\n'));
