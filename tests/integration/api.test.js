// The HTTP contract with everything running: bulk, classic, results, event stream, closing, refill of the directory.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instance } from '../lib/instance.js';
import { PROTOCOLS, request, requestJson } from '../lib/http.js';
import { EventStream } from '../lib/events.js';
import { hashVoter } from '../lib/identity.js';
import { Voters } from '../lib/voters.js';
import { assertExact } from '../lib/check.js';
import { until } from '../lib/wait.js';

let instance;
before(async () => {
  instance = await Instance.start({ workers: 2 });
});
after(() => instance?.stop());

const apiKey = () => ({ authorization: `Bearer ${instance.apiKey}` });
const vote = (poll, option, headers = {}, protocol = 'HTTP/1.1') =>
  requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll}/ballot`, { selection: [option] }, headers, protocol);
const results = (poll, headers = {}) => request(instance.resultUrl, { path: `/v1/polls/${poll}/results`, headers });

/** The results once they satisfy a condition. */
const resultsWhen = (what, poll, holds) => until(what, async () => {
  const { json } = await results(poll);
  if (holds(json)) return json;
  throw new Error(JSON.stringify(json));
});

async function newToken() {
  const answer = await request(instance.voteUrl, { method: 'POST', path: '/v1/voters' });
  assert.equal(answer.status, 201, answer.text);
  return { authorization: `Bearer ${answer.json.token}` };
}

test('polls: create, read, list, close, delete', async () => {
  const answer = await requestJson(instance.voteUrl, 'POST', '/v1/polls', {
    title: 'Où <b>aller</b> ?', description: 'Ça ira', method: 'plurality', options: [{ label: 'Mer' }, { label: 'Montagne' }] }, apiKey());
  assert.equal(answer.status, 201, answer.text);
  const { id, manage_token: token } = answer.json;
  assert.match(id, /^[23456789abcdefghijkmnpqrstuvwxyz]{4,32}$/, 'a code that people can type');
  assert.equal(answer.headers.location, `/v1/polls/${id}`);
  assert.match(token, /^[\w-]{32}$/);

  const read = await request(instance.voteUrl, { path: `/v1/polls/${id}` });
  assert.equal(read.status, 200);
  assert.equal(read.json.title, 'Où <b>aller</b> ?');
  assert.deepEqual(read.json.options.map((option) => option.label), ['Mer', 'Montagne']);
  assert.doesNotMatch(read.text, /manage/, 'the token is shown once');

  const list = await request(instance.voteUrl, { path: '/v1/polls?limit=2' });
  assert.equal(list.status, 200);
  assert.ok(list.json.polls.some((poll) => poll.id === id), list.text);

  const manage = { authorization: `Bearer ${token}` };
  const closed = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${id}`, { state: 'closed' }, manage);
  assert.equal(closed.status, 200, closed.text);
  assert.equal((await vote(id, read.json.options[0].id)).status, 409);

  const deleted = await request(instance.voteUrl, { method: 'DELETE', path: `/v1/polls/${id}`, headers: manage });
  assert.equal(deleted.status, 204, deleted.text);
  assert.equal(deleted.headers['content-length'], undefined, 'RFC 9110, 8.6');
  assert.equal((await request(instance.voteUrl, { path: `/v1/polls/${id}` })).status, 404);
  await until('result-api forgets it', async () => (await results(id)).status === 404);
});

test('many ballots in one request: receipts in order, the last of a voter counts', async () => {
  const poll = await instance.createPoll({ n: 4 });
  const ballots = Array.from({ length: 900 }, (_, i) => ({ voter: `person ${i % 300}`, selection: [`o${Math.floor(i / 300)}`] }));
  const answer = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots }, apiKey());
  assert.equal(answer.status, 202, answer.text);
  assert.equal(answer.json.accepted, 900);
  assert.equal(new Set(answer.json.receipts).size, 900);
  await instance.settle();
  const { rows, books } = await instance.books(poll.id);
  assert.equal(rows.size, 300);
  assert.deepEqual([...books.tally.entries()].filter(([, n]) => n), [['o2', 300]]);
  assert.deepEqual({ received: books.received, superseded: books.superseded }, { received: 900, superseded: 600 });
});

test('where the key of a poll is missing: 503 for one ballot and for many, nothing is taken', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const keys = join(instance.folder, 'other-keys');
  writeFileSync(keys, `other:${'5a'.repeat(32)}`);
  const { url } = await instance.spawn('vote-api', { SECRET_KEYS_FILE: keys });
  await until('it knows the poll', async () => (await request(url, { path: `/v1/polls/${poll.id}` })).status === 200);
  const answers = [
    await requestJson(url, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: ['o0'] }),
    await requestJson(url, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots: [{ voter: 'a', selection: ['o0'] }] }, apiKey())];
  for (const { status, json } of answers) assert.deepEqual([status, json.type], [503, '/problems/unavailable']);
});

test('a gateway cannot vote as the holder of a cookie', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const headers = await newToken();
  const token = headers.authorization.slice(7);
  assert.equal((await vote(poll.id, 'o0', headers)).status, 202);
  const answer = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`,
    { ballots: [{ voter: token, selection: ['o1'] }] }, apiKey());
  assert.equal(answer.status, 202, answer.text);
  await instance.settle();
  assert.equal((await instance.books(poll.id)).rows.size, 2);
});

test('classic: 3,000 posts without a cookie, 2,000 a and 1,000 b, give exactly that', async () => {
  const count = async () => {
    await instance.settle();
    const rows = await instance.sql('SELECT vote, count(*)::int AS n FROM votes GROUP BY vote');
    return Object.fromEntries(rows.map(({ vote: choice, n }) => [choice, n]));
  };
  const before = await count();
  const { options } = (await request(instance.voteUrl, { path: '/v1/polls/demo' })).json;
  const [a, b] = options.map((option) => option.id);
  const send = async (n, choice) => {
    for (let i = 0; i < n; i += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => request(instance.voteUrl,
        { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `vote=${choice}` })));
      for (const { status, text } of answers) assert.ok(status === 200 || status === 202, `${status} ${text}`);
    }
  };
  await Promise.all([send(2000, 'a'), send(1000, 'b')]);
  const after = await count();
  assert.deepEqual({ a: after[a] - (before[a] ?? 0), b: after[b] - (before[b] ?? 0) }, { a: 2000, b: 1000 });
});

for (const protocol of PROTOCOLS) {
  test(`classic over ${protocol}: the cookie makes one voter, JSON names its own`, async () => {
    const form = (choice, headers = {}) => request(instance.voteUrl, { method: 'POST', path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: `vote=${choice}` }, protocol);
    const total = async () => {
      await instance.settle();
      return (await instance.books('demo')).rows;
    };
    const before = (await total()).size;
    const first = await form('a');
    const cookie = [first.headers['set-cookie']].flat()[0].split(';')[0];
    assert.match(cookie, /^voter_id=/);
    assert.equal((await form('b', { cookie })).headers['set-cookie'], undefined);
    assert.equal((await total()).size, before + 1);

    const name = `classic-${protocol}`;
    for (const choice of ['a', 'b', 'a']) {
      const answer = await requestJson(instance.voteUrl, 'POST', '/', { vote: choice, voter_id: name }, {}, protocol);
      assert.ok(answer.status === 200 || answer.status === 202, answer.text);
      assert.equal(answer.json.voter_id, name);
      assert.match(answer.json.hostname, /\S/);
    }
    const rows = await total();
    assert.equal(rows.size, before + 2);
    assert.ok(rows.has(hashVoter(instance.secretKeys, 'demo', 'x', name)));
  });
}

test('a voter is the same by cookie and by token', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const first = await vote(poll.id, 'o0');
  const cookie = [first.headers['set-cookie']].flat()[0].split(';')[0];
  assert.equal((await vote(poll.id, 'o1', { cookie })).status, 202);
  assert.equal((await vote(poll.id, 'o2', { authorization: `Bearer ${cookie.slice('voter_id='.length)}` })).status, 202);
  const json = await resultsWhen('the last one counts', poll.id, ({ ledger }) => ledger.received === 3 && ledger.pending === 0);
  assert.equal(json.total, 1);
  assert.equal(json.results.find(({ id }) => id === 'o2').count, 1);
});

test('results: the fields, ETag and 304', async () => {
  const poll = await instance.createPoll({ n: 3, title: 'Fields' });
  await until('result-api knows it', async () => (await results(poll.id)).status === 200);
  const empty = (await results(poll.id)).json;
  assert.deepEqual(empty.poll, { id: poll.id, title: 'Fields', method: 'plurality',
    options: poll.options.map((id, i) => ({ id, label: `Option ${i}` })), min_choices: 1, max_choices: 1, revisable: true,
    reopenable: false, opens_at: null, closes_at: null, results_visibility: 'always', voter_policy: 'open' });
  assert.equal(empty.state, 'open');
  assert.equal(empty.total, 0);
  assert.deepEqual(empty.results.map(({ id, count }) => [id, count]), [['o0', 0], ['o1', 0], ['o2', 0]]);
  assert.deepEqual(empty.ledger, { received: 0, counted: 0, superseded: 0, rejected: 0, pending: 0 });

  await vote(poll.id, 'o1');
  const json = await resultsWhen('the ballot counts', poll.id, ({ ledger }) => ledger.counted === 1 && ledger.pending === 0);
  assert.deepEqual(json.ledger, { received: 1, counted: 1, superseded: 0, rejected: 0, pending: 0 });
  assert.ok(json.version > empty.version);
  assert.match(json.updated_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

  const answer = await results(poll.id);
  const tag = answer.headers.etag;
  assert.match(tag, /^(W\/)?"[^"]+"$/);
  for (const value of [tag, `"other", ${tag}`, '*']) {
    const same = await results(poll.id, { 'if-none-match': value });
    assert.equal(same.status, 304, value);
    assert.equal(same.text, '');
    assert.equal(same.headers.etag, tag);
  }
  await vote(poll.id, 'o1');
  await until('a new version', async () => (await results(poll.id, { 'if-none-match': tag })).status === 200);
});

test('ledger: pending ballots show while the workers are away, and it adds up at every look', async () => {
  const poll = await instance.createPoll({ n: 3 });
  await until('result-api knows it', async () => (await results(poll.id)).status === 200);
  await instance.ctl('stop', 'worker:*');
  const headers = await newToken();
  for (let i = 0; i < 5; i++) assert.equal((await vote(poll.id, `o${i % 3}`, headers)).status, 202);
  const waiting = await resultsWhen('five are pending', poll.id, ({ ledger }) => ledger.pending === 5);
  assert.equal(waiting.total, 0);
  await instance.ctl('start', 'worker:*');
  const wrong = [];
  const done = await resultsWhen('none is pending', poll.id, ({ ledger }) => {
    if (ledger.received !== ledger.counted + ledger.superseded + ledger.rejected) wrong.push(ledger);
    return ledger.pending === 0 && ledger.received === 5;
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(done.ledger, { received: 5, counted: 1, superseded: 4, rejected: 0, pending: 0 });
  await instance.ready();
});

for (const protocol of PROTOCOLS) {
  test(`event stream over ${protocol}: snapshots in rising versions, resume, the last one is the result`, async () => {
    const poll = await instance.createPoll({ n: 3 });
    const path = `/v1/polls/${poll.id}/results/stream`;
    await until('result-api knows it', async () => (await results(poll.id)).status === 200);
    const stream = await EventStream.open(instance.resultUrl, path, { protocol });
    try {
      assert.match(stream.headers['content-type'], /^text\/event-stream/);
      const first = await stream.next();
      assert.equal(first.data.total, 0);
      for (let i = 0; i < 4; i++) {
        assert.equal((await vote(poll.id, `o${i % 3}`)).status, 202);
        await stream.nextWhere((event) => event.data.total === i + 1);
      }
      const versions = stream.events.map((event) => Number(event.id));
      assert.deepEqual(versions, [...new Set(versions)].sort((x, y) => x - y), 'each version once, rising');
      for (const event of stream.events) {
        assert.equal(event.data.version, Number(event.id));
        const { ledger } = event.data;
        assert.equal(ledger.received, ledger.counted + ledger.superseded + ledger.rejected);
      }
      const last = stream.events.at(-1);
      const { json } = await results(poll.id);
      assert.equal(json.total, last.data.total);

      const resumed = await EventStream.open(instance.resultUrl, path, { protocol, lastEventId: versions[0] });
      assert.equal((await resumed.next()).data.total, 4, 'who resumes gets what was missed as one snapshot');
      resumed.close();
    } finally {
      stream.close();
    }
  });
}

test('event stream: heartbeats while nothing happens', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const program = await instance.spawn('result-api', { HEARTBEAT_MS: '1000' });
  const stream = await EventStream.open(program.url, `/v1/polls/${poll.id}/results/stream`);
  try {
    await stream.next();
    const first = stream.comments;
    await until('three heartbeats come', () => stream.comments >= first + 3);
    const versions = stream.events.map(({ id }) => id);
    assert.deepEqual(versions, [...new Set(versions)], 'they are no events');
  } finally {
    stream.close();
    program.kill('SIGTERM');
    await program.ended;
  }
});

test('event stream: an unchanged version is not sent again to who has it', async () => {
  const poll = await instance.createPoll({ n: 2 });
  await vote(poll.id, 'o0');
  await resultsWhen('it counts', poll.id, ({ ledger }) => ledger.counted === 1 && ledger.pending === 0);
  const stream = await EventStream.open(instance.resultUrl, `/v1/polls/${poll.id}/results/stream`);
  const { id } = await stream.next();
  stream.close();
  const resumed = await EventStream.open(instance.resultUrl, `/v1/polls/${poll.id}/results/stream`, { lastEventId: id });
  await vote(poll.id, 'o1');
  const event = await resumed.next();
  assert.ok(Number(event.id) > Number(id), `${event.id} after ${id}`);
  resumed.close();
});

test('event stream: who was ahead of this instance, as with another one whose clock is fast, gets higher versions at once', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const path = `/v1/polls/${poll.id}/results/stream`;
  const first = await EventStream.open(instance.resultUrl, path);
  const { id } = await first.next();
  first.close();
  const ahead = Number(id) + 30_000_000; // microseconds: half a minute
  const stream = await EventStream.open(instance.resultUrl, path, { lastEventId: ahead });
  try {
    const event = await stream.next();
    assert.ok(Number(event.id) > ahead, `${event.id} after ${ahead}`);
    assert.equal(event.data.version, Number(event.id));
    await vote(poll.id, 'o1');
    const later = await stream.nextWhere(({ data }) => data.total === 1);
    assert.ok(Number(later.id) > Number(event.id), `${later.id} after ${event.id}`);
    assert.equal((await results(poll.id)).json.version >= Number(event.id), true);
  } finally {
    stream.close();
  }
});

test('closing: counting until the fence is passed, then final, and nothing changes it', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const load = new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, inFlight: 50, rate: 2000 });
  await load.register(200);
  await instance.ctl('stop', 'worker:*');
  load.start();
  await until('some ballots are in', () => load.acknowledged > 500);
  const closed = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { state: 'closed' },
    { authorization: `Bearer ${poll.token}` });
  assert.equal(closed.status, 200, closed.text);
  await until('ballots are refused', () => load.history.voters.some((voter) => voter.ops.at(-1)?.status === 409));
  await load.close();
  await resultsWhen('it is counting', poll.id, ({ state, ledger }) => state === 'counting' && ledger.pending > 0);
  await instance.ctl('start', 'worker:*');
  const final = await resultsWhen('it is final', poll.id, ({ state }) => state === 'final');
  const { books } = await assertExact(instance, load, { what: 'closing' });
  assert.equal(final.ledger.pending, 0);
  assert.equal(final.ledger.received, books.received);
  assert.equal(final.total, books.counted);
  assert.equal((await vote(poll.id, 'o0')).status, 409);
  const { json: later } = await results(poll.id);
  assert.deepEqual({ ...later, version: 0, updated_at: 0 }, { ...final, version: 0, updated_at: 0 });
  await instance.ready();
});

/** A time from now on, in milliseconds. */
const inMs = (ms) => new Date(Date.now() + ms).toISOString();

/** Edits a poll; the change names a time that is near, and is made again when it was over before it arrived. */
const edit = (poll, change) => until('the edit is taken', async () => {
  const { status, text } = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, change(), { authorization: `Bearer ${poll.token}` });
  if (status !== 200) throw new Error(text);
  return true;
});

test('closing on time: closes_at', async () => {
  const poll = await instance.createPoll({ n: 2, closes_at: inMs(3_600_000) });
  assert.equal((await vote(poll.id, 'o0')).status, 202);
  await edit(poll, () => ({ closes_at: inMs(1000) }));
  const answer = await until('it closes', async () => {
    const last = await vote(poll.id, 'o1');
    return last.status === 409 && last;
  });
  assert.equal(answer.json.type, '/problems/poll-closed');
  await resultsWhen('it is final', poll.id, ({ state }) => state === 'final');
});

test('opening on time: opens_at', async () => {
  const poll = await instance.createPoll({ n: 2, opens_at: inMs(3_600_000) });
  assert.equal((await vote(poll.id, 'o0')).json.type, '/problems/poll-not-open');
  await until('result-api knows it', async () => (await results(poll.id)).json.state === 'scheduled');
  await edit(poll, () => ({ opens_at: inMs(1000) }));
  await until('it opens', async () => (await vote(poll.id, 'o0')).status === 202);
  await resultsWhen('it is open', poll.id, ({ state }) => state === 'open');
});

/** A poll of everything that the limits allow at once, in four bytes a character. */
const largest = () => ({ title: '🐈'.repeat(200), description: '🐕'.repeat(2000), method: 'approval', min_choices: 100,
  options: Array.from({ length: 100 }, (_, i) => ({ id: `${i}`.padStart(32, 'x'), label: `${`${i}`.padStart(3, '0')}${'🐈'.repeat(197)}` })) });

test('an empty bucket is filled again from the database, with whatever was accepted', async () => {
  const late = { title: 'T', options: ['A', 'B'], closes_at: '9999-12-31T23:59:59-23:59' };
  const refused = await requestJson(instance.voteUrl, 'POST', '/v1/polls', late, apiKey());
  assert.deepEqual([refused.status, refused.json.type, refused.json.pointer], [400, '/problems/invalid-field', '/closes_at'], refused.text);
  assert.match(refused.json.detail, /9999/);

  const poll = await instance.createPoll({ n: 2, closes_at: '9999-12-31T22:59:59.999-01:00' });
  assert.equal((await vote(poll.id, 'o0')).status, 202);
  const extended = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { closes_at: late.closes_at },
    { authorization: `Bearer ${poll.token}` });
  assert.deepEqual([extended.status, extended.json.pointer], [400, '/closes_at'], extended.text);
  const large = await instance.createPoll(largest());
  const ballot = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${large.id}/ballot`, { selection: large.options });
  assert.equal(ballot.status, 202, ballot.text);
  await instance.settle();
  for (const { id } of [poll, large])
    await until('the worker has copied it', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [id])).length === 1);
  await instance.ctl('stop', 'vote-api', 'result-api', 'worker:*');
  const jsm = await instance.jsm();
  await jsm.streams.delete('KV_polls');
  await instance.setUp();
  await instance.ctl('start', 'worker:*', 'result-api', 'vote-api');
  await instance.ready();
  for (const { id } of [poll, large])
    await until('the poll is there again', async () => (await request(instance.voteUrl, { path: `/v1/polls/${id}` })).status === 200,
      { timeout: 90_000, every: 100 });
  assert.equal((await vote(poll.id, 'o1')).status, 202);
  const json = await resultsWhen('both count', poll.id, ({ total }) => total === 2);
  assert.equal(json.ledger.received, 2);
  assert.equal(json.poll.closes_at, '9999-12-31T23:59:59.999Z');
  const whole = await resultsWhen('the largest one counts', large.id, ({ ledger }) => ledger.counted === 1);
  assert.deepEqual([whole.poll.title, whole.results.length, whole.results.at(-1).count], [largest().title, 100, 1]);

  const shown = (await request(instance.voteUrl, { path: `/v1/polls/${large.id}` })).json;
  for (const field of ['id', 'state', 'created_at', 'updated_at']) delete shown[field];
  const again = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${large.id}`, shown, { authorization: `Bearer ${large.token}` });
  assert.equal(again.status, 200, 'what is shown may be sent again');
});

test('a definition that nobody can read is a fault of ours: 500, and nothing is stored', async () => {
  const poll = await instance.createPoll({ n: 2, voter_policy: 'code' });
  const manage = { authorization: `Bearer ${poll.token}` };
  const { views } = (await instance.nats()).jetstream();
  const polls = await views.kv('polls');
  const revision = await polls.put(poll.id, Buffer.from('no poll'));
  const answers = [
    await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { title: 'Other' }, manage),
    await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/codes`, { count: 2 }, manage)];
  for (const { status, json, text } of answers) {
    assert.deepEqual([status, json.type], [500, '/problems/internal'], text);
    assert.match(json.detail, /stored/);
  }
  assert.equal((await polls.get(poll.id)).revision, revision);
  for await (const key of await (await views.kv('codes')).keys(`${poll.id}.>`)) assert.fail(`${key} was stored`);
});

test('receipts: pending, counted, superseded', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const headers = await newToken();
  const first = (await vote(poll.id, 'o0', headers)).json.receipt;
  const ask = (receipt) => request(instance.resultUrl, { path: `/v1/receipts/${receipt}` });
  const becomes = (what, receipt, state) => until(`${what} is ${state}`, async () => {
    const { status, text, json } = await ask(receipt);
    if (status === 200 && json.state === state) return true;
    throw new Error(`${status} ${text}`);
  });
  await becomes('it', first, 'counted');
  const second = (await vote(poll.id, 'o1', headers)).json.receipt;
  await becomes('the first', first, 'superseded');
  await becomes('the second', second, 'counted');
  assert.doesNotMatch((await ask(second)).text, /o1/, 'it does not show the choice');
  const forged = await ask(second.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')));
  assert.equal(forged.status, 404);
  assert.equal(forged.json.type, '/problems/receipt-not-found');
});

test('metrics: Prometheus text, no poll ids in it', async () => {
  const poll = await instance.createPoll({ n: 2 });
  await vote(poll.id, 'o0');
  for (const url of instance.urls()) {
    const { status, headers, text } = await request(url, { path: '/metrics' });
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^# TYPE \w+ (counter|gauge|histogram)$/m);
    assert.match(text, /^process_resident_memory_bytes \d+/m);
    assert.ok(!text.includes(poll.id));
    for (const line of text.split('\n')) assert.match(line, /^(#.*|[a-z_:][\w:]*(\{[^}]*\})? \S+|)$/, line);
  }
});

