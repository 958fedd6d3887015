// A poll in time: drafts, opening, closing, opening again; what an edit may change when; the cut that a fence makes.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { History } from '../lib/history.js';
import { Instance } from '../lib/instance.js';
import { Voters } from '../lib/voters.js';
import { acknowledges, assertExact } from '../lib/check.js';
import { patiently, request, requestJson } from '../lib/http.js';
import { announceTerm, encodeBatch } from '../lib/proto.js';
import { Proxy } from '../lib/proxy.js';
import { pick, seedOfRun, seeded } from '../lib/random.js';
import { readBatches } from '../lib/stream.js';
import { until } from '../lib/wait.js';

const OPTIONS = [{ id: 'o0', label: 'Cats' }, { id: 'o1', label: 'Dogs' }];

const WORKERS = 3;

let instance;
const random = seeded(seedOfRun());
before(async () => {
  instance = await Instance.start({ workers: WORKERS, env: { ACK_WAIT_MS: '2000' } });
});
after(() => instance?.stop());

const patch = (poll, body, url = instance.voteUrl) =>
  requestJson(url, 'PATCH', `/v1/polls/${poll.id}`, body, { authorization: `Bearer ${poll.token}` });
const vote = (poll, choice) => requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: [choice] });
const read = (poll) => request(instance.voteUrl, { path: `/v1/polls/${poll.id}` });
const results = (poll) => request(instance.resultUrl, { path: `/v1/polls/${poll.id}/results` });

/** The fences in the stream, in its order. */
async function fences() {
  const all = [];
  for await (const { sequence, batch } of readBatches(await instance.nats()))
    if (batch.fencePoll) all.push({ sequence, poll: batch.fencePoll, term: batch.term });
  return all;
}

async function must(poll, body) {
  const answer = await patiently(() => patch(poll, body));
  assert.equal(answer.status, 200, `${JSON.stringify(body)}: ${answer.text}`);
  return answer.json;
}

async function refused(answer, status, type, pointer) {
  const { json, text } = await answer;
  assert.deepEqual([json.status, json.type, json.pointer], [status, `/problems/${type}`, pointer], text);
  assert.ok(json.detail.length > 10, text);
}

const resultsWhen = (poll, what, is) => until(`${poll.id}: ${what}`, async () => {
  const { json, text } = await results(poll);
  return is(json) ? json : Promise.reject(new Error(text));
});
const becomes = (poll, state) => resultsWhen(poll, state, (json) => json.state === state);

test('a draft is readable by its id, in no list, takes no ballot; opened, it does', async () => {
  const poll = await instance.createPoll({ options: OPTIONS, state: 'draft' });
  assert.equal((await read(poll)).json.state, 'draft');
  const list = async () => (await request(instance.voteUrl, { path: '/v1/polls?limit=100' })).json.polls.map(({ id }) => id);
  assert.ok(!(await list()).includes(poll.id));
  await refused(vote(poll, 'o0'), 409, 'poll-not-open');
  await refused(patch(poll, { state: 'closed' }), 409, 'poll-not-open', '/state');
  await becomes(poll, 'draft');

  const edited = await must(poll, { method: 'approval', options: [...OPTIONS, { id: 'o2', label: 'Fish' }], revisable: false,
    reopenable: true, opens_at: new Date(Date.now() + 3_600_000).toISOString(), state: 'scheduled' });
  assert.deepEqual([edited.state, edited.max_choices, edited.reopenable], ['scheduled', 3, true]);
  assert.ok((await list()).includes(poll.id));
  await refused(vote(poll, 'o0'), 409, 'poll-not-open');
  const open = await must(poll, { state: 'open' });
  assert.equal(open.state, 'open');
  assert.ok(Math.abs(Date.parse(open.opens_at) - Date.now()) < 60_000, open.opens_at);
  assert.equal((await vote(poll, 'o2')).status, 202);
  await resultsWhen(poll, 'the ballot counts', (json) => json.state === 'open' && json.total === 1);
});

test('each field of a new poll has its range: 400 with a pointer', async () => {
  const rows = {
    title: [undefined, '', null, 7, 'a\nb', 'x'.repeat(201)],
    description: [null, 7, 'x'.repeat(2001), 'a\vb', ' \n'],
    options: [undefined, [], ['alone'], 'ab', Array(101).fill(0).map((_, i) => `${i}`)],
    'options/1': [['A', ''], ['A', 5], ['A', 'x'.repeat(201)]],
    'options/1/id': [['A', { id: 'No', label: 'B' }], ['A', { id: 'x'.repeat(33), label: 'B' }]],
    'options/1/label': [['A', { id: 'b' }]],
    method: ['best', 0, null],
    min_choices: [0, -1, 1.5, '1', 101, null],
    max_choices: [0, 2, 101, null],
    revisable: [1, 'yes', null],
    reopenable: [1, 'yes', null],
    state: ['open', 'closed', 'final', null, true],
    opens_at: ['tomorrow', 5, true, '2026-02-30T00:00:00Z'],
    closes_at: ['tomorrow', 5, '2020-01-01T00:00:00Z'],
    results_visibility: ['never', 1, null],
    voter_policy: ['all', 1, null],
    id: ['mine'],
    term: [1],
  };
  for (const [field, values] of Object.entries(rows)) {
    for (const value of values) {
      const body = { title: 'T', options: ['A', 'B'], [field.split('/')[0]]: value };
      await refused(requestJson(instance.voteUrl, 'POST', '/v1/polls', body, { authorization: `Bearer ${instance.apiKey}` }),
        400, 'invalid-field', `/${field}`);
    }
  }
});

test('texts that show nothing, or not what they are, are refused wherever one enters, by name', async () => {
  const api = { authorization: `Bearer ${instance.apiKey}` };
  const poll = await instance.createPoll({ options: OPTIONS });
  const scheduled = await instance.createPoll({ options: OPTIONS, opens_at: '2999-01-01T00:00:00Z' });
  const create = (body) => requestJson(instance.voteUrl, 'POST', '/v1/polls', { title: 'T', options: ['A', 'B'], ...body }, api);
  const bulk = (voter) => requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots: [{ voter, selection: ['o0'] }] }, api);
  const classic = (voter_id) => requestJson(instance.voteUrl, 'POST', '/', { vote: 'a', voter_id });
  const ways = [
    ['/title', (text) => create({ title: text })],
    ['/description', (text) => create({ description: text })],
    ['/options/1', (text) => create({ options: ['A', text] })],
    ['/options/0/label', (text) => create({ options: [{ id: 'a', label: text }, 'B'] })],
    ['/title', (text) => patch(poll, { title: text })],
    ['/description', (text) => patch(poll, { description: text })],
    ['/options/1/label', (text) => patch(scheduled, { options: ['A', { label: text }] })],
    ['/ballots/0/voter', bulk],
    ['/voter_id', classic],
  ];
  const bad = ['\u202Eevil', 'a\u2066b', 'a\u2069b', 'a\u007Fb', 'a\u0085b', 'a\u001Bb', '   ', '\u200B', '\u00A0\u3000', '\u200D\uFEFF\u00AD', '\u2800\u3164'];
  for (const [pointer, send] of ways) {
    for (const text of bad) {
      const { json, text: answer, status } = await send(text);
      assert.deepEqual([status, json.type, json.pointer], [400, '/problems/invalid-field', pointer], `${JSON.stringify(text)}: ${answer}`);
      assert.ok(json.detail.startsWith(pointer.slice(1)), answer);
      assert.doesNotMatch(answer, /[\u202E\u2066\u2069\u007F\u0085]/, 'the refusal does not repeat it');
    }
  }

  const good = ['می‌خواهم', '👩‍👩‍👧‍👦🏳️‍🌈', 'שלום', 'Ça\u00A0va\u202F?', 'Straße', 'ไทย\u200Bไทย', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'];
  for (const [, send] of ways) {
    for (const text of good) {
      const { status, text: answer } = await send(text);
      assert.ok(status >= 200 && status < 300, `${text}: ${answer}`);
    }
  }
  assert.equal((await create({ description: 'two\nlines,\tand a tab' })).status, 201);
});

test('two options that read the same are refused, and both are named', async () => {
  const pairs = [['Cats', 'cats'], ['Café', 'Cafe\u0301'], ['Straße', 'STRASSE'], ['two words', ' Two \u00A0words '], ['Cats', 'Ca\u200Bts\u00AD'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος']];
  const poll = await instance.createPoll({ options: OPTIONS, state: 'draft' });
  for (const [one, other] of pairs) {
    for (const answer of [
      await requestJson(instance.voteUrl, 'POST', '/v1/polls', { title: 'T', options: [one, 'Fish', { id: 'x', label: other }] }),
      await patch(poll, { options: [one, 'Fish', other] })]) {
      const { json } = answer;
      assert.deepEqual([json.status, json.type, json.pointer], [400, '/problems/invalid-field', '/options'], `${one} ${other} ${answer.text}`);
      assert.ok(json.detail.includes(`"${one}"`) && json.detail.includes(`"${other}"`), answer.text);
    }
  }
  assert.deepEqual((await read(poll)).json.options, OPTIONS, 'nothing was stored');
  await must(poll, { options: ['e', 'é', 'è', 'ı', 'i', '١', '1', 'A', 'Ａ', 'می‌خواهم', 'میخواهم', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'] });
});

test('what people vote on is fixed from the opening on, each field with its reason', async () => {
  const poll = await instance.createPoll({ options: OPTIONS });
  const rows = [
    [{ options: ['A', 'B'] }, 409, 'poll-has-opened', '/options'],
    [{ method: 'ranked' }, 409, 'poll-has-opened', '/method'],
    [{ min_choices: 2 }, 409, 'poll-has-opened', '/min_choices'],
    [{ max_choices: 2 }, 409, 'poll-has-opened', '/max_choices'],
    [{ revisable: false }, 409, 'poll-has-opened', '/revisable'],
    [{ reopenable: true }, 409, 'poll-has-opened', '/reopenable'],
    [{ opens_at: '2100-01-01T00:00:00Z' }, 409, 'poll-has-opened', '/opens_at'],
    [{ state: 'draft' }, 409, 'poll-has-opened', '/state'],
    [{ closes_at: '2020-01-01T00:00:00Z' }, 400, 'invalid-field', '/closes_at'],
    [{ title: '' }, 400, 'invalid-field', '/title'],
    [{ method: 'best' }, 400, 'invalid-field', '/method'],
    [{ state: 'final' }, 400, 'invalid-field', '/state'],
    [{ term: 7 }, 400, 'invalid-field', '/term'],
  ];
  for (const [body, ...expected] of rows) await refused(patch(poll, body), ...expected);
  assert.deepEqual((await read(poll)).json.options, OPTIONS);
  const edited = await must(poll, { title: 'New', description: 'Text', closes_at: '2100-01-01T00:00:00Z' });
  assert.deepEqual([edited.title, edited.description, edited.closes_at], ['New', 'Text', '2100-01-01T00:00:00.000Z']);
  await must(poll, { state: 'closed' });
  await refused(patch(poll, { state: 'open' }), 409, 'poll-not-reopenable', '/state');
  await refused(patch(poll, { closes_at: '2100-01-01T00:00:00Z' }), 409, 'poll-closed', '/closes_at');
  await refused(vote(poll, 'o0'), 409, 'poll-closed');
});

// --- the cut

const publish = async (subject, batch) => (await (await instance.nats()).jetstream().publish(subject, encodeBatch(batch))).seq;
const ballotsOf = (poll, n, choice) => Array.from({ length: n }, () => ({ poll: poll.id, voter: randomBytes(16), choices: choice }));
const tallyOf = async (poll) => Object.fromEntries([...(await instance.books(poll.id)).books.tally].filter(([, n]) => n !== 0));
const workerPids = () => Promise.all(Array.from({ length: WORKERS }, (_, i) => instance.pid(`worker:worker_${i}`)));

test('a ballot above the fence is rejected also by a worker that is ahead of the one that holds the fence', async () => {
  const pids = await workerPids();
  const awake = pids[0];
  try {
    // The broker gives each message to any worker. Until one that is stopped has the fence:
    for (let tries = 0; ; tries++) {
      assert.ok(tries < 20, 'the worker that is awake got every fence');
      const poll = await instance.createPoll({ options: OPTIONS });
      await until('the workers know the poll', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [poll.id])).length === 1);
      await publish('ballots.batch', { ballots: ballotsOf(poll, 5, 'o0') });
      await instance.settle();
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      const fence = await publish('ballots.fence', { fencePoll: poll.id });
      const seqs = [];
      for (let i = 0; i < 30; i++) seqs.push(await publish('ballots.batch', { ballots: ballotsOf(poll, 2, 'o1') }));
      process.kill(awake, 'SIGCONT');
      await until('the one that is awake has applied its share', async () => {
        const [{ n }] = await instance.sql('SELECT count(*)::int AS n FROM rejected_ballots WHERE poll_id = $1', [poll.id]);
        return n > 0 || Object.keys(await tallyOf(poll)).includes('o1');
      });
      // In one look: the fence may be delivered again, and applied, at any moment.
      const [{ is_applied: isApplied, known, behind }] = await instance.sql(`SELECT p.fence AS known,
          EXISTS (SELECT FROM applied_batches WHERE seq = $2) AS is_applied,
          (SELECT coalesce(sum(n), 0)::int FROM tally AS t WHERE t.poll = p.key AND choice = 'o1') AS behind
        FROM polls AS p WHERE id = $1`, [poll.id, fence]);
      assert.equal(behind, 0, 'nothing after the fence counts, also when nobody has applied it');
      const early = !isApplied;
      if (early) assert.equal(known, null);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      await instance.settle();
      assert.deepEqual(await tallyOf(poll), { o0: 5 });
      const { books } = await instance.books(poll.id);
      assert.deepEqual([books.received, books.counted, books.rejected], [65, 5, 60]);
      const reasons = await instance.sql('SELECT DISTINCT reason FROM rejected_ballots WHERE poll_id = $1', [poll.id]);
      assert.deepEqual(reasons, [{ reason: 'after the fence' }]);
      assert.ok(seqs.every((seq) => seq > fence));
      if (early) break;
    }
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
  assert.deepEqual(await instance.auditViolations(), []);
});

test('a ballot that was taken before the poll closed, and held up on its way to the broker, counts: the fence waits for it', async () => {
  const AFTER_MS = 1000; // a fence that does not wait leaves in half of that
  const proxy = await Proxy.start({ at: { port: 0, host: '127.0.0.1' }, to: { port: Number(instance.settings.NATS_PORT), host: '127.0.0.1' } });
  const held = await instance.spawn('vote-api', { NATS_URL: instance.brokerUrl('vote-api', proxy.port) });
  try {
    for (let tries = 0; ; tries++) {
      assert.ok(tries < 10, 'the ballot never came in time');
      const poll = await instance.createPoll({ options: OPTIONS });
      const closes = await until('the closing time is taken', async () => { // refused when it is over by then
        const at = Date.now() + 1500;
        return (await patch(poll, { closes_at: new Date(at).toISOString() })).status === 200 && at;
      });
      await until('it knows when', async () => (await request(held.url, { path: `/v1/polls/${poll.id}` })).json.closes_at !== null);
      await until('the poll is about to close', () => Date.now() > closes - 200, { every: 1 });
      proxy.hold('up');
      const waiting = requestJson(held.url, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: ['o0'] });
      await until('the poll has been closed for a while', () => Date.now() > closes + AFTER_MS);
      proxy.release('up');
      const { status } = await waiting;
      if (status !== 202) continue; // a busy machine: it was let go too late, or came after the closing time
      assert.equal((await becomes(poll, 'final')).total, 1);
      assert.equal((await instance.books(poll.id)).books.rejected, 0);
      break;
    }
  } finally {
    held.kill('SIGKILL');
    await proxy.stop();
  }
});

test('a mark of another term changes nothing, and one on another subject is a dead letter', async () => {
  const poll = await instance.createPoll({ options: OPTIONS });
  await until('the workers know the poll', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [poll.id])).length === 1);
  const vote5 = async (choice) => publish('ballots.batch', { ballots: ballotsOf(poll, 5, choice) });
  const stray = await publish('ballots.batch', { fencePoll: poll.id });
  await vote5('o0');
  await publish('ballots.fence', { fencePoll: poll.id });
  await vote5('o1');
  await publish('ballots.fence', { gatePoll: poll.id, term: 1 });
  await publish('ballots.fence', { fencePoll: poll.id }); // of the term before: some vote-api was slow
  await vote5('o0');
  await publish('ballots.fence', { fencePoll: poll.id, term: 1 });
  await publish('ballots.fence', { gatePoll: poll.id, term: 1 }); // published again
  await vote5('o1');
  await instance.settle();
  assert.deepEqual(await tallyOf(poll), { o0: 10 });
  const [{ dead }] = await instance.sql('SELECT dead FROM applied_batches WHERE seq = $1', [stray]);
  assert.equal(dead, true);
});

test('a vote-api that dies between the gate and the definition: the poll is final all the same, and can be opened again', async () => {
  const poll = await instance.createPoll({ options: OPTIONS, reopenable: true });
  assert.equal((await vote(poll, 'o0')).status, 202);
  await must(poll, { state: 'closed' });
  await becomes(poll, 'final');
  // What it had done by then:
  const bucket = await (await instance.nats()).jetstream().views.kv('polls');
  const { value, revision } = await bucket.get(poll.id);
  await bucket.update(poll.id, Buffer.concat([value, announceTerm(1)]), revision);
  await publish('ballots.fence', { gatePoll: poll.id, term: 1 });
  await until('the gate is applied', async () => (await instance.sql('SELECT 1 FROM poll_marks WHERE poll_id = $1 AND opens AND term = 1',
    [poll.id])).length === 1);
  await until('the term is fenced', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1 AND fence IS NOT NULL AND term = 1',
    [poll.id])).length === 1);
  assert.equal((await becomes(poll, 'final')).total, 1);

  await must(poll, { state: 'open' });
  assert.equal((await vote(poll, 'o1')).status, 202);
  await resultsWhen(poll, 'the new ballot counts', (json) => json.state === 'open' && json.total === 2);
  const [{ term }] = await instance.sql('SELECT term FROM polls WHERE id = $1', [poll.id]);
  assert.equal(term, 2);
});

/** Two loads on one poll, each at a vote-api of its own, as one history. */
function historyOf(poll, loads) {
  const history = new History(poll.id);
  history.voters.push(...loads.flatMap((load) => load.history.voters));
  return { history };
}

test('closed under load with two vote-apis and workers killed, opened again, closed again: both cuts are exact', async () => {
  const poll = await instance.createPoll({ n: 10, reopenable: true });
  const other = await instance.spawn('vote-api');
  const loads = [instance.voteUrl, other.url].map((origin) => new Voters({ origin, poll: poll.id, options: poll.options, instance,
    inFlight: 100, rate: 3000, random }));
  const voteUntilClosed = async () => {
    for (const load of loads) load.start();
    await Promise.all(loads.map((load) => acknowledges(load, 1500)));
    await must(poll, { state: 'closed' });
    await until('both refuse', () => loads.every((load) => load.history.voters.some((voter) => voter.ops.at(-1)?.status === 409)));
    await Promise.all(loads.map((load) => load.stop()));
  };
  const late = async (term) => {
    // Who does not hear that a fence was recorded publishes another one, so there may be more.
    await until(`each vote-api has fenced term ${term}`, async () =>
      (await fences()).filter((fence) => fence.poll === poll.id && fence.term === term).length >= 2);
    for (let i = 0; i < 5; i++) await publish('ballots.batch', { ballots: ballotsOf(poll, 3, 'o0') });
  };
  const verdict = async (what, others) => {
    await instance.settle();
    const final = await becomes(poll, 'final');
    const { books } = await assertExact(instance, historyOf(poll, loads), { what, others });
    assert.equal(final.total, books.counted);
    assert.equal(books.rejected, (await instance.streamed(poll.id)).filter((ballot) => ballot.late).length);
    return { final, books };
  };
  try {
    await Promise.all(loads.map((load) => load.register(150)));
    const killing = { on: true };
    const kills = (async () => {
      for (; killing.on; await pause(150 + random() * 300)) { // the fault's own timing
        const pid = await instance.pid(`worker:${pick(random, ['worker_0', 'worker_1', 'worker_2'])}`).catch(() => 0);
        if (pid > 0) process.kill(pid, 'SIGKILL');
      }
    })();
    await voteUntilClosed();
    await late(0);
    killing.on = false;
    await kills;
    const first = await verdict('closed under load', 15);
    assert.ok(first.books.rejected >= 15, `${first.books.rejected}`); // and ballots of voters who were told nothing

    const etag = (await results(poll)).headers.etag;
    assert.equal((await must(poll, { state: 'open' })).state, 'open');
    const open = await becomes(poll, 'open');
    assert.ok(open.version > first.final.version);
    assert.notEqual((await results(poll)).headers.etag, etag);
    assert.equal(open.total, first.final.total);
    await until('the other vote-api knows', async () =>
      (await request(other.url, { path: `/v1/polls/${poll.id}` })).json.state === 'open');

    await voteUntilClosed();
    await late(1);
    const second = await verdict('closed again', 30);
    assert.ok(second.books.rejected >= 30, `${second.books.rejected}`);
    assert.ok(second.books.received > first.books.received + 500);
    assert.ok(second.final.version > open.version);

    const marks = await instance.sql('SELECT term, opens FROM poll_marks WHERE poll_id = $1 ORDER BY ordinal', [poll.id]);
    // Those that changed something; a fence does that too when a worker was faster with the one behind it.
    const order = marks.map(({ term, opens }) => `${opens ? 'gate' : 'fence'} ${term}`).filter((mark, i, all) => mark !== all[i - 1]);
    assert.deepEqual(order, ['fence 0', 'gate 1', 'fence 1']);
  } finally {
    await Promise.all(loads.map((load) => load.close()));
  }
});

test('after a restart the poll that closed last is fenced first, however many closed before', async () => {
  const make = () => instance.createPoll({ options: OPTIONS });
  const old = await Promise.all(Array.from({ length: 40 }, make)), last = await make();
  for (const poll of old) await must(poll, { state: 'closed' });
  await must(last, { state: 'closed' });
  await until('all are fenced', async () => {
    const fenced = new Set((await fences()).map((fence) => fence.poll));
    return [...old, last].every(({ id }) => fenced.has(id));
  });
  await instance.settle();
  const known = await instance.sql('SELECT count(*)::int AS n FROM poll_marks');
  const { state } = await (await instance.jsm()).streams.info('BALLOTS');
  await instance.killAndWait('vote-api');
  const order = await until('all are fenced again', async () => {
    const ids = (await fences()).filter(({ sequence }) => sequence > state.last_seq).map((fence) => fence.poll);
    return old.every(({ id }) => ids.includes(id)) && ids;
  }, { timeout: 60_000 });
  assert.ok(order.indexOf(last.id) >= 0 && order.indexOf(last.id) < 16, `fence ${order.indexOf(last.id)} of ${order.length}`);
  await instance.settle();
  assert.deepEqual(await instance.sql('SELECT count(*)::int AS n FROM poll_marks'), known, 'the books do not grow with restarts');
});
