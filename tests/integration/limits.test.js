// Limits of requests: a hall behind one address is never kept waiting, a flood is; and who is behind a proxy.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import http from 'node:http';
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
