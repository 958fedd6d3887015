// Collects the facts for the verdict from the servers, and fails if the verdict finds a violation.
// SPDX-License-Identifier: MIT
import { History } from './history.js';
import { Voters } from './voters.js';
import { assertNone, judge, judgeStream } from './verdict.js';
import { until } from './wait.js';

/** Records the state before the stream is made anew. assertExact needs it to judge what comes after. */
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

/** Waits until everything is applied. Then compares a load's history with rows, books, stream and audit views, and throws if
 *  there is a violation. `before` is the result of mark, if the stream was made anew. */
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

/** Makes a poll and a load on it, runs `act` meanwhile, then gives the result of assertExact. */
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

/** The value of one metric in a /metrics text. The name includes the labels, if there are any. */
export function metricValue(text, name) {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
