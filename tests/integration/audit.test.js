// scrutin-audit: silent on a system that is used and abused, and loud about every kind of damage, made here by SQL.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instance, ROOT, programPath, runProgram } from '../lib/instance.js';
import { acknowledges } from '../lib/check.js';
import { encodeBatch } from '../lib/proto.js';
import { requestJson } from '../lib/http.js';
import { seedOfRun, seeded } from '../lib/random.js';
import { until } from '../lib/wait.js';
import { Voters } from '../lib/voters.js';

const TABLES = ['polls', 'ballots', 'tally', 'ledger', 'timeline', 'applied_batches', 'rejected_ballots', 'poll_marks', 'stream_epochs'];
const random = seeded(seedOfRun());
let instance;
let fenced; // a poll that was closed, opened again and closed: one ballot in each state, and late fences
const loads = [];
before(async () => {
  instance = await Instance.start({ workers: 2, env: { ACK_WAIT_MS: '2000' } });
  for (const revisable of [true, false]) {
    const poll = await instance.createPoll({ n: 5, revisable });
    const load = new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, random, rate: 1500, inFlight: 100,
      receipts: true });
    await load.register(200);
    loads.push(load);
  }
});
after(async () => {
  for (const load of loads) await load.close();
  await instance?.stop();
});

const assertWell = ({ code, report, stderr }) => {
  assert.equal(code, 0, stderr + JSON.stringify(report, null, 1));
  assert.deepEqual([report.ok, report.discrepancies], [true, []]);
  return report;
};
const fileOf = (lines) => {
  const file = join(instance.folder, 'receipts');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
};

async function publishMarks(poll) {
  const nats = await instance.nats();
  const ballot = () => nats.publish('ballots.batch', encodeBatch({ ballots: [{ poll, voter: randomBytes(16), choices: 'o0' }] }));
  const mark = (batch) => nats.publish('ballots.fence', encodeBatch(batch));
  for (const term of [0, 1]) {
    if (term > 0) await mark({ gatePoll: poll, term });
    await ballot();
    await mark({ fencePoll: poll, term });
    await mark({ fencePoll: poll, term });
    await ballot();
  }
  await mark({ fencePoll: poll });
}

test('no false alarm while ballots are cast and revised and workers are killed', async () => {
  await (await instance.nats()).publish('ballots.batch', 'garbage');
  fenced = (await instance.createPoll({ n: 2 })).id;
  await publishMarks(fenced);
  for (const load of loads) load.start();
  let under = true;
  let n = 0;
  const audits = (async () => {
    for (; under; n++) assertWell(await instance.audit([], { SETTLE_S: '60' }));
  })();
  audits.catch(() => {}); // it is awaited below
  try {
    await acknowledges(loads[0]);
    await Promise.all(['worker:worker_0', 'worker:worker_1'].map((worker) => instance.killAndWait(worker)));
    for (const load of loads) await acknowledges(load, 500);
    await Promise.race([audits, until('several audits are through', () => n > 1, { timeout: 120_000 })]);
  } finally {
    under = false;
    for (const load of loads) await load.stop();
  }
  await audits;
  await instance.settle();
  const report = assertWell(await instance.audit());
  assert.equal(report.stream.unreadable, 1);
  assert.equal(report.stream.marks, 6);
  const { received, counted, rejected } = report.polls.find(({ poll }) => poll === fenced);
  assert.deepEqual([received, counted, rejected], [4, 2, 2]);
  assert.equal(report.epoch.dead, 1);
  assert.equal(report.stream.whole, true);
  assert.deepEqual(report.pending, { messages: 0, ballots: 0 });
  for (const { history } of loads) {
    const poll = report.polls.find((one) => one.poll === history.poll);
    const { acknowledged } = history.summary();
    assert.ok(poll.received >= acknowledged && acknowledged > 500);
    assert.equal(poll.in_stream, poll.received);
    assert.ok(poll.superseded > 0);
  }
});


test('the workers, who would mend some of what follows, are stopped', async () => {
  const { last } = await instance.settle();
  const jsm = await instance.jsm();
  // A worker that was killed may have stored a batch and not acknowledged it. Until the broker delivers that again, it
  // does not call what is behind it acknowledged, and so the audit could not miss it.
  await until('everything is acknowledged', async () => {
    const { ack_floor: floor } = await jsm.consumers.info('BALLOTS', 'workers');
    return floor.stream_seq >= last;
  });
  await instance.ctl('stop', 'worker:*');
});

test('a table for people, one poll alone, and `make audit`', async () => {
  const { stdout } = await runProgram(join(ROOT, 'scripts/audit'), [], instance.childEnv());
  assert.match(stdout, /^All is well\.$/m);
  for (const load of loads) assert.ok(stdout.includes(load.poll));
  const report = assertWell(await instance.audit(['--poll', loads[1].poll]));
  assert.deepEqual(report.polls.map(({ poll }) => poll), [loads[1].poll]);
  const unknown = await instance.audit(['--poll', 'nonesuch']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /poll: .*nonesuch/);
});

test('receipts of a list: counted, superseded, pending; a forged one and one of a lost ballot are named', async () => {
  const receipts = loads.flatMap(({ history }) => history.voters.flatMap(({ ops }) => ops.map(({ receipt }) => receipt).filter(Boolean)));
  const report = assertWell(await instance.audit(['--receipts', fileOf(receipts)]));
  assert.equal(report.receipts.given, receipts.length);
  assert.ok(report.receipts.superseded > 0);
  assert.equal(report.receipts.counted + report.receipts.superseded, receipts.length);
  const { token } = (await requestJson(instance.voteUrl, 'POST', '/v1/voters', {})).json;
  const { json } = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${loads[0].poll}/ballot`, { selection: ['o0'] },
    { authorization: `Bearer ${token}` });
  const pending = assertWell(await instance.audit(['--receipts', fileOf([json.receipt])]));
  assert.deepEqual([pending.receipts.pending, pending.pending], [1, { messages: 1, ballots: 1 }]);
  const forged = await instance.audit(['--receipts', fileOf([receipts[0], '', `${receipts[1].slice(0, -2)}AA`])]);
  assert.equal(forged.code, 1);
  assert.deepEqual(forged.report.discrepancies.map(({ kind, count }) => [kind, count]), [['receipt', 1]]);
  assert.match(forged.report.discrepancies[0].examples[0].detail, /line 3\b/);
  const absent = await instance.audit(['--receipts', '/no/such/file']);
  assert.deepEqual([absent.code, absent.report.could_not_check], [2, 'receipts']);
});

/** Runs SQL with triggers disabled, as only a superuser can, and puts every table back afterwards. */
async function damaged(sql, params, act) {
  const client = await instance.db.connect();
  try {
    await client.query("SET session_replication_role = 'replica'");
    for (const table of TABLES) await client.query(`CREATE TEMPORARY TABLE kept_${table} AS TABLE ${table}`);
    const { rowCount } = await client.query(sql, params);
    assert.ok(rowCount > 0, 'there is damage');
    await act();
  } finally {
    for (const table of TABLES) {
      await client.query(`DELETE FROM ${table}`);
      await client.query(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE TABLE kept_${table}`);
      await client.query(`DROP TABLE kept_${table}`);
    }
    await client.query('RESET session_replication_role');
    client.release();
  }
}

const OF_POLL = 'poll = (SELECT key FROM polls WHERE id = $1)';
const ONE_BALLOT = `ctid = (SELECT ctid FROM ballots WHERE ${OF_POLL} LIMIT 1)`;
const MIDDLE = `(SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY seq) FROM applied_batches WHERE NOT dead AND ballots > 1)`;
/** What is done to the database, and the kinds of discrepancy that have to come of it: these and no others. */
const DAMAGE = {
  'a ballot is deleted': [`DELETE FROM ballots WHERE ${ONE_BALLOT}`, ['ballot-missing', 'ledger-counted', 'tally', 'timeline']],
  'a ballot is deleted, and the books are changed to fit':
    [`WITH gone AS (DELETE FROM ballots WHERE ${ONE_BALLOT} RETURNING *),
        a AS (UPDATE tally AS t SET n = n - 1 FROM gone WHERE t.ctid = (SELECT ctid FROM tally AS one WHERE one.poll = gone.poll AND one.choice = gone.choices LIMIT 1)),
        b AS (UPDATE timeline AS t SET counted = counted - 1 FROM gone WHERE t.ctid = (SELECT ctid FROM timeline AS one WHERE one.poll = gone.poll AND one.bucket = timeline_bucket(gone.cast_at) LIMIT 1))
      UPDATE ledger AS l SET counted = counted - 1, superseded = superseded + 1 FROM gone WHERE l.ctid = (SELECT ctid FROM ledger AS one WHERE one.poll = gone.poll LIMIT 1)`,
    ['ballot-missing']],
  'a choice is changed': [`UPDATE ballots SET choices = CASE choices WHEN 'o0' THEN 'o1' ELSE 'o0' END WHERE ${ONE_BALLOT}`, ['ballot-altered', 'tally']],
  'a ballot is set back to an older one': [`UPDATE ballots SET precedence = precedence - 1 WHERE ${ONE_BALLOT}`, ['ballot-foreign', 'ballot-older']],
  'a ballot that nobody cast': [`INSERT INTO ballots SELECT poll, gen_random_uuid(), precedence, cast_at, choices FROM ballots WHERE ${ONE_BALLOT}`,
    ['ballot-foreign', 'ledger-counted', 'tally', 'timeline']],
  'a tally row is changed': [`UPDATE tally SET n = n + 1 WHERE ctid = (SELECT ctid FROM tally WHERE ${OF_POLL} LIMIT 1)`, ['tally']],
  'the turnout is changed': [`UPDATE timeline SET counted = counted + 1 WHERE ctid = (SELECT ctid FROM timeline WHERE ${OF_POLL} LIMIT 1)`, ['timeline']],
  'the ledger is changed': [`UPDATE ledger SET superseded = superseded + 1 WHERE ctid = (SELECT ctid FROM ledger WHERE ${OF_POLL} LIMIT 1)`, ['ledger-sum']],
  'the ledger is changed so that it adds up':
    [`UPDATE ledger SET superseded = superseded + 1, received = received + 1 WHERE ctid = (SELECT ctid FROM ledger WHERE ${OF_POLL} LIMIT 1)`,
      ['ledger-received', 'ledger-total', 'timeline']],
  'the ledger rejects what nobody wrote down':
    [`UPDATE ledger SET superseded = superseded - 1, rejected = rejected + 1 WHERE ctid = (SELECT ctid FROM ledger WHERE ${OF_POLL} AND superseded > 0 LIMIT 1)`,
      ['ledger-rejected']],
  'an applied batch is deleted': [`DELETE FROM applied_batches WHERE seq = ${MIDDLE}`, ['ballot-foreign', 'ledger-received', 'ledger-total', 'missing-sequence']],
  'a batch is applied under two sequences':
    [`UPDATE applied_batches SET batch = (SELECT batch FROM applied_batches WHERE seq = ${MIDDLE}) WHERE seq = ${MIDDLE} + 1`, ['ballot-foreign', 'batch-twice', 'ledger-received', 'other-batch']],
  'a batch is applied that the stream never had':
    ["INSERT INTO applied_batches (epoch, seq, batch, ballots, slot) SELECT epoch, max(seq) + 1000, gen_random_uuid(), 0, 0 FROM applied_batches GROUP BY epoch",
      ['not-in-stream']],
  'a batch says another number of ballots': [`UPDATE applied_batches SET ballots = ballots + 1 WHERE seq = ${MIDDLE}`, ['batch-size', 'ledger-total']],
  'a good batch is set aside': [`UPDATE applied_batches SET dead = true, batch = NULL WHERE seq = ${MIDDLE}`, ['ballot-foreign', 'ledger-received', 'set-aside']],
  'a ballot is called rejected, and counts':
    [`INSERT INTO rejected_ballots SELECT abs(precedence), $1, 'after the fence' FROM ballots WHERE ${ONE_BALLOT}`, ['ballot-rejected', 'ledger-rejected']],
  'a fence is deleted': ["DELETE FROM poll_marks WHERE ordinal = (SELECT fence FROM polls WHERE id = $1)", ['mark'], 'fenced'],
  'a fence is invented': ["INSERT INTO poll_marks SELECT ordinal - 4096, poll_id, 0, false FROM poll_marks WHERE ordinal = (SELECT min(ordinal) FROM poll_marks WHERE poll_id = $1)",
    ['mark'], 'fenced'],
  'a closed poll is called open': ['UPDATE polls SET fence = NULL WHERE id = $1', ['mark'], 'fenced'],
  'a late ballot is made to count':
    [`WITH gone AS (DELETE FROM rejected_ballots WHERE ordinal = (SELECT min(ordinal) FROM rejected_ballots WHERE poll_id = $1) RETURNING ordinal)
      INSERT INTO ballots SELECT key, gen_random_uuid(), ordinal, now(), 'o0' FROM gone, polls WHERE id = $1`,
    ['ballot-foreign', 'ballot-late', 'ledger-counted', 'ledger-rejected', 'tally', 'timeline'], 'fenced'],
  'a ballot in time is called late':
    [`WITH gone AS (DELETE FROM ballots WHERE ${ONE_BALLOT} RETURNING precedence)
      INSERT INTO rejected_ballots SELECT precedence, $1, 'after the fence' FROM gone`,
    ['ballot-early', 'ledger-counted', 'ledger-rejected', 'tally', 'timeline'], 'fenced'],
};
/** With a batch, what is in it decides whether these come of it. */
const MAYBE = new Set(['ballot-foreign', 'ledger-received']);

for (const [what, [sql, kinds, of]] of Object.entries(DAMAGE)) {
  test(`${what}: found, and named`, async () => {
    const poll = of === 'fenced' ? fenced : loads[0].poll;
    await damaged(sql, sql.includes('$1') ? [poll] : [], async () => {
      const { code, report, stderr } = await instance.audit();
      assert.equal(code, 1, stderr);
      assert.equal(report.ok, false);
      const found = report.discrepancies.map(({ kind }) => kind).sort();
      const must = kinds.filter((kind) => sql.includes('$1') || !MAYBE.has(kind));
      assert.deepEqual(found.filter((kind) => must.includes(kind)), must, JSON.stringify(report.discrepancies, null, 1));
      assert.deepEqual(found.filter((kind) => !kinds.includes(kind)), [], JSON.stringify(report.discrepancies, null, 1));
      for (const { examples, count } of report.discrepancies) {
        assert.ok(count > 0 && examples.length > 0);
        if (sql.includes('$1')) for (const example of examples) assert.ok(example.poll === poll || example.poll === null);
      }
    });
  });
}

test('after the damage all is as it was', async () => {
  assertWell(await instance.audit());
});

test('a broker that was started again, set up again and started once more has the same stream', async () => {
  for (const again of [true, false]) {
    await instance.killAndWait('nats');
    if (again) await until('it is set up', () => instance.setUp().then(() => true));
  }
  await until('the broker is there', async () => (await (await instance.jsm()).streams.info('BALLOTS')).state.messages > 0);
  const report = assertWell(await instance.audit());
  assert.equal(report.epoch.epoch, 1);
});

test('what the stream has forgotten by age is passed over', async () => {
  const jsm = await instance.jsm();
  const { config } = await jsm.streams.info('BALLOTS');
  await jsm.streams.update('BALLOTS', { ...config, max_age: 200_000_000, duplicate_window: 200_000_000 });
  await until('messages are gone', async () => (await jsm.streams.info('BALLOTS')).state.first_seq > 10);
  const report = assertWell(await instance.audit());
  assert.equal(report.stream.whole, false);
  await jsm.streams.update('BALLOTS', config);
});

test('a stream that was made anew: the older epoch is said to be gone, its books are checked all the same', async () => {
  const jsm = await instance.jsm();
  await jsm.streams.delete('BALLOTS');
  await instance.setUp();
  const report = assertWell(await instance.audit());
  assert.equal(report.epoch.epoch, 2);
  assert.deepEqual(report.older_epochs.map(({ epoch }) => epoch), [1]);
  await damaged(`UPDATE tally SET n = n + 1 WHERE ctid = (SELECT ctid FROM tally WHERE ${OF_POLL} LIMIT 1)`, [loads[0].poll], async () => {
    const { code, report: { discrepancies } } = await instance.audit();
    assert.deepEqual([code, discrepancies.map(({ kind }) => kind)], [1, ['tally']]);
  });
  await damaged('INSERT INTO stream_epochs (epoch, created_ns) VALUES (9, 9000000000000000000)', [], async () => {
    const { code, report: { could_not_check: what } } = await instance.audit();
    assert.deepEqual([code, what], [2, 'stream']);
  });
});

test('broker or database away: 2, and which', async () => {
  for (const [what, settings] of Object.entries({
    broker: { NATS_URL: 'nats://127.0.0.1:1' },
    database: { PGHOST: '127.0.0.1', PGPORT: '1' },
  })) {
    const { code, report, stderr } = await instance.audit([], settings);
    assert.deepEqual([code, report.ok, report.could_not_check], [2, null, what]);
    assert.match(stderr, new RegExp(`could not check: ${what}: `));
  }
  const noKeys = await runProgram(programPath('scrutin-audit'), ['--receipts', '/dev/null'], { PATH: process.env.PATH }, { check: false });
  assert.equal(noKeys.code, 2);
  assert.match(noKeys.stderr, /SECRET_KEYS/);
});
