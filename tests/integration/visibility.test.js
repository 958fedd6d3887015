// Who sees results when: always, after voting, after the closing; in every form that they have.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { Instance } from '../lib/instance.js';
import { EventStream } from '../lib/events.js';
import { PROTOCOLS, patiently, request, requestJson } from '../lib/http.js';
import { until } from '../lib/wait.js';

let instance;
before(async () => {
  instance = await Instance.start({ workers: 1 });
});
after(() => instance?.stop());

const SNAPSHOTS = ['results', 'results.json', 'results.csv', 'timeline', 'timeline.csv'];
const FORMS = [...SNAPSHOTS, 'results/stream'];
const bearer = (poll) => ({ authorization: `Bearer ${poll.token}` });
const get = (poll, form = 'results', headers = {}, query = '', protocol = 'HTTP/1.1') =>
  request(instance.resultUrl, { path: `/v1/polls/${poll.id}/${form}${query}`, headers }, protocol);
const stream = (poll, headers = {}, query = '') => EventStream.open(instance.resultUrl, `/v1/polls/${poll.id}/results/stream${query}`, { headers });

async function patch(poll, change) {
  const answer = await patiently(() => requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, change, bearer(poll)));
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

/** Votes as somebody new; gives the receipt. */
async function vote(poll) {
  const answer = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: ['o0'] });
  assert.equal(answer.status, 202, answer.text);
  return answer.json.receipt;
}

/** A poll that result-api knows and in which `votes` people have voted; with their receipts. */
async function makePoll(visibility, votes = 1, more = {}) {
  const poll = await instance.createPoll({ n: 2, results_visibility: visibility, ...more });
  poll.receipts = [];
  for (let i = 0; i < votes; i++) poll.receipts.push(await vote(poll));
  await until('result-api has counted', async () =>
    (await get(poll, 'results', bearer(poll))).json.total === votes);
  return poll;
}

function assertHidden({ status, headers, json }, visibility) {
  assert.equal(status, 403);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.equal(json.type, '/problems/results-hidden');
  assert.equal(json.visibility, visibility);
  assert.match(json.detail, visibility === 'after_vote' ? /receipt/ : /closed|closes/);
  assert.equal(headers['cache-control'], 'private, no-store');
  assert.equal(headers.vary, 'Authorization, Scrutin-Receipt');
  assert.equal(headers.etag, undefined);
  assert.equal(json.results ?? json.total ?? json.ledger, undefined, 'never zeros');
}

/** Eventually, because an edit takes a moment to reach result-api. */
const becomes = (status, ask) => until(`the status is ${status}`, async () => {
  const answer = await ask();
  if (answer.status !== status) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
});

for (const protocol of PROTOCOLS) {
  test(`after_close over ${protocol}: hidden in every form, but from who manages the poll`, async () => {
    const poll = await makePoll('after_close');
    const receipt = `?receipt=${poll.receipts[0]}`;
    for (const form of FORMS) {
      assertHidden(await get(poll, form, {}, '', protocol), 'after_close');
      assertHidden(await get(poll, form, { 'if-none-match': '*' }, receipt, protocol), 'after_close');
      assertHidden(await get(poll, form, { authorization: `Bearer ${poll.token.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))}` }, '', protocol), 'after_close');
    }
    for (const form of SNAPSHOTS) {
      const { status, headers, text } = await get(poll, form, bearer(poll), '', protocol);
      assert.equal(status, 200);
      if (form.startsWith('results')) assert.match(text, form.endsWith('csv') ? /"o0","Option 0",1/ : /"total":1/);
      assert.equal(headers['cache-control'], 'private, no-store');
      assert.equal(headers.vary, 'Authorization, Scrutin-Receipt');
    }
    const head = await request(instance.resultUrl, { method: 'HEAD', path: `/v1/polls/${poll.id}/results` }, protocol);
    assert.equal(head.status, 403);
  });
}

test('after_close: everybody sees the results from the closing on, also while they are still counted', async () => {
  const poll = await makePoll('after_close', 2);
  assert.equal((await get(poll)).headers['retry-after'], undefined, 'nobody knows when it will be closed');
  await patch(poll, { state: 'closed' });
  const { headers, json } = await becomes(200, () => get(poll));
  assert.equal(json.total, 2);
  assert.equal(headers['cache-control'], 'no-cache');
  assert.equal(headers.vary, 'Authorization, Scrutin-Receipt');
  assert.equal((await get(poll, 'results.csv')).status, 200);
  const open = await stream(poll);
  assert.match((await open.next()).data.state, /^(counting|final)$/);
  open.close();
});

test('after_close with a closing time: 403 says when to come back, and then they show by themselves', async () => {
  const poll = await makePoll('after_close');
  /** Closes it in so many seconds; gives when that is. */
  const closeIn = (seconds) => until('the time is taken', async () => {
    const closesAt = new Date(Date.now() + seconds * 1000).toISOString();
    await patch(poll, { closes_at: closesAt }); // refused when it is over by then
    return closesAt;
  });
  const later = await closeIn(600);
  const hidden = await until('result-api knows when', async () => {
    const answer = await get(poll, 'results/stream');
    return answer.headers['retry-after'] && answer;
  });
  assertHidden(hidden, 'after_close');
  assert.equal(hidden.json.visible_at, later);
  const wait = Number(hidden.headers['retry-after']);
  assert.ok(wait >= 500 && wait <= 600, `Retry-After: ${hidden.headers['retry-after']}`);
  const manager = await stream(poll, bearer(poll));
  assert.equal((await manager.next()).data.state, 'open');

  const soon = await closeIn(1.5);
  await until('result-api knows the new time', async () => {
    const { status, json } = await get(poll);
    return status === 200 || json.visible_at === soon;
  });
  await until('it has closed', () => Date.now() > Date.parse(soon) + 20);
  assert.equal((await get(poll)).json.total, 1);
  await manager.nextWhere(({ data }) => data.state !== 'open');
  manager.close();
});

test('after_vote: who sends a receipt of this poll sees them', async () => {
  const poll = await makePoll('after_vote');
  const other = await makePoll('after_vote');
  const [receipt] = poll.receipts;
  const forged = receipt.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'));
  const refused = await get(poll);
  assertHidden(refused, 'after_vote');
  for (const wrong of [other.receipts[0], forged, receipt.slice(0, -1), '', 'x'.repeat(300), '%00']) {
    for (const form of FORMS) assertHidden(await get(poll, form, {}, `?receipt=${wrong}`), 'after_vote');
    const answer = await get(poll, 'results', { 'scrutin-receipt': wrong });
    assertHidden(answer, 'after_vote');
    assert.equal(answer.json.detail, refused.json.detail, 'as without');
  }
  for (const form of SNAPSHOTS) {
    for (const answer of [await get(poll, form, {}, `?receipt=${receipt}`), await get(poll, form, { 'scrutin-receipt': receipt }),
      await get(poll, form, bearer(poll))]) {
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['cache-control'], 'private, no-store');
    }
  }
  const open = await stream(poll, {}, `?receipt=${receipt}`);
  assert.equal(open.headers['cache-control'], 'private, no-store');
  assert.equal((await open.next()).data.total, 1);
  await vote(poll);
  await open.nextWhere(({ data }) => data.total === 2);
  open.close();
  await patch(poll, { state: 'closed' });
  await becomes(200, () => get(poll));
});

test('a running stream ends when its poll begins to hide results from it, and not before', async () => {
  const poll = await makePoll('always');
  const plain = await get(poll);
  assert.equal(plain.status, 200);
  assert.equal(plain.headers.vary, undefined, 'it depends on nobody');
  assert.equal(plain.headers['cache-control'], 'no-cache');
  const viewer = await stream(poll);
  const voter = await stream(poll, { 'scrutin-receipt': poll.receipts[0] });
  const manager = await stream(poll, bearer(poll));
  for (const one of [viewer, voter, manager]) assert.equal((await one.next()).data.total, 1);

  await patch(poll, { results_visibility: 'after_vote' });
  await until('the viewer is sent away', () => viewer.isClosed);
  assertHidden(await get(poll, 'results/stream'), 'after_vote');
  await vote(poll);
  await voter.nextWhere(({ data }) => data.total === 2);

  await patch(poll, { results_visibility: 'after_close' });
  await until('the voter is sent away', () => voter.isClosed);
  await vote(poll);
  await manager.nextWhere(({ data }) => data.total === 3);
  for (const { data } of [...viewer.events, ...voter.events]) assert.ok(data.total < 3);

  await patch(poll, { results_visibility: 'always' });
  const again = await becomes(200, () => get(poll));
  assert.equal(again.json.total, 3);
  assert.equal(again.headers.vary, undefined);
  assert.equal(manager.isClosed, false);
  manager.close();
});

test('a poll that is opened again hides its results again', async () => {
  const poll = await makePoll('after_close', 1, { reopenable: true });
  await patch(poll, { state: 'closed' });
  await becomes(200, () => get(poll));
  const viewer = await stream(poll);
  await viewer.next();
  await patch(poll, { state: 'open' });
  await until('the viewer is sent away', () => viewer.isClosed);
  assertHidden(await becomes(403, () => get(poll)), 'after_close');
});
