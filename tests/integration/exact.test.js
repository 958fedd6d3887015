// 100,000 ballots of 20,000 voters who revise, over 4 workers: each voter's last acknowledged selection stands.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { Instance, PATIENT } from '../lib/instance.js';
import { Voters } from '../lib/voters.js';
import { assertExact } from '../lib/check.js';
import { judge, judgeStream } from '../lib/verdict.js';
import { request } from '../lib/http.js';
import { seedOfRun, seeded } from '../lib/random.js';
import { until } from '../lib/wait.js';

const VOTERS = 20_000;
const EACH = 5;

let instance;
const random = seeded(seedOfRun());
before(async () => {
  instance = await Instance.start({ workers: 4, env: PATIENT });
});
after(() => instance?.stop());

async function cast(poll, n, each, more = {}) {
  const load = new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, random, ...more });
  try {
    await load.register(n);
    const began = performance.now();
    await load.castEach(each);
    const seconds = (performance.now() - began) / 1000;
    console.log(`# ${n * each} ballots in ${seconds.toFixed(1)} s: ${Math.round(n * each / seconds)} ballots/s`);
  } finally {
    await load.close();
  }
  return load;
}

test('100,000 ballots over HTTP/2, revisable: exact', async () => {
  const poll = await instance.createPoll({ n: 20 });
  const load = await cast(poll, VOTERS, EACH, { connections: 8, inFlight: 800 });
  const { acknowledged, rows, books } = await assertExact(instance, load);
  assert.equal(acknowledged, VOTERS * EACH, 'nothing is broken, so every ballot is acknowledged');
  assert.equal(rows.size, VOTERS);
  assert.equal(books.received, VOTERS * EACH);

  const json = await until('result-api has read it', async () => {
    const { json: read } = await request(instance.resultUrl, { path: `/v1/polls/${poll.id}/results` });
    return read.ledger.received === VOTERS * EACH && read;
  });
  assert.equal(json.total, VOTERS);
  for (const { id, count } of json.results) assert.equal(count, books.tally.get(id) ?? 0, id);

  await assertVerdictSees(poll, load);
});

/** A verdict that cannot fail is worthless: a lost, a doubled and a changed ballot, made by SQL and rolled back. */
async function assertVerdictSees(poll, load) {
  const streamed = await instance.streamed(poll.id);
  const look = async (client) => {
    const { rows, books } = await instance.books(poll.id, client);
    return [...judge(load.history, rows, books).violations, ...judgeStream(load.history, streamed, rows, books)].join('\n');
  };
  const keyOf = '(SELECT key FROM polls WHERE id = $1)';
  const voter = load.history.voters[17].key;
  const harm = {
    'a lost ballot': [[`DELETE FROM ballots WHERE poll = ${keyOf} AND voter = $2`, [poll.id, voter]], /lost: voter/, /counted 19999|replay/],
    'a ballot of nobody': [[`INSERT INTO ballots (poll, voter, precedence, cast_at, choices) VALUES (${keyOf}, gen_random_uuid(), 1, now(), 'o1')`,
      [poll.id]], /invented: voter/],
    'a changed ballot': [[`UPDATE ballots SET choices = 'o99' WHERE poll = ${keyOf} AND voter = $2`, [poll.id, voter]], /wrong: voter/],
    'a ballot counted twice in the tally': [[`UPDATE tally SET n = n + 1 WHERE (poll, choice, slot) =
      (SELECT poll, choice, slot FROM tally WHERE poll = ${keyOf} LIMIT 1)`, [poll.id]], /tally: o\d+ is/],
    'a ballot received twice': [[`UPDATE ledger SET received = received + 1, superseded = superseded + 1 WHERE (poll, slot) =
      (SELECT poll, slot FROM ledger WHERE poll = ${keyOf} LIMIT 1)`, [poll.id]], /received 100001 is more than 100000/, /replay: received/],
  };
  const client = await instance.db.connect();
  try {
    for (const [what, [statement, ...patterns]] of Object.entries(harm)) {
      await client.query('BEGIN');
      const { rowCount } = await client.query(...statement);
      assert.equal(rowCount, 1, what);
      const said = await look(client);
      await client.query('ROLLBACK');
      for (const pattern of patterns) assert.match(said, pattern, what);
    }
    await client.query('BEGIN');
    await client.query('ALTER TABLE ballots DISABLE TRIGGER USER');
    await client.query(`DELETE FROM ballots WHERE poll = ${keyOf} AND voter = $2`, [poll.id, voter]);
    const { rows: mismatches } = await client.query('SELECT * FROM tally_mismatch');
    const { rows: ledger } = await client.query('SELECT * FROM ledger_mismatch');
    const { rows: timeline } = await client.query('SELECT * FROM timeline_mismatch');
    await client.query('ROLLBACK');
    assert.equal(mismatches.length, 1, 'the audit view sees a ballot that went without the tally');
    assert.equal(ledger.length, 1);
    assert.equal(timeline.length, 1);
    await client.query('BEGIN');
    await client.query('DELETE FROM applied_batches WHERE seq = 3');
    const { rows: missing } = await client.query('SELECT * FROM missing_batches');
    await client.query('ROLLBACK');
    assert.equal(missing.length, 1);
  } finally {
    client.release();
  }
  assert.equal(await look(instance.db), '', 'and nothing once the harm is undone');
}

test('first ballot final: exact', async () => {
  const poll = await instance.createPoll({ n: 10, revisable: false });
  const load = await cast(poll, 2_000, 5, { inFlight: 400 });
  const { rows, books } = await assertExact(instance, load, { revisable: false });
  assert.equal(rows.size, 2_000);
  assert.equal(books.superseded, 8_000);
});

test('over HTTP/1.1: exact', async () => {
  const poll = await instance.createPoll({ n: 10 });
  const load = await cast(poll, 2_000, 3, { protocol: 'HTTP/1.1', connections: 64 });
  const { acknowledged } = await assertExact(instance, load);
  assert.equal(acknowledged, 6_000);
});

test('two polls at once, one revisable, one not: exact', async () => {
  const polls = [await instance.createPoll({ n: 5 }), await instance.createPoll({ n: 5, revisable: false })];
  const loads = await Promise.all(polls.map((poll) => cast(poll, 1_000, 4)));
  await assertExact(instance, loads[0]);
  await assertExact(instance, loads[1], { revisable: false });
});
