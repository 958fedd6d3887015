// The figures. Each is measured in turns with its ceiling in the same run, and both are medians.
// SPDX-License-Identifier: MIT
import { sleep } from './instance.mjs';
import { followTotal, subscribe } from './subscribers.mjs';
import { h2load, hotFunctions, interleave, load, median, publishCeiling, quantile, upsertCeiling, withFixedReply } from './tools.mjs';

/** A figure and its ceiling, each the median of several measurements. */
function row(name, measured, unit, measuredCeiling, ceilingName, target, detail = {}) {
  const values = [measured].flat(), ceilings = [measuredCeiling].flat();
  const value = median(values), ceiling = median(ceilings);
  return { name, value, unit, ceiling, ceilingName, ratio: value / ceiling, target, values, ceilings, ...detail };
}
const atLeast = (limit) => ({ limit, holds: (ratio) => ratio >= limit, text: `≥ ${limit}` });
const atMost = (limit) => ({ limit, holds: (ratio) => ratio <= limit, text: `≤ ${limit}` });

/** Ballots that vote-api acknowledges per second. The ceiling is libh2o, which answers the same requests with a fixed
 * reply. Measured with all parts running on these cores, and with the workers stopped, as when the database is down. */
export async function accepted(run) {
  const { system, plan } = run;
  const measure = async (name, revisable, target, around = (work) => work()) => {
    const poll = await system.makePoll(name, revisable);
    const headers = revisable ? [`authorization: Bearer ${await system.makeVoter()}`] : [];
    let sent = 0;
    const [fixed, real] = await interleave(plan.rounds,
      () => withFixedReply(system.votePort + 50, run.loops, (port) => h2load(port, poll, 2 * plan.requests, headers)),
      async () => {
        const result = await around(() => h2load(system.votePort, poll, plan.requests, headers));
        await system.drained(poll, (sent += result.accepted));
        return result;
      });
    return row(name, real.map((one) => one.rate), 'ballots/s', fixed.map((one) => one.rate), 'libh2o, fixed reply', target);
  };
  return [
    await measure('accepted, new voters', false, atLeast(0.4)),
    await measure('accepted, new voters, workers stopped', false, atLeast(0.4), (work) => system.withoutWorkers(work)),
    await measure('accepted, one voter who revises', true),
  ];
}

/** How fast ballots are committed while they arrive at `rate` per second. 0: as fast as they are acknowledged. */
async function committedRate(system, poll, rate, seconds, options) {
  const before = await system.received(poll);
  const samples = [];
  let report;
  const sending = load(system.votePort, poll, { window: 48, ...options, rate, seconds }).then((result) => (report = result));
  const cpuBefore = system.cpu(), since = performance.now();
  while (!report) {
    samples.push([performance.now() - since, await system.received(poll)]);
    await Promise.race([sending, sleep(100)]);
  }
  const cpuAfter = system.cpu(), elapsed = (performance.now() - since) / 1000;
  const cpu = Object.fromEntries(Object.keys(cpuAfter).map((name) => [name, (cpuAfter[name] - cpuBefore[name]) / elapsed]));
  const inside = samples.filter(([time]) => time > 200 * seconds);
  const [first, last] = [inside[0], inside.at(-1)];
  const committed = (last[1] - first[1]) / ((last[0] - first[0]) / 1000);
  const backlog = before + report.acknowledged - last[1];
  await system.drained(poll, before + report.acknowledged);
  return { committed, backlog, cpu, report };
}

/** Sends all ballots at once and measures the time until the last one is committed. */
async function flood(system, poll, count, options) {
  const before = await system.received(poll);
  const since = performance.now();
  const report = await load(system.votePort, poll, { window: 48, ...options, count });
  await system.drained(poll, before + report.acknowledged);
  return { rate: report.acknowledged / ((performance.now() - since) / 1000), acknowledged: report.rate };
}

/** Compares one kind of load into one poll with the same upserts from SQL. Ballots arrive as fast as they are
 * acknowledged, so the slowest part sets the pace. */
async function sustainedIn(run, name, poll, target, { voters = 0, rival = poll } = {}) {
  const { system, plan } = run;
  const options = voters ? { voters } : {};
  const [ceiling, real] = await interleave(plan.rounds,
    () => upsertCeiling(system, rival, run.rowsPerStatement, plan.seconds, voters),
    () => committedRate(system, poll, 0, plan.seconds, options));
  return row(name, real.map((one) => one.committed), 'ballots/s', ceiling.map((one) => one.rate), 'the same upsert from SQL', target,
    { acknowledged: median(real.map((one) => one.report.rate)), cpu: real.at(-1).cpu });
}

/** Ballots committed per second, with row and tally, while new ones keep arriving. */
export async function sustained(run) {
  const { system, plan } = run;
  const makePoll = (title, revisable) => system.makePoll(title, revisable);
  const fresh = await sustainedIn(run, 'sustained, new voters', await makePoll('new voters', false), atLeast(0.7),
    { rival: await makePoll('new voters, from SQL', false) });
  run.sustained = fresh.value;

  const held = await makePoll('held rate', false);
  const hold = await committedRate(system, held, 0.9 * fresh.value, plan.seconds, {});
  const calm = row('backlog after a run at 0.9 of that', hold.backlog, 'ballots', fresh.value, 'one second of them',
    atMost(1), { cpu: hold.cpu, latency: hold.report.latency_ms });

  const revised = await sustainedIn(run, 'sustained, revising voters', await makePoll('revising voters', true), undefined,
    { voters: plan.voters, rival: await makePoll('revising voters, from SQL', true) });

  const bulk = await makePoll('bulk', false), bulkRival = await makePoll('bulk, from SQL', false);
  const [ceiling, real] = await interleave(plan.rounds,
    () => upsertCeiling(system, bulkRival, run.rowsPerStatement, plan.seconds),
    () => flood(system, bulk, 2 * plan.flood, { connections: 8, window: 4, 'api-key': system.apiKey }));
  return [fresh, calm, revised, row('flooded by the bulk route until committed', real.map((one) => one.rate), 'ballots/s',
    ceiling.map((one) => one.rate), 'the same upsert from SQL', undefined)];
}

/** The time from the request to the acknowledgement, and from there to the event stream. */
export async function latency(run) {
  const { system, plan } = run;
  const poll = await system.makePoll('latency'), probes = await system.makePoll('probes');
  const text = ({ p50, p99, p999, max }) => `p50 ${p50} p99 ${p99} p99.9 ${p999} max ${max} ms`;
  const [publish, alone] = await interleave(plan.rounds,
    () => publishCeiling(system, 200, plan.seconds / 2),
    async () => (await load(system.votePort, poll, { connections: 1, window: 1, seconds: plan.seconds / 2 })).latency_ms);
  const middle = (list, field) => median(list.map((one) => one[field]));
  const bare = publish.map((one) => one.latency_ms);

  const half = run.sustained / 2;
  const [fixed, busy] = await interleave(plan.rounds,
    () => withFixedReply(system.votePort + 50, run.loops, async (port) =>
      (await load(port, poll, { rate: half, seconds: plan.seconds })).latency_ms),
    async () => {
      const sending = load(system.votePort, poll, { rate: half, seconds: plan.seconds });
      const updates = await followTotal(system, probes, plan.seconds);
      return { updates, ...(await sending).latency_ms };
    });
  const updates = busy.flatMap((one) => one.updates);
  return [
    row('acknowledgement, one client alone, p50', middle(alone, 'p50'), 'ms', middle(bare, 'p50'), 'one message to JetStream', undefined,
      { quantiles: alone.map(text), ceilingQuantiles: bare.map(text) }),
    row('acknowledgement, one client alone, p99', middle(alone, 'p99'), 'ms', middle(bare, 'p99'), 'one message to JetStream'),
    row('acknowledgement at half the sustained rate, p50', middle(busy, 'p50'), 'ms', middle(fixed, 'p50') + middle(bare, 'p50'),
      'fixed reply at that rate + JetStream', undefined, { quantiles: busy.map(text), ceilingQuantiles: fixed.map(text), rate: half }),
    row('acknowledgement at half the sustained rate, p99', middle(busy, 'p99'), 'ms', middle(fixed, 'p99') + middle(bare, 'p99'),
      'fixed reply at that rate + JetStream'),
    row('acknowledgement to event stream, p99', quantile(updates, 0.99), 'ms', 300, 'the limit of 300 ms', atMost(1),
      { quantiles: [`p50 ${quantile(updates, 0.5).toFixed(1)} max ${Math.max(...updates).toFixed(1)} ms of ${updates.length}`] }),
  ];
}

/** Resident memory, idle and under load. */
export async function memory(run) {
  const { system, plan } = run;
  const MiB = 1024 * 1024;
  const poll = await system.makePoll('memory');
  const peak = {};
  const watch = setInterval(() => {
    for (const [name, bytes] of Object.entries(system.memory())) peak[name] = Math.max(peak[name] ?? 0, bytes);
  }, 100);
  const report = await load(system.votePort, poll, { connections: 1000, window: 1, rate: run.sustained, seconds: plan.seconds });
  clearInterval(watch);
  await system.drained(poll, report.acknowledged);

  const before = system.memory()['result-api'];
  const subscribers = await subscribe(system, poll, plan.subscribers);
  await load(system.votePort, poll, { rate: 1000, seconds: 3 });
  const held = system.memory()['result-api'] - before;
  subscribers.close();
  return [
    ...Object.entries(peak).map(([name, bytes]) => row(`${name}, 1,000 connections vote`, bytes / MiB, 'MiB', 64, 'the limit of 64 MiB',
      name === 'vote-api' || name.startsWith('worker') ? atMost(1) : undefined, { idle: run.idle[name] / MiB })),
    row(`result-api, each of ${subscribers.count} subscribers`, held / subscribers.count / 1024, 'KiB', 32, 'the limit of 32 KiB', atMost(1)),
  ];
}

/** The sustained rate while the poll grows. Each run begins with a checkpoint. After a checkpoint, PostgreSQL logs each
 * page as a whole when it first changes it, which is the hardest moment for random keys in a large table. */
export async function growth(run) {
  const { system, plan } = run;
  const poll = await system.makePoll('growth');
  const rows = [];
  for (const millions of plan.millions) {
    await system.fill(poll, millions * 1e6);
    const [ceiling, real] = await interleave(2,
      () => system.db.query('CHECKPOINT').then(() => upsertCeiling(system, poll, run.rowsPerStatement, plan.growthSeconds)),
      () => system.db.query('CHECKPOINT').then(() => committedRate(system, poll, 0, plan.growthSeconds, {})));
    rows.push(row(`sustained, from ${millions} million ballots on`, real.map((one) => one.committed), 'ballots/s',
      ceiling.map((one) => one.rate), 'the same upsert from SQL', undefined, { millions }));
  }
  return rows;
}

/** Where the time goes at 0.9 of the sustained rate: CPU of each part, SQL statements, hot functions. */
export async function profile(run) {
  const { system, plan } = run;
  const poll = await system.makePoll('profile');
  await system.db.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await system.db.query('SELECT pg_stat_statements_reset()');
  const functions = hotFunctions(system, plan.seconds);
  const { cpu, committed } = await committedRate(system, poll, 0.9 * run.sustained, plan.seconds, {});
  const statements = await system.db.query(`
    SELECT round(100 * total_exec_time / sum(total_exec_time) OVER ()), calls, rows, round(rows::numeric / calls), round(mean_exec_time::numeric, 2),
           left(regexp_replace(query, '\\s+', ' ', 'g'), 90)
      FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 8`);
  const cores = Object.entries(cpu).map(([name, share]) => `  ${name.padEnd(12)} ${share.toFixed(2)}  ${(1e6 * share / committed).toFixed(2)} us`);
  run.notes.push(`At ${Math.round(committed)} ballots/s`, '', 'part         cores  CPU per ballot', ...cores, '',
    'share calls rows rows/call ms/call statement', ...statements.map((line) => `  ${line[0]}%  ${line.slice(1).join('  ')}`), '', await functions);
  return [];
}
