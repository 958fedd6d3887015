// Asks the servers for what the verdict needs, and pronounces it.
// SPDX-License-Identifier: MIT
import { History } from './history.js';
import { Voters } from './voters.js';
import { assertNone, judge, judgeStream } from './verdict.js';
import { until } from './wait.js';

/** What stands before the stream begins anew: for assertExact of what comes after. */
export async function mark(instance, { history }) {
  const { rows, books } = await instance.books(history.poll);
  const lengths = new Map(history.voters.map((voter) => [voter.key, voter.ops.length]));
  return { rows, books, lengths };
}

function laterOf(history, lengths) {
  const later = new History(history.poll);
  for (const voter of history.voters) {
    later.addVoter(voter.key, voter.token).ops.push(...voter.ops.slice(lengths.get(voter.key) ?? 0));
  }
  return later;
}

/** Waits until all is applied, then judges a load's history by rows, books, stream and audit views; throws on any
 *  violation. `before` is what mark gave when the stream began anew. */
export async function assertExact(instance, { history }, { revisable = true, before, others, what = 'verdict', timeout } = {}) {
  await instance.settle({ timeout });
  const { rows, books } = await instance.books(history.poll);
  const found = judge(history, rows, books, { revisable, others });
  const streamed = judgeStream(before ? laterOf(history, before.lengths) : history, await instance.streamed(history.poll), rows,
    books, { revisable, since: before?.rows, receivedBefore: before?.books.received });
  const audit = await instance.auditViolations();
  console.log(`# ${what}: ${JSON.stringify({ ...history.summary(), unknownFound: found.unknownFound, late: found.late, ...books,
    tally: undefined })}`);
  assertNone([...found.violations, ...streamed, ...audit], what);
  return { ...found, rows, books };
}

/** A load on a poll of its own while `act` runs, then the verdict. Gives what assertExact gives. */
export async function underLoad(instance, what, act, { voters = 500, rate = 2000, options = 50, revisable = true, random, ...more } = {}) {
  const poll = await instance.createPoll({ n: options, revisable });
  const load = new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, rate, inFlight: 200, random, ...more });
  try {
    await load.register(voters);
    load.start();
    await acknowledges(load);
    await act(load, poll);
    await instance.ready();
    await acknowledges(load);
    await load.stop();
    return { load, poll, ...(await assertExact(instance, load, { revisable, what })) };
  } finally {
    await load.close();
  }
}

/** Waits until n more ballots of a load are acknowledged. */
export function acknowledges(load, n = 200, timeout = 120_000) {
  const from = load.acknowledged;
  return until(`${n} more ballots are acknowledged`, () => load.acknowledged >= from + n || (() => {
    throw new Error(JSON.stringify(load.history.summary()));
  })(), { timeout });
}

/** Samples of a /metrics text: the value of one metric, with its labels if it has some. */
export function metricValue(text, name) {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
