// SIGTERM to the APIs under load, and event-stream clients that stop reading.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Instance, IS_SANITIZED } from '../lib/instance.js';
import { EventStream } from '../lib/events.js';
import { PROTOCOLS, request } from '../lib/http.js';
import { Voters } from '../lib/voters.js';
import { acknowledges, assertExact, metricValue } from '../lib/check.js';
import { seedOfRun, seeded } from '../lib/random.js';
import { readBatches } from '../lib/stream.js';
import { until, within } from '../lib/wait.js';

const LIB = join(dirname(fileURLToPath(import.meta.url)), '../lib');
const ENDS_WITHIN_MS = 15_000; // DRAIN_MS is 5 s at most; the supervisor kills after 15 s

let instance;
const random = seeded(seedOfRun());
before(async () => {
  instance = await Instance.start({ workers: 2 });
});
after(() => instance?.stop());

/** A vote-api of our own that knows a poll. */
async function ownVoteApi(poll) {
  const program = await instance.spawn('vote-api');
  await until('it knows the poll', async () => (await request(program.url, { path: `/v1/polls/${poll.id}` })).status === 200);
  return program;
}

for (const protocol of PROTOCOLS) {
  test(`vote-api, SIGTERM under load over ${protocol}: what is in flight is answered, it ends in time`, async () => {
    const poll = await instance.createPoll({ n: 20 });
    const program = await ownVoteApi(poll);
    const load = new Voters({ origin: program.url, poll: poll.id, options: poll.options, instance, random, protocol, inFlight: 200,
      connections: protocol === 'HTTP/2' ? 4 : 64 });
    try {
      await load.register(500);
      load.start();
      await acknowledges(load, 3000);
      const began = performance.now();
      program.kill('SIGTERM');
      const { code, signal } = await within(ENDS_WITHIN_MS, 'it ends', program.ended);
      const took = performance.now() - began;
      await load.stop();
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, program.output.slice(-2000));
      console.log(`# ended in ${took.toFixed(0)} ms`);
      const { unknown, reasons } = load.history.summary();
      // Over HTTP/2 GOAWAY says what was not taken. Over HTTP/1.1 a request may cross the end of its connection
      // (RFC 9112, 9.5): at most one on each.
      if (protocol === 'HTTP/2') assert.equal(unknown, 0, JSON.stringify(reasons));
      else assert.ok(unknown <= 64, JSON.stringify(reasons));
      await assertExact(instance, load, { what: `drained over ${protocol}` });
    } finally {
      await load.close();
      program.kill('SIGKILL');
    }
  });
}

test('vote-api, SIGTERM while ballots wait for a stopped broker: each is answered, it ends in time', async () => {
  const poll = await instance.createPoll({ n: 20 });
  const program = await ownVoteApi(poll);
  const load = new Voters({ origin: program.url, poll: poll.id, options: poll.options, instance, random, inFlight: 200 });
  await load.register(300);
  load.start();
  await acknowledges(load, 1000);
  const nats = await instance.signal('nats', 'SIGSTOP');
  try {
    // Any that wait: after ACK_TIMEOUT_MS they are answered and others wait, never for sure all at once.
    await until('ballots wait', async () => metricValue((await request(program.url, { path: '/metrics' })).text, 'http_requests_waiting') > 0);
    program.kill('SIGTERM');
    await within(ENDS_WITHIN_MS, 'it ends', program.ended);
    await load.stop();
    const last = load.history.voters.map((voter) => voter.ops.at(-1)).filter((op) => op?.fate === 'unknown');
    assert.ok(last.length > 0);
    for (const op of last) assert.equal(op.status, 503, `answered with ${op.status} ${op.why}`);
  } finally {
    process.kill(nats, 'SIGCONT');
    await load.close();
    program.kill('SIGKILL');
  }
  await instance.ready();
  await assertExact(instance, load, { what: 'drained without a broker' });
});

test('a ballot that was not confirmed, of a voter without a cookie: sent again with the cookie of the 503 it counts once', async () => {
  const poll = await instance.createPoll({ n: 2 });
  await instance.settle();
  const form = (headers = {}) => request(instance.voteUrl, { method: 'POST', path: '/', body: 'vote=a',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
  const put = (headers = {}) => request(instance.voteUrl, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`, body: '{"selection":["o1"]}',
    headers: { 'content-type': 'application/json', ...headers } });
  const before = (await instance.books('demo')).rows.size;
  const nats = await instance.signal('nats', 'SIGSTOP');
  let answers;
  try {
    answers = await Promise.all([put(), form()]);
  } finally {
    process.kill(nats, 'SIGCONT');
  }
  for (const [i, { status, headers, text }] of answers.entries()) {
    assert.equal(status, 503, text);
    const [cookie] = [headers['set-cookie']].flat();
    assert.match(cookie ?? '', /^voter_id=/);
    const again = () => [put, form][i]({ cookie: cookie.split(';')[0] });
    await until('it is recorded', async () => [200, 202].includes((await again()).status));
  }
  await instance.settle();
  assert.equal((await instance.books(poll.id)).rows.size, 1);
  assert.equal((await instance.books('demo')).rows.size, before + 1);
});

test('many ballots at once while the broker does not answer: only so many wait, then 503, and all that waited count', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const program = await instance.spawn('vote-api', { HTTP_LOOPS: '1', BATCH_BALLOTS: '100', ACK_TIMEOUT_MS: '60000' });
  await until('it knows the poll', async () => (await request(program.url, { path: `/v1/polls/${poll.id}` })).status === 200);
  const bulk = (name) => request(program.url, { method: 'POST', path: `/v1/polls/${poll.id}/ballots`, timeout: 60_000,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${instance.apiKey}` },
    body: JSON.stringify({ ballots: Array.from({ length: 1000 }, (_, i) => ({ voter: `${name} ${i}`, selection: ['o1'] })) }) });
  const nats = await instance.signal('nats', 'SIGSTOP');
  let waiting;
  try {
    waiting = [bulk('a'), bulk('b')]; // 2,000 ballots; 16 batches of 100 may wait
    await until('they wait', async () => metricValue((await request(program.url, { path: '/metrics' })).text, 'http_requests_waiting') >= 2);
    const refused = await bulk('c');
    assert.deepEqual([refused.status, refused.json.type], [503, '/problems/overloaded'], refused.text);
  } finally {
    process.kill(nats, 'SIGCONT');
  }
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 202, answer.text);
  await until('there is room again', async () => (await bulk('c')).status === 202);
  await instance.settle();
  assert.equal((await instance.books(poll.id)).rows.size, 3000);
  program.kill('SIGTERM');
});

/** Bulk requests of one poll at one vote-api. */
const bulkOf = (url, poll, n) => (name) => request(url, { method: 'POST', path: `/v1/polls/${poll.id}/ballots`, timeout: 60_000,
  headers: { 'content-type': 'application/json', authorization: `Bearer ${instance.apiKey}` },
  body: JSON.stringify({ ballots: Array.from({ length: n }, (_, i) => ({ voter: `${name} ${i}`, selection: ['o1'] })) }) });

test('many ballots in one request that the broker does not take: 503 and no receipts; sent again they count once', async () => {
  const poll = await instance.createPoll({ n: 2 });
  await instance.settle();
  const bulk = bulkOf(instance.voteUrl, poll, 500);
  const hasNoReceipts = (answer, type) => {
    assert.deepEqual([answer.status, answer.json.type, answer.json.receipts], [503, `/problems/${type}`, undefined], answer.text);
    assert.ok(Number(answer.headers['retry-after']) >= 1, answer.headers['retry-after']);
  };
  const nats = await instance.signal('nats', 'SIGSTOP');
  try { // past ACK_TIMEOUT_MS
    for (const answer of await Promise.all(['a', 'b', 'c'].map(bulk))) hasNoReceipts(answer, 'not-recorded');
  } finally {
    process.kill(nats, 'SIGCONT');
  }
  const { state } = await until('the broker is back', async () => (await instance.jsm()).streams.info('BALLOTS'));
  await instance.setUp({ BALLOTS_MAX_BYTES: String(state.bytes + 1000) }); // less than 500 ballots take
  try {
    hasNoReceipts(await until('the broker answers', async () => {
      const answer = await bulk('d');
      return answer.json.type !== '/problems/not-recorded' && answer;
    }), 'stream-full');
  } finally {
    await instance.setUp();
  }
  for (const name of ['a', 'b', 'c', 'd']) {
    const { json } = await until('they are recorded', async () => {
      const answer = await bulk(name);
      return answer.status === 202 && answer;
    });
    assert.equal(new Set(json.receipts).size, 500);
  }
  await instance.settle();
  assert.equal((await instance.books(poll.id)).rows.size, 2000);
});

test('many such requests at once: no batch in the stream is above BATCH_BALLOTS', async () => {
  const REQUESTS = 10, BALLOTS = 60, LIMIT = 100; // two requests would be too many for a batch
  const poll = await instance.createPoll({ n: 2 });
  const program = await instance.spawn('vote-api', { HTTP_LOOPS: '1', BATCH_BALLOTS: String(LIMIT), BATCHES_IN_FLIGHT: '1', ACK_TIMEOUT_MS: '60000' });
  await until('it knows the poll', async () => (await request(program.url, { path: `/v1/polls/${poll.id}` })).status === 200);
  const bulk = bulkOf(program.url, poll, BALLOTS);
  const nats = await instance.signal('nats', 'SIGSTOP');
  let waiting;
  try {
    waiting = Array.from({ length: REQUESTS }, (_, i) => bulk(`request ${i}`));
    await until('they wait', async () => metricValue((await request(program.url, { path: '/metrics' })).text, 'http_requests_waiting') >= REQUESTS);
  } finally {
    process.kill(nats, 'SIGCONT');
  }
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 202, answer.text);
  const sizes = [];
  for await (const { batch } of readBatches(await instance.nats())) {
    if (batch.ballots.some((ballot) => ballot.poll === poll.id)) sizes.push(batch.ballots.length);
  }
  assert.equal(sizes.reduce((sum, n) => sum + n, 0), REQUESTS * BALLOTS);
  assert.ok(sizes.every((n) => n <= LIMIT), sizes.join(' '));
  program.kill('SIGTERM');
});

test('result-api, SIGTERM with requests and event streams open: ends in time', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const program = await instance.spawn('result-api');
  const path = `/v1/polls/${poll.id}/results`;
  await until('it knows the poll', async () => (await request(program.url, { path })).status === 200);
  const streams = await Promise.all(PROTOCOLS.flatMap((protocol) => Array.from({ length: 20 }, () =>
    EventStream.open(program.url, `${path}/stream`, { protocol }))));
  let isOver = false;
  const codes = new Map();
  const asking = Promise.all(Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const status = await request(program.url, { path }).then((answer) => answer.status ?? answer.reset, (error) => error.code ?? error.message);
      codes.set(status, (codes.get(status) ?? 0) + 1);
      if (status !== 200) break;
    }
  }));
  await until('requests flow', () => (codes.get(200) ?? 0) > 100);
  program.kill('SIGTERM');
  const { code } = await within(ENDS_WITHIN_MS, 'it ends', program.ended);
  isOver = true;
  await asking;
  assert.equal(code, 0, program.output.slice(-2000));
  await until('the event streams are ended', () => streams.every((stream) => stream.isClosed));
  for (const status of codes.keys()) assert.ok([200, 503, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'socket hang up'].includes(status), String(status));
});

test('1,000 event-stream clients that stop reading: dropped, memory flat, readers are served', async () => {
  const label = 'ω'.repeat(190); // so that a snapshot is large and fills what the kernel takes
  const bigOptions = Array.from({ length: 50 }, (_, i) => ({ id: `o${i}`, label: `${i}${label}` }));
  const big = await instance.createPoll({ options: bigOptions });
  const program = await instance.spawn('result-api', { DEADLINE_MS: '3000' });
  const path = `/v1/polls/${big.id}/results`;
  await until('it knows the poll', async () => (await request(program.url, { path })).status === 200);
  const resident = () => Number(readFileSync(`/proc/${program.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  const connections = async () => metricValue((await request(program.url, { path: '/metrics' })).text, 'http_connections');

  const { hostname, port } = new URL(program.url);
  const load = new Voters({ origin: instance.voteUrl, poll: big.id, options: big.options, instance, random, inFlight: 20, rate: 200 });
  const stalled = spawn('python3', [join(LIB, 'stalled_clients.py'), hostname, port, `${path}/stream`, '1000'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const reader = await EventStream.open(program.url, `${path}/stream`);
  try {
    await within(60_000, 'they are open', new Promise((done) => stalled.stdout.once('data', done)));
    await until('the service has them', async () => (await connections()) >= 1000);
    const before = resident();
    await load.register(200);
    load.start();
    let peak = before;
    await until('they are dropped', async () => {
      peak = Math.max(peak, resident());
      return (await connections()) < 50;
    }, { timeout: 180_000, every: 200 });
    console.log(`# resident ${(before / 1e6).toFixed(1)} MB with 1,000 idle, at most ${(peak / 1e6).toFixed(1)} MB while they stall, `
      + `${(resident() / 1e6).toFixed(1)} MB after`);
    if (!IS_SANITIZED) assert.ok(peak - before < 32 * 1024 * 1000, `${peak - before} bytes more: over 32 KiB a client`);
    await load.stop();
    await instance.settle();
    assert.equal(reader.isClosed, false, 'who reads stays');
    await reader.nextWhere((event) => event.data.ledger.pending === 0 && event.data.ledger.received >= load.acknowledged);
    await assertExact(instance, load, { what: 'stalled clients' });
  } finally {
    reader.close();
    stalled.stdin.end();
    stalled.kill('SIGKILL');
    await load.close();
    program.kill('SIGKILL');
  }
});
