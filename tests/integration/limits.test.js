// Limits of requests: a hall behind one address is never kept waiting, a flood is; and who is behind a proxy.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Instance, PATIENT, programPath } from '../lib/instance.js';
import { request, requestJson } from '../lib/http.js';
import { until } from '../lib/wait.js';

/** So slowly does a bucket of these tests fill that no machine is too slow for them. */
const SLOW = 4000;

let instance;
let poll;
before(async () => {
  instance = await Instance.start({ workers: 1, env: { ...PATIENT, RATE_LIMITS: 'on', LIMIT_VOTER_TOKENS: `3/${3 * SLOW}` } });
  poll = await instance.createPoll({ n: 2 });
});
after(() => instance?.stop());

const vote = (url, headers = {}, localAddress = '127.0.0.1') => request(url, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`,
  headers: { 'content-type': 'application/json', ...headers }, body: '{"selection":["o0"]}', tls: { localAddress } });
const from = (address) => ({ 'x-forwarded-for': address });
const statuses = async (n, send) => {
  const answers = [];
  for (let i = 0; i < n; i++) answers.push((await send(i)).status);
  return answers;
};
const count = (list, value) => list.filter((one) => one === value).length;

/** Sends all of it on connections that stay open; gives how often each status came. */
async function flood(n, options) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 500 });
  const url = new URL(instance.voteUrl);
  const seen = {};
  await Promise.all(Array.from({ length: n }, () => new Promise((done, failed) => {
    const { body, ...rest } = options;
    const req = http.request({ host: url.hostname, port: url.port, agent, ...rest }, (res) => {
      seen[res.statusCode] = (seen[res.statusCode] ?? 0) + 1;
      res.resume().on('end', done).on('error', failed);
    });
    req.on('error', failed).end(body);
  })));
  agent.destroy();
  return seen;
}

test('by default 3,000 people behind one address vote at once, and the classic load of 3,000 posts goes through', async () => {
  const body = '{"selection":["o1"]}';
  const hall = await flood(3000, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`,
    headers: { 'content-type': 'application/json', 'content-length': body.length }, body });
  assert.deepEqual(hall, { 202: 3000 });
  const classic = await flood(3000, { method: 'POST', path: '/',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': 6 }, body: 'vote=a' });
  assert.deepEqual(classic, { 200: 3000 });
});

test('429 says who, how many, and when to come back', async () => {
  const { url } = await instance.spawn('vote-api', { LIMIT_BALLOTS: `20/${20 * SLOW}` });
  const answers = [];
  for (let i = 0; i < 21; i++) answers.push(await vote(url));
  assert.deepEqual(answers.map(({ status }) => status), [...Array(20).fill(202), 429]);
  assert.equal(answers[17].headers.ratelimit, undefined, 'two are left: nothing to say yet');
  assert.equal(answers[18].headers['ratelimit-policy'], `"ballots";q=20;w=${20 * SLOW}`);
  assert.match(answers[18].headers.ratelimit, /^"ballots";r=1;t=\d+$/);

  const { headers, json } = answers[20];
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.equal(json.type, '/problems/too-many-requests');
  assert.equal(json.status, 429);
  assert.deepEqual(json['violated-policies'], ['ballots']);
  assert.match(json.detail, /^One address may make 20 such requests/);
  assert.match(json.request_id, /^[0-9a-f]{16}$/);
  const wait = Number(headers['retry-after']);
  assert.ok(wait > SLOW - 600 && wait <= SLOW, headers['retry-after']);
  assert.equal(headers['ratelimit-policy'], `"ballots";q=20;w=${20 * SLOW}`);
  assert.equal(headers.ratelimit, `"ballots";r=0;t=${wait}`);

  const metrics = (await request(url, { path: '/metrics' })).text;
  assert.match(metrics, /^http_requests_limited_total\{limit="ballots"\} 1$/m);
  assert.deepEqual(await statuses(3, () => request(url, { path: '/livez' })), [200, 200, 200]);
});

test('a refusal with a fraction of a second left says 1 s, never 0', async () => {
  const { url } = await instance.spawn('vote-api', { LIMIT_READS: '50/5' }); // ten a second
  const refused = await until('some are refused', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => request(url, { path: `/v1/polls/${poll.id}` })));
    const late = answers.filter(({ status }) => status === 429);
    return late.length > 0 && late;
  });
  for (const { headers, json } of refused) {
    assert.equal(headers['retry-after'], '1');
    assert.match(json.detail, /try again in 1 s/);
  }
});

test('behind a trusted proxy everybody has a bucket, IPv6 by /64, and nobody can choose one', async () => {
  const child = await instance.spawn('vote-api', { LIMIT_BALLOTS: `3/${3 * SLOW}`, TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' });
  const { url } = child;
  const votes = (n, header, local) => statuses(n, (i) => vote(url, typeof header === 'function' ? header(i) : header, local));

  assert.deepEqual(await votes(4, from('198.51.100.1')), [202, 202, 202, 429]);
  assert.deepEqual(await votes(1, from('198.51.100.2')), [202]);
  assert.deepEqual(await votes(4, (i) => from(`2001:db8:0:1::${i + 1}`)), [202, 202, 202, 429]);
  assert.deepEqual(await votes(1, from('2001:db8:0:2::1')), [202]);
  // What the client itself sent stands to the left of what the proxies wrote.
  assert.deepEqual(await votes(4, (i) => from(`203.0.113.${i}, 198.51.100.7, 10.1.2.3`)), [202, 202, 202, 429]);
  assert.deepEqual(await votes(1, from('198.51.100.7')), [429]);
  // Two headers are one list (RFC 9110, 5.3).
  assert.deepEqual(await votes(1, { 'x-forwarded-for': ['198.51.100.1', '10.0.0.1'] }), [429]);
  // A stranger's header means nothing.
  assert.deepEqual(await votes(4, (i) => from(`203.0.113.${i}`), '127.0.0.5'), [202, 202, 202, 429]);
  assert.deepEqual(await votes(1, from('203.0.113.9'), '127.0.0.6'), [202]);

  await until('the log names who met the limit', () => /"event":"requests limited","limit":"ballots","client":"198\.51\.100\.1"/.test(child.output));
});

test('behind the pages everybody has a bucket, whatever they send', async () => {
  const token = (local, forwarded) => request(instance.votePage, { method: 'POST', path: '/v1/voters', headers: from(forwarded), tls: { localAddress: local } });
  assert.deepEqual(await statuses(4, (i) => token('127.0.0.8', `203.0.113.${i}`)), [201, 201, 201, 429]);
  assert.equal((await token('127.0.0.9', '127.0.0.8')).status, 201);
});

test('a voter who changes their mind for ever is limited, and others at the address are not', async () => {
  const { url } = await instance.spawn('vote-api', { LIMIT_VOTER_BALLOTS: `3/${3 * SLOW}` });
  const first = await vote(url);
  const [cookie] = first.headers['set-cookie'][0].split(';');
  assert.deepEqual(await statuses(4, () => vote(url, { cookie })), [202, 202, 202, 429]);
  const other = await vote(url);
  assert.equal(other.status, 202);
  assert.equal((await vote(url, { cookie: other.headers['set-cookie'][0].split(';')[0] })).status, 202);
  const classic = (voter) => requestJson(url, 'POST', '/', { vote: 'a', voter_id: voter });
  assert.deepEqual(await statuses(4, () => classic('bob')), [200, 200, 200, 429]);
  assert.equal((await classic('eve')).status, 200);
});

test('polls, their changes, tokens and reads have limits of their own', async () => {
  const limit = `2/${2 * SLOW}`;
  const { url } = await instance.spawn('vote-api', { LIMIT_POLLS: limit, LIMIT_CHANGES: limit, LIMIT_VOTER_TOKENS: limit, LIMIT_READS: limit });
  const key = { authorization: `Bearer ${instance.apiKey}` };
  const create = (headers) => requestJson(url, 'POST', '/v1/polls', { title: 'T', options: ['A', 'B'] }, headers);
  assert.deepEqual(await statuses(3, () => create({})), [201, 201, 429]);
  assert.deepEqual(await statuses(3, () => create(key)), [201, 201, 201], 'who has an API key is not limited');
  const change = () => requestJson(url, 'PATCH', `/v1/polls/${poll.id}`, { title: 'New' }, { authorization: `Bearer ${poll.token}` });
  assert.deepEqual(await statuses(3, change), [200, 200, 429]);
  assert.deepEqual(await statuses(3, () => request(url, { method: 'POST', path: '/v1/voters' })), [201, 201, 429]);
  assert.deepEqual(await statuses(3, (i) => request(url, { path: i === 0 ? '/v1/polls' : `/v1/polls/${poll.id}` })), [200, 200, 429]);
});

const key = () => ({ authorization: `Bearer ${instance.apiKey}` });
const create = (url, headers = {}, more = {}) => requestJson(url, 'POST', '/v1/polls', { title: 'T', options: ['A', 'B'], ...more }, headers);
const askCodes = (url, { id, token }, n) => requestJson(url, 'POST', `/v1/polls/${id}/codes`, { count: n }, { authorization: `Bearer ${token}` });
const tally = (answers) => Object.fromEntries([...new Set(answers.map(({ status }) => status))].sort().map((status) =>
  [status, answers.filter((answer) => answer.status === status).length]));
const metric = async (url, name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await request(url, { path: '/metrics' })).text)[1]);

test('a stranger who spends all that an address has takes nothing from voters who are known there', async () => {
  const few = `20/${20 * SLOW}`;
  const { url } = await instance.spawn('vote-api', { LIMIT_BALLOTS: few, LIMIT_CLASSIC: few, LIMIT_VOTER_TOKENS: few,
    LIMIT_REVISIONS: few, LIMIT_VOTER_BALLOTS: '60/86400' });
  const coded = await instance.createPoll({ n: 2, voter_policy: 'code' });
  const codes = (await askCodes(instance.voteUrl, coded, 3)).json.codes;
  const newToken = async () => ({ authorization: `Bearer ${(await request(url, { method: 'POST', path: '/v1/voters' })).json.token}` });
  const form = (headers = {}) => request(url, { method: 'POST', path: '/', body: 'vote=a',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
  const withCode = (code) => requestJson(url, 'PUT', `/v1/polls/${coded.id}/ballot`, { selection: ['o0'] }, { authorization: `Bearer ${code}` });
  await until('it knows the codes', async () => (await withCode(codes[0])).status === 202);
  const [cookie] = (await vote(url)).headers['set-cookie'][0].split(';');
  const early = await newToken();

  // Form posts, as many as there is room for: the page's way stays free, and so does that of programs without a cookie.
  assert.deepEqual(tally(await Promise.all(Array.from({ length: 60 }, () => form()))), { 200: 20, 429: 40 });
  assert.equal((await requestJson(url, 'POST', '/', { vote: 'a', voter_id: 'invented' })).status, 429, 'whoever names himself is new');
  assert.equal((await requestJson(url, 'POST', '/', { vote: 'a', voter_id: 'invented' }, { cookie })).status, 429, 'also beside a good cookie');
  const met = await newToken();
  assert.equal((await vote(url, met)).status, 202);
  assert.equal((await vote(url)).status, 202);

  // All of the other ways as well: new voters, tokens, and ballots without end of those who have one.
  assert.deepEqual(tally(await Promise.all(Array.from({ length: 60 }, () => vote(url)))), { 202: 18, 429: 42 });
  const tokens = await Promise.all(Array.from({ length: 60 }, () => request(url, { method: 'POST', path: '/v1/voters' })));
  assert.deepEqual(tally(tokens), { 201: 18, 429: 42 });
  const greedy = { authorization: `Bearer ${tokens.find(({ status }) => status === 201).json.token}` };
  const revisions = await Promise.all(Array.from({ length: 59 }, () => vote(url, greedy)));
  assert.deepEqual(tally(revisions), { 202: 30, 429: 29 }, 'ten of its own, and the twenty of the address');
  assert.deepEqual(revisions.find(({ status }) => status === 429).json['violated-policies'], ['revisions']);

  for (const [who, answers] of Object.entries({
    'a cookie': await statuses(5, () => vote(url, { cookie })),
    'a cookie, by the form': await statuses(3, () => form({ cookie })),
    'a token from before': await statuses(5, () => vote(url, early)),
    'a token that has voted': await statuses(5, () => vote(url, met)),
  })) assert.deepEqual([...new Set(answers)], [who.includes('form') ? 200 : 202], who);
  for (const code of codes) assert.equal((await withCode(code)).status, 202);
});

test('an IPv6 delegation, or a network of IPv4, gets a few times what an address gets, not as often as it has addresses', async () => {
  const { url } = await instance.spawn('vote-api', { LIMIT_POLLS: `3/${3 * SLOW}`, LIMIT_BALLOTS: `1/${SLOW}`, TRUSTED_PROXIES: '127.0.0.1' });
  const polls = (n, address) => statuses(n, (i) => create(url, from(address(i))));
  const admitted = (list) => list.filter((status) => status < 300).length;
  assert.equal(admitted(await polls(20, (i) => `2001:db8:5:${i}::1`)), 6, 'twice, for polls');
  assert.equal(admitted(await polls(4, () => '2001:db8:6::1')), 3, 'another delegation');
  assert.equal(admitted(await polls(20, (i) => `198.51.100.${i + 1}`)), 6);
  assert.equal(admitted(await polls(4, () => '198.51.101.1')), 3);
  assert.equal(admitted(await statuses(20, (i) => vote(url, from(`2001:db8:5:${i}::1`)))), 8, 'eight times, for everything else');
  assert.equal(admitted(await statuses(20, (i) => vote(url, from(`198.51.100.${i + 1}`)))), 8);
  // Who is refused costs the others of his network nothing.
  assert.equal(admitted(await statuses(20, () => vote(url, from('203.0.113.1')))), 1);
  assert.equal(admitted(await statuses(7, (i) => vote(url, from(`203.0.113.${i + 2}`)))), 7);
});

test('POLLS_MAX holds however many are asked for at once, and a quarter of it is for holders of API keys', async () => {
  const there = await metric(instance.voteUrl, 'polls');
  let max = there;
  while (max - Math.floor(max / 4) < there + 3) max++;
  const { url } = await instance.spawn('vote-api', { POLLS_MAX: String(max) });
  const open = await Promise.all(Array.from({ length: 20 }, () => create(url)));
  assert.deepEqual(tally(open), { 201: 3, 503: 17 });
  assert.match(open.find(({ status }) => status === 503).json.detail, /API key/);
  const keyed = await Promise.all(Array.from({ length: max }, () => create(url, key())));
  assert.deepEqual(tally(keyed), { 201: Math.floor(max / 4), 503: max - Math.floor(max / 4) });
  assert.equal(await metric(url, 'polls'), max);
});

test('CODES_MAX holds however many are asked for at once; what failed is not counted, and what was deleted is free again', async () => {
  const { url } = await instance.spawn('vote-api', { CODES_MAX: '4000' });
  const before_ = await metric(url, 'voting_codes');
  const full = await instance.createPoll({ n: 2, voter_policy: 'code' });
  await until('it knows the poll', async () => (await request(url, { path: `/v1/polls/${full.id}` })).status === 200);
  const answers = await Promise.all(Array.from({ length: 25 }, () => askCodes(url, full, 400)));
  const fit = Math.floor((4000 - before_) / 400);
  assert.deepEqual(tally(answers), { 201: fit, 503: 25 - fit });
  assert.equal(await metric(url, 'voting_codes'), before_ + fit * 400);
  assert.equal((await request(url, { method: 'DELETE', path: `/v1/polls/${full.id}`, headers: { authorization: `Bearer ${full.token}` } })).status, 204);
  assert.equal(await metric(url, 'voting_codes'), before_);

  // More than a poll may have, at once: those that are refused leave nothing behind.
  const crowded = await instance.createPoll({ n: 2, voter_policy: 'code' });
  const counts = await Promise.all(Array.from({ length: 3 }, () => askCodes(instance.voteUrl, crowded, 60_000)));
  assert.deepEqual(tally(counts), { 201: 1, 400: 2 });
  const issued = before_ + 60_000;
  await until('the others know them', async () => (await metric(url, 'voting_codes')) >= issued);
  for (const one of [url, instance.voteUrl]) assert.equal(await metric(one, 'voting_codes'), issued);
});

test('voting codes are limited by their number, and many of them need a poll that was made with an API key', async () => {
  const { url } = await instance.spawn('vote-api', { CODES_WITHOUT_KEY: '50', LIMIT_CODES: '90/86400' });
  const made = async (headers) => {
    const { id, manage_token: token } = (await create(url, headers, { voter_policy: 'code' })).json;
    return { id, token };
  };
  const [first, second, keyed] = [await made({}), await made({}), await made(key())];
  const tooMany = await askCodes(url, first, 51);
  assert.deepEqual([tooMany.status, tooMany.json.type], [403, '/problems/api-key-needed']);
  assert.equal((await askCodes(url, first, 50)).status, 201);
  assert.equal((await askCodes(url, first, 1)).json.type, '/problems/api-key-needed', 'in all, not in one request');
  const refused = await askCodes(url, second, 41);
  assert.deepEqual([refused.status, refused.json['violated-policies']], [429, ['codes']]);
  assert.equal((await askCodes(url, second, 40)).status, 201, 'what was refused cost nothing');
  assert.equal((await askCodes(url, second, 1)).status, 429);
  assert.equal((await askCodes(url, keyed, 2000)).status, 201);
});

test('who asks for more voting codes than an address gets at once is not told to wait for what never comes', async () => {
  const { url } = await instance.spawn('vote-api', { CODES_WITHOUT_KEY: '50', LIMIT_CODES: '20/86400' });
  const { id, manage_token: token } = (await create(url, {}, { voter_policy: 'code' })).json;
  const tooMany = await askCodes(url, { id, token }, 21);
  assert.deepEqual([tooMany.status, tooMany.json.type, tooMany.json.pointer], [403, '/problems/api-key-needed', '/count']);
  assert.match(tooMany.json.detail, /20 codes/);
  assert.equal(tooMany.headers['retry-after'], undefined);
  assert.equal((await askCodes(url, { id, token }, 20)).status, 201);
  assert.equal((await askCodes(url, { id, token }, 1)).status, 429);
});

test('a poll that nobody votes in is closed, deleted and forgotten; a ballot in the last moment counts, and whoever has a key keeps it', async () => {
  const { url } = await instance.spawn('vote-api', { ACK_TIMEOUT_MS: '100', RATE_LIMITS: 'off' }); // so its fences come soon
  const make = async (headers, more) => (await create(url, headers, more)).json;
  const get = (id) => request(url, { path: `/v1/polls/${id}` });
  const put = (id) => requestJson(url, 'PUT', `/v1/polls/${id}/ballot`, { selection: ['1'] });
  const unused = await Promise.all([make({}), make({}, { state: 'draft' }), make({}, { voter_policy: 'code' })]);
  const kept = await Promise.all([make({}), make(key()), make({}, { opens_at: '2099-01-01T00:00:00Z' })]);
  assert.equal((await put(kept[0].id)).status, 202);
  await instance.settle();
  const worker = await instance.spawn('worker', { POLL_UNUSED_S: '1', POLL_FORGET_S: '1' });
  for (const { id } of unused) await until('it is deleted', async () => (await get(id)).status === 404);

  // Told that it closes and still open: its first ballot is before the fence. On a busy machine it may be late, once.
  const met = await until('a ballot comes in time', async () => {
    const poll = await make({});
    await until('it is to close', async () => (await get(poll.id)).json.closes_at !== null);
    return (await put(poll.id)).status === 202 && poll;
  });
  await until('it is final, with its ballot', async () => {
    const { json } = await request(instance.resultUrl, { path: `/v1/polls/${met.id}/results` });
    return json.state === 'final' && json.total === 1;
  });

  const names = async () => Object.keys((await (await instance.jsm()).streams.info('KV_polls', { subjects_filter: '$KV.polls.>' })).state.subjects ?? {});
  for (const { id } of unused) {
    await until('it is forgotten', async () => !(await names()).includes(`$KV.polls.${id}`)
      && (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [id])).length === 0);
  }
  worker.kill('SIGTERM');
  for (const { id } of [...kept, met]) assert.equal((await get(id)).status, 200);
  const late = await instance.spawn('vote-api');
  assert.equal(await metric(late.url, 'polls'), (await names()).length, 'what is forgotten does not count');
  await instance.settle();
  assert.deepEqual(await instance.auditViolations(), []);
});

test('result-api limits reads of all kinds together', async () => {
  const { url } = await instance.spawn('result-api', { LIMIT_READS: `3/${3 * SLOW}` });
  const paths = [`/v1/polls/${poll.id}/results`, `/v1/polls/${poll.id}/results.csv`, '/v1/receipts/none', `/v1/polls/${poll.id}/results/stream`];
  assert.deepEqual(await statuses(4, (i) => request(url, { path: paths[i] })), [200, 200, 404, 429]);
});

test('switched off, nothing is limited', async () => {
  const { url } = await instance.spawn('vote-api', { RATE_LIMITS: 'off', LIMIT_BALLOTS: `1/${SLOW}`, LIMIT_READS: `1/${SLOW}` });
  assert.equal(count(await statuses(5, () => vote(url)), 202), 5);
  assert.equal(count(await statuses(5, () => request(url, { path: '/v1/polls' })), 200), 5);
});

for (const [name, setting, value] of [
  ['vote-api', 'LIMIT_BALLOTS', '100'], ['vote-api', 'LIMIT_VOTER_BALLOTS', '100/0'], ['vote-api', 'TRUSTED_PROXIES', 'nginx'],
  ['result-api', 'LIMIT_READS', 'many'], ['result-api', 'TRUSTED_PROXIES', '10.0.0.0/33'],
]) {
  test(`${name} refuses ${setting}=${value}`, () => {
    const { status, stderr } = spawnSync(programPath(name), ['--check-config'], { encoding: 'utf8',
      env: { ...instance.serviceEnv(name), [setting]: value } });
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(setting));
  });
}

test('a poll does not expire while its ballots wait in the stream', async () => {
  const { url } = await instance.spawn('vote-api', { RATE_LIMITS: 'off' });
  const { id } = (await create(url)).json;
  await until('the database has it', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [id])).length === 1);
  await instance.ctl('stop', 'worker:worker_0');
  for (const of of [poll.id, id]) {
    assert.equal((await requestJson(url, 'PUT', `/v1/polls/${of}/ballot`, { selection: [of === id ? '1' : 'o0'] })).status, 202);
  }
  await pause(1100);
  const worker = await instance.spawn('worker', { POLL_UNUSED_S: '1', TRANSACTION_BALLOTS: '1' }); // it knows of the first only, at first
  await instance.settle();
  worker.kill('SIGTERM');
  await instance.ctl('start', 'worker:worker_0');
  assert.equal((await request(url, { path: `/v1/polls/${id}` })).json.closes_at, null);
});

test('deleted polls with ballots, which are kept for good, cost the search for unused ones nothing', async () => {
  const { url } = await instance.spawn('vote-api', { ACK_TIMEOUT_MS: '100', RATE_LIMITS: 'off' });
  const made = (await create(url)).json;
  await instance.sql(`WITH old AS (
    INSERT INTO polls (id, definition, title, method, revisable, deleted, updated_at, fence)
      SELECT 'old-' || n, '', 'T', 'plurality', true, true, '2020-01-01', 1::bigint << 52 FROM generate_series(1, 1000) AS n RETURNING key)
    INSERT INTO ledger (poll, slot, received, counted) SELECT key, 1, 1, 1 FROM old`);
  await instance.sql("ALTER ROLE scrutin_worker SET track_functions = 'all'");
  const worker = await instance.spawn('worker', { POLL_FORGET_S: '1' });
  assert.equal((await request(url, { method: 'DELETE', path: `/v1/polls/${made.id}`, headers: { authorization: `Bearer ${made.manage_token}` } })).status, 204);
  await until('it is forgotten', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [made.id])).length === 0);
  worker.kill('SIGTERM');
  const [{ calls }] = await until('it is counted', async () => {
    const rows = await instance.sql("SELECT calls::int FROM pg_stat_user_functions WHERE funcname = 'poll_is_free'");
    return rows.length > 0 && rows;
  });
  await instance.sql('ALTER ROLE scrutin_worker RESET track_functions');
  await instance.sql("DELETE FROM ledger WHERE poll IN (SELECT key FROM polls WHERE id LIKE 'old-%')");
  await instance.sql("DELETE FROM polls WHERE id LIKE 'old-%'");
  assert.ok(calls < 1000, `asked ${calls} times`);
});

test('a poll that is about to expire stays when somebody makes voting codes for it', async () => {
  const { url } = await instance.spawn('vote-api', { ACK_TIMEOUT_MS: '100', RATE_LIMITS: 'off' });
  const [cared, left] = await Promise.all([0, 1].map(async () => (await create(url, {}, { voter_policy: 'code' })).json));
  const status = async ({ id }) => (await request(url, { path: `/v1/polls/${id}` })).status;
  const hasty = await instance.spawn('worker', { POLL_UNUSED_S: '1' });
  await until('both are to close', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = ANY ($1) AND closes_at IS NOT NULL',
    [[cared.id, left.id]])).length === 2, { every: 5 });
  hasty.kill('SIGTERM');
  assert.equal((await askCodes(url, { id: cared.id, token: cared.manage_token }, 1)).status, 201);
  await instance.spawn('worker', { POLL_UNUSED_S: '600', POLL_FORGET_S: '1' });
  await until('the other is deleted', async () => await status(left) === 404);
  await pause(1000);
  assert.equal(await status(cared), 200);
});
