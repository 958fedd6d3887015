// A poll in time: drafts, opening, closing, opening again; what an edit may change when; the cut that a fence makes.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { Instance } from '../lib/instance.js';
import { request, requestJson } from '../lib/http.js';
import { until } from '../lib/wait.js';

const OPTIONS = [{ id: 'o0', label: 'Cats' }, { id: 'o1', label: 'Dogs' }];

let instance;
before(async () => {
  instance = await Instance.start({ workers: 3, env: { ACK_TIMEOUT_MS: '500' } }); // a fence comes 2 s after the closing
});
after(() => instance?.stop());

const patch = (poll, body, url = instance.voteUrl) =>
  requestJson(url, 'PATCH', `/v1/polls/${poll.id}`, body, { authorization: `Bearer ${poll.token}` });
const vote = (poll, choice) => requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: [choice] });
const read = (poll) => request(instance.voteUrl, { path: `/v1/polls/${poll.id}` });
const results = (poll) => request(instance.resultUrl, { path: `/v1/polls/${poll.id}/results` });

async function must(poll, body) {
  const answer = await patch(poll, body);
  assert.equal(answer.status, 200, `${JSON.stringify(body)}: ${answer.text}`);
  return answer.json;
}

async function refused(answer, status, type, pointer) {
  const { json, text } = await answer;
  assert.deepEqual([json.status, json.type, json.pointer], [status, `/problems/${type}`, pointer], text);
  assert.ok(json.detail.length > 10, text);
}

const resultsWhen = (poll, what, is, timeout = 20_000) => until(`${poll.id}: ${what}`, async () => {
  const { json, text } = await results(poll);
  return is(json) ? json : Promise.reject(new Error(text));
}, { timeout });
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
  assert.ok(Math.abs(Date.parse(open.opens_at) - Date.now()) < 10_000, open.opens_at);
  assert.equal((await vote(poll, 'o2')).status, 202);
  await resultsWhen(poll, 'the ballot counts', (json) => json.state === 'open' && json.total === 1);
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
