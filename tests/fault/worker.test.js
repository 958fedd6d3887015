// What can happen to a worker between a delivery and its acknowledgement, and to its transaction.
// SPDX-License-Identifier: MIT
import test, { after, afterEach, before } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Instance } from '../lib/instance.js';
import { request } from '../lib/http.js';
import { Proxy } from '../lib/proxy.js';
import { Voters } from '../lib/voters.js';
import { acknowledges, assertExact, metricValue, underLoad } from '../lib/check.js';
import { seedOfRun, seeded } from '../lib/random.js';
import { until } from '../lib/wait.js';

const ACK_WAIT_S = 2;
let instance;
const random = seeded(seedOfRun());
before(async () => {
  instance = await Instance.start({ workers: 2, env: { ACK_WAIT_MS: String(ACK_WAIT_S * 1000) } });
});
after(() => instance?.stop());
afterEach(async () => {
  for (const child of instance.children) child.kill('SIGKILL');
  await instance.ctl('start', 'worker:*');
  await instance.ready();
});

const consumer = async () => (await instance.jsm()).consumers.info('BALLOTS', 'workers');
const loadOn = async (options = {}) => {
  const poll = await instance.createPoll({ n: 50, ...options });
  return new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, random, inFlight: 100 });
};
const booksNow = async (load) => {
  const { rows, books } = await instance.books(load.poll);
  return { rows: [...rows].sort(), books };
};
/** What of the stream is in applied_batches, in all. */
const applied = async () => Number((await instance.sql(
  'SELECT count(*) AS n FROM applied_batches WHERE epoch = (SELECT max(epoch) FROM stream_epochs)'))[0].n);
/** Batches that a worker got and found applied already. */
const known = async (url) => metricValue((await request(url, { path: '/metrics' })).text, 'batches_known_total');
const lastSequence = async () => (await (await instance.jsm()).streams.info('BALLOTS')).state.last_seq;

/** A proxy in front of PostgreSQL's socket. */
async function databaseProxy() {
  const folder = mkdtempSync('/tmp/scrutin-pg-');
  const proxy = await Proxy.start({ at: { path: join(folder, '.s.PGSQL.5432') }, to: { path: join(instance.env.PGHOST, '.s.PGSQL.5432') } });
  proxy.folder = folder;
  const stop = proxy.stop.bind(proxy);
  proxy.stop = async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return proxy;
}
/** One in front of the broker; with `loses` set to the beginning of a subject, what is published there does not arrive. */
async function natsProxy() {
  const proxy = await Proxy.start({ at: { port: 0, host: '127.0.0.1' }, to: { port: Number(instance.settings.NATS_PORT), host: '127.0.0.1' } });
  proxy.editUp = (chunk, pair) => {
    const passed = [];
    let rest = Buffer.concat([pair.rest ?? Buffer.alloc(0), chunk]);
    for (let end; (end = rest.indexOf('\r\n')) >= 0;) { // a line, and with PUB and HPUB so many bytes behind it
      const line = rest.subarray(0, end).toString('latin1');
      const size = /^H?PUB /i.test(line) ? end + 2 + Number(line.split(' ').at(-1)) + 2 : end + 2;
      if (rest.length < size) break;
      if (!proxy.loses || !line.startsWith(`PUB ${proxy.loses}`)) passed.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    pair.rest = rest;
    return Buffer.concat(passed);
  };
  return proxy;
}

test('killed after COMMIT, before the acknowledgement: the redelivery changes nothing', async () => {
  const load = await loadOn();
  const proxy = await natsProxy();
  try {
    await load.register(200);
    await instance.ctl('stop', 'worker:*');
    const worker = await instance.spawn('worker', { NATS_URL: instance.brokerUrl('worker', proxy.port) });
    const before = await consumer();
    proxy.loses = '$JS.ACK.';
    await load.castEach(3);
    await until('all is committed', async () => (await applied()) === (await lastSequence()));
    const unacked = await consumer();
    assert.ok(unacked.num_ack_pending > 0, 'committed, not acknowledged');
    assert.equal(unacked.ack_floor.stream_seq, before.ack_floor.stream_seq);
    worker.kill('SIGKILL');
    await worker.ended;
    const committed = await booksNow(load);
    await instance.ctl('start', 'worker:*');
    const last = await lastSequence();
    await until('the redeliveries are acknowledged', async () => (await consumer()).ack_floor.stream_seq >= last);
    const again = await Promise.all([0, 1].map((n) => known(`http://127.0.0.1:${instance.workerPort(n)}`)));
    assert.ok(again[0] + again[1] > 0, 'they were redelivered');
    assert.deepEqual(await booksNow(load), committed);
    await assertExact(instance, load, { what: 'killed after COMMIT' });
  } finally {
    await proxy.stop();
    await load.close();
  }
});

test('stopped past the acknowledgement wait before its write reached the database: the stale write changes nothing', async () => {
  const load = await loadOn();
  await load.register(200);
  await instance.ctl('stop', 'worker:*');
  const proxy = await databaseProxy();
  const worker = await instance.spawn('worker', { PGHOST: proxy.folder });
  try {
    proxy.hold('up');
    await load.castEach(2);
    await until('the write is under way', () => [...proxy.pairs].some((pair) => pair.held.up.length > 0));
    worker.kill('SIGSTOP');
    await instance.ctl('start', 'worker:*');
    await load.castEach(2); // the same voters revise; part of it goes to the stopped one, and comes again
    await instance.settle();
    const settled = await booksNow(load);
    proxy.release('up');
    worker.kill('SIGCONT');
    await instance.ready({ urls: [worker.url] });
    const last = await lastSequence();
    await until('everything is acknowledged', async () => (await consumer()).ack_floor.stream_seq >= last);
    const urls = [worker.url, ...[0, 1].map((n) => `http://127.0.0.1:${instance.workerPort(n)}`)];
    await until('batches that were applied already come again', async () =>
      (await Promise.all(urls.map(known))).some((n) => n > 0));
    assert.deepEqual(await booksNow(load), settled);
    await load.castEach(1);
    await assertExact(instance, load, { what: 'stale write' });
  } finally {
    await proxy.stop();
    await load.close();
  }
});

test('stopped in the middle of its transaction, past the acknowledgement wait', async () => {
  const load = await loadOn();
  await load.register(200);
  await load.castEach(1);
  await instance.settle();
  await instance.ctl('stop', 'worker:*');
  const worker = await instance.spawn('worker');
  const client = await instance.db.connect();
  try {
    await client.query('BEGIN');
    await client.query('LOCK TABLE tally IN SHARE MODE'); // holds the worker's triggers up
    await load.castEach(1);
    await until('the worker waits for the lock', async () => (await instance.sql(
      "SELECT 1 FROM pg_stat_activity WHERE usename = 'scrutin_worker' AND wait_event_type = 'Lock'")).length > 0);
    worker.kill('SIGSTOP');
    const { delivered } = await consumer(); // counts redeliveries too, and nothing new is published
    await client.query('ROLLBACK');
    await instance.ctl('start', 'worker:*');
    await until('it is delivered again', async () => (await consumer()).delivered.consumer_seq > delivered.consumer_seq);
    worker.kill('SIGCONT');
    await load.castEach(1);
    await assertExact(instance, load, { what: 'stopped within its transaction' });
  } finally {
    client.release(true); // what it may still hold goes with it
    await load.close();
  }
});

test('SIGTERM: the durable still exists, the others go on', async () => {
  const { created } = await consumer();
  await underLoad(instance, 'worker SIGTERM', async (load) => {
    await instance.ctl('stop', 'worker:worker_0');
    assert.equal((await consumer()).created, created);
    await acknowledges(load, 1000);
    await instance.settle();
    await instance.ctl('stop', 'worker:worker_1');
    assert.equal((await consumer()).created, created, 'also without any worker');
    await acknowledges(load, 1000);
    await instance.ctl('start', 'worker:*');
  }, { random });
  assert.equal((await consumer()).created, created);
});

test('the workers\' consumer is deleted under load: they make it again as it was, and nothing is lost', async () => {
  const jsm = await instance.jsm();
  const { config: { deliver_policy: policy, opt_start_seq: start, metadata, ...before } } = await consumer();
  await underLoad(instance, 'consumer deleted', async (load) => {
    for (let round = 0; round < 3; round++) {
      const { created } = await consumer();
      await jsm.consumers.delete('BALLOTS', 'workers');
      const began = Date.now();
      const made = await until('there is another one', async () => {
        const found = await consumer().catch(() => null);
        return found !== null && found.created !== created && found;
      }, { timeout: 20_000 });
      console.log(`# made again after ${Date.now() - began} ms, from ${made.config.opt_start_seq ?? 'the first message'}`);
      const { deliver_policy, opt_start_seq, metadata: more, ...after } = made.config;
      assert.deepEqual(after, before);
      await acknowledges(load, 1000);
    }
    assert.match(`${instance.log('worker_0')}${instance.log('worker_1')}`, /was missing; created it again/);
  }, { random });
  await instance.setUp(); // it takes the one that is there
  const { config: { deliver_policy, opt_start_seq, metadata: more, ...after } } = await consumer();
  assert.deepEqual(after, before);
  const { created } = await consumer();
  await instance.setUp({ ACK_WAIT_MS: '2500' });
  assert.equal((await consumer()).config.ack_wait, 2_500_000_000, 'and changes what may be changed');
  await instance.setUp();
  assert.equal((await consumer()).created, created);
});

test('backend terminated at COMMIT: retried, exact', async () => {
  await instance.sql(`CREATE FUNCTION test_wait_at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(4711, 1); RETURN NULL; END $$`);
  await instance.sql(`CREATE CONSTRAINT TRIGGER test_wait_at_commit AFTER INSERT ON applied_batches DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION test_wait_at_commit()`);
  const client = await instance.db.connect();
  let terminated = 0;
  try {
    await underLoad(instance, 'backend terminated at COMMIT', async (load) => {
      for (let round = 0; round < 3; round++) {
        await client.query('SELECT pg_advisory_lock(4711, 1)');
        const waiting = await until('a worker waits in its COMMIT', async () => {
          const rows = await instance.sql(`SELECT pid, query FROM pg_stat_activity
            WHERE usename = 'scrutin_worker' AND wait_event_type = 'Lock' AND wait_event = 'advisory'`);
          return rows.length > 0 && rows;
        });
        for (const { pid, query } of waiting) {
          assert.match(query, /commit/i);
          await instance.sql('SELECT pg_terminate_backend($1)', [pid]);
          terminated++;
        }
        await client.query('SELECT pg_advisory_unlock(4711, 1)');
        await acknowledges(load, 500);
        await instance.settle();
      }
    }, { random });
  } finally {
    client.release(true); // with the advisory lock
    await instance.sql('DROP TRIGGER test_wait_at_commit ON applied_batches');
    await instance.sql('DROP FUNCTION test_wait_at_commit');
  }
  assert.ok(terminated >= 3);
});

/** Lets the statements that store ballots fail with `sqlstate`, an expression of n, the number of the statement. Gives what ends it. */
async function failUpserts(sqlstate) {
  await instance.sql('CREATE SEQUENCE test_failures');
  await instance.sql(`CREATE FUNCTION test_fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE n bigint := nextval('test_failures'); state text := ${sqlstate};
    BEGIN IF state IS NOT NULL THEN RAISE 'forced by the test' USING ERRCODE = state; END IF; RETURN NULL; END $$`);
  await instance.sql('CREATE TRIGGER test_fail BEFORE INSERT ON ballots FOR EACH STATEMENT EXECUTE FUNCTION test_fail()');
  return async () => {
    await instance.sql('DROP TRIGGER IF EXISTS test_fail ON ballots');
    await instance.sql('DROP FUNCTION IF EXISTS test_fail');
    await instance.sql('DROP SEQUENCE IF EXISTS test_failures');
  };
}
const workerMetric = async (name) => (await Promise.all([0, 1].map(async (n) =>
  metricValue((await request(`http://127.0.0.1:${instance.workerPort(n)}`, { path: '/metrics' })).text, name)))).reduce((sum, n) => sum + n, 0);

test('a deadlock and a serialization failure: the transaction is run again, counted, and rejects nothing', async () => {
  const FAILURES = 8; // fewer than a worker tries
  const before = await workerMetric('transaction_retries_total');
  const load = await loadOn();
  const mend = await failUpserts(`CASE WHEN n > ${FAILURES} THEN NULL WHEN n % 2 = 0 THEN '40P01' ELSE '40001' END`);
  try {
    await load.register(100);
    await load.castEach(2);
    const { books } = await assertExact(instance, load, { what: 'deadlocks and serialization failures' });
    assert.equal(books.rejected, 0);
    assert.equal(await workerMetric('transaction_retries_total') - before, FAILURES);
  } finally {
    await mend();
    await load.close();
  }
});

test('a transaction that failed is not acknowledged: its batches are delivered again, and nobody has to find a gap', async () => {
  const gaps = () => (instance.log('worker_0') + instance.log('worker_1')).match(/the broker forgot messages/g)?.length ?? 0;
  await instance.settle();
  const before = gaps();
  const load = await loadOn();
  const mend = await failUpserts("'53100'"); // the disk is full
  try {
    await load.register(100);
    const last = await lastSequence();
    await load.castEach(1);
    const { ack_floor: floor } = await until('it is delivered again', async () => {
      const info = await consumer();
      assert.ok(info.ack_floor.stream_seq <= last, 'acknowledged, and not stored');
      return info.num_redelivered > 0 && info;
    });
    assert.ok(floor.stream_seq <= last);
    await mend();
    await assertExact(instance, load, { what: 'a disk that was full' });
    assert.equal(gaps(), before, 'the broker knew what was missing');
  } finally {
    await mend();
    await load.close();
  }
});

test('no doorbell arrives: ballots show all the same, and so does what nobody would ring for', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const proxy = await natsProxy();
  const load = new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, random });
  const path = `/v1/polls/${poll.id}/results`;
  const lazy = await instance.spawn('result-api', { LOOK_MS: '600000' }); // looks at what is pending, and waits for bells
  const shows = (url, n) => until(`${n} ballots show`, async () => (await request(url, { path })).json?.total === n);
  try {
    await instance.ctl('stop', 'worker:*');
    const worker = await instance.spawn('worker', { NATS_URL: instance.brokerUrl('worker', proxy.port) });
    proxy.loses = 'tally.changed';
    for (const url of [lazy.url, instance.resultUrl]) await shows(url, 0);
    await load.register(20);
    await load.castEach(1);
    for (const url of [lazy.url, instance.resultUrl]) await shows(url, 20);
    worker.kill('SIGKILL');
    // A database that was mended by hand, say. Looks once more after LOOK_MS, not before the one of the ballots.
    await instance.sql('UPDATE ledger SET counted = counted + 5 WHERE poll = (SELECT key FROM polls WHERE id = $1)', [poll.id]);
    await shows(instance.resultUrl, 25);
    await instance.sql('UPDATE ledger SET counted = counted - 5 WHERE poll = (SELECT key FROM polls WHERE id = $1)', [poll.id]);
  } finally {
    await load.close();
    await proxy.stop();
  }
});

test('the reply to COMMIT is lost, and a COMMIT that never arrives: the batch is run again', async () => {
  await instance.ctl('stop', 'worker:*');
  const proxy = await databaseProxy();
  const worker = await instance.spawn('worker', { PGHOST: proxy.folder });
  const load = await loadOn();
  const cuts = [];
  try {
    proxy.onUp = (chunk) => {
      if (cuts.length >= 20 || !/commit/i.test(chunk.toString('latin1'))) return undefined;
      cuts.push(cuts.length % 2 ? 'cut' : 'drop');
      return cuts.at(-1);
    };
    await load.register(200);
    for (let round = 0; round < 8; round++) {
      await load.castEach(1);
      await instance.settle();
    }
    await until('connections were cut', () => cuts.length >= 8);
    await assertExact(instance, load, { what: 'COMMIT without a reply' });
  } finally {
    await load.close();
    worker.kill('SIGKILL');
    await proxy.stop();
  }
});

test('database restarted under load', async () => {
  await underLoad(instance, 'database restarted', async (load) => {
    for (let round = 0; round < 2; round++) {
      await instance.ctl('restart', 'postgres');
      await acknowledges(load, 500);
      await instance.ready();
    }
  }, { random });
});

test('voting goes on while the database is away', async () => {
  await underLoad(instance, 'database away', async (load) => {
    await instance.ctl('stop', 'postgres');
    await until('the workers say so', async () => (await Instance.readyStatus(`http://127.0.0.1:${instance.workerPort(0)}`)) === 503);
    await acknowledges(load, 4000);
    await instance.ctl('start', 'postgres');
  }, { random });
});

test('8 workers, overlapping voters who revise: no deadlock', async () => {
  for (let i = 0; i < 6; i++) await instance.spawn('worker');
  const { load } = await underLoad(instance, '8 workers', async (running) => {
    await acknowledges(running, 20_000);
  }, { voters: 300, rate: 0, random });
  assert.ok(load.acknowledged > 20_000);
  const workers = await instance.sql(`SELECT count(DISTINCT slot)::int AS n FROM applied_batches`);
  assert.ok(workers[0].n >= 8, `${workers[0].n} workers took part`);
  assert.equal(await instance.deadlocks(), 0);
});
