// Polls of every method over HTTP: made, voted in, revised, and their results against a recount of the ballots here.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { metricValue } from '../lib/check.js';
import { Instance } from '../lib/instance.js';
import { request, requestJson } from '../lib/http.js';
import { pick, seedOfRun, seeded } from '../lib/random.js';
import { runoff } from '../lib/runoff.js';
import { until } from '../lib/wait.js';

const random = seeded(seedOfRun());
const VOTERS = 40;
const GATEWAY_VOTERS = 600;

let instance;
before(async () => {
  instance = await Instance.start({ workers: 2 });
});
after(() => instance?.stop());

const apiKey = () => ({ authorization: `Bearer ${instance.apiKey}` });
const vote = (poll, selection, headers = {}) =>
  requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll}/ballot`, { selection }, headers);
const results = (poll, kind = 'results') => request(instance.resultUrl, { path: `/v1/polls/${poll}/${kind}` });

async function newToken() {
  const answer = await request(instance.voteUrl, { method: 'POST', path: '/v1/voters' });
  assert.equal(answer.status, 201, answer.text);
  return { authorization: `Bearer ${answer.json.token}` };
}

/** Some of the options, in random order. */
function someOf(options, min = 1, max = options.length) {
  const left = [...options];
  const n = min + Math.floor(random() * (max - min + 1));
  return Array.from({ length: n }, () => left.splice(Math.floor(random() * left.length), 1)[0]);
}

/** Lets voters vote, half of them once more, and a gateway's voters too; gives the ballots that stand. */
async function cast(poll, select, { answered = (selection) => selection } = {}) {
  const voters = await Promise.all(Array.from({ length: VOTERS }, newToken));
  const standing = new Map();
  for (let round = 0; round < 2; round++) {
    await Promise.all(voters.map(async (headers, i) => {
      if (round === 1 && i % 2 === 1) return;
      const selection = select();
      const answer = await vote(poll.id, selection, headers);
      assert.equal(answer.status, 202, answer.text);
      assert.deepEqual(answer.json.selection, answered(selection));
      standing.set(i, selection);
    }));
  }
  const ballots = Array.from({ length: GATEWAY_VOTERS + 100 }, (_, i) => ({ voter: `person ${i % GATEWAY_VOTERS}`, selection: select() }));
  for (let at = 0; at < ballots.length; at += 350) {
    const answer = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots: ballots.slice(at, at + 350) }, apiKey());
    assert.equal(answer.status, 202, answer.text);
  }
  for (const { voter, selection } of ballots) standing.set(voter, selection);
  return { standing: [...standing.values()], received: VOTERS + VOTERS / 2 + ballots.length };
}

/** The results once all is counted, and nothing that the audit finds. */
async function counted(poll, { standing, received }) {
  await instance.settle();
  const json = await until('all is counted', async () => {
    const answer = await results(poll.id);
    if (answer.json.ledger.received === received && answer.json.ledger.pending === 0) return answer.json;
    throw new Error(answer.text);
  });
  assert.equal(json.total, standing.length);
  assert.deepEqual(await instance.auditViolations(), []);
  return json;
}

const countOf = (ballots, holds) => ballots.filter(holds).length;

test('approval: between two and three of five', async () => {
  const poll = await instance.createPoll({ n: 5, method: 'approval', min_choices: 2, max_choices: 3 });
  const shown = (await request(instance.voteUrl, { path: `/v1/polls/${poll.id}` })).json;
  assert.deepEqual([shown.method, shown.min_choices, shown.max_choices], ['approval', 2, 3]);
  const inOrder = (selection) => poll.options.filter((option) => selection.includes(option));
  const votes = await cast(poll, () => someOf(poll.options, 2, 3), { answered: inOrder });
  const json = await counted(poll, votes);
  assert.equal(json.poll.method, 'approval');
  assert.equal(json.runoff, undefined);
  assert.deepEqual(json.results.map(({ id, count }) => [id, count]),
    poll.options.map((id) => [id, countOf(votes.standing, (selection) => selection.includes(id))]));
  const { text } = await results(poll.id, 'results.csv');
  assert.equal(text.split('\r\n')[0], 'option,label,count');
});

test('score: sum, mean and distribution', async () => {
  const poll = await instance.createPoll({ n: 6, method: 'score' });
  const select = () => Object.fromEntries(someOf(poll.options.slice(0, 5)).map((option) => [option, Math.floor(random() * 6)]));
  const votes = await cast(poll, select);
  const json = await counted(poll, votes);
  for (const { id, count, sum, mean, distribution } of json.results) {
    const scores = votes.standing.map((selection) => selection[id]).filter((score) => score !== undefined);
    const expected = scores.reduce((a, b) => a + b, 0);
    assert.deepEqual({ id, count, sum }, { id, count: scores.length, sum: expected });
    if (scores.length) assert.ok(Math.abs(mean - expected / scores.length) < 1e-4, `${id}: ${mean}`);
    else assert.equal(mean, null);
    assert.deepEqual(distribution, [0, 1, 2, 3, 4, 5].map((value) => countOf(scores, (score) => score === value)));
  }
  assert.equal(json.results[5].count, 0, 'nobody scores the last one');
  const lines = (await results(poll.id, 'results.csv')).text.split('\r\n');
  assert.equal(lines[0], 'option,label,count,sum,mean,score_0,score_1,score_2,score_3,score_4,score_5');
  assert.equal(lines[6], '"o5","Option 5",0,0,,0,0,0,0,0,0');
});

test('ranked: every round of the runoff', async () => {
  const poll = await instance.createPoll({ n: 7, method: 'ranked' });
  const votes = await cast(poll, () => someOf(poll.options.slice(0, 6)));
  const json = await counted(poll, votes);
  const expected = runoff(poll.id, poll.options, votes.standing);
  assert.deepEqual(json.runoff, expected);
  assert.ok(json.runoff.rounds.length > 2);
  assert.deepEqual(json.results.map(({ id, count }) => [id, count]),
    poll.options.map((id) => [id, countOf(votes.standing, ([first]) => first === id)]));
  const lines = (await results(poll.id, 'results.csv')).text.split('\r\n');
  assert.match(lines[0], /^option,label,count,round_1,round_2,.*,eliminated_in,winner$/);
  assert.equal(countOf(lines, (line) => line.endsWith(',true')), 1);
});

test('ranked: more rankings than are read in passing are counted beside the others, to the end', async () => {
  const poll = await instance.createPoll({ n: 8, method: 'ranked' });
  const rankings = new Map();
  while (rankings.size < 6000) {
    const ranking = someOf(poll.options, 5);
    rankings.set(ranking.join('>'), ranking);
  }
  const standing = [...rankings.values()];
  const cast = async (from, to) => {
    for (let at = from; at < to; at += 1000) {
      const ballots = standing.slice(at, Math.min(at + 1000, to)).map((selection, i) => ({ voter: `voter ${at + i}`, selection }));
      const answer = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots }, apiKey());
      assert.equal(answer.status, 202, answer.text);
    }
  };
  const shows = (state, total, received) => until(`${state}, ${total} of ${received}`, async () => {
    const { json, text } = await results(poll.id);
    if (json.state !== state || json.total !== total || json.ledger?.received !== received) throw new Error(text);
    assert.deepEqual(json.runoff, runoff(poll.id, poll.options, standing));
    return json;
  });
  const counts = async () => metricValue((await request(instance.resultUrl, { path: '/metrics' })).text,
    'result_large_count_duration_seconds_count');
  const before = await counts();
  await cast(0, 6000);
  await shows('open', 6000, 6000);
  assert.ok(await counts() > before, 'counted on its own');

  // Its connection is lost, voters change their minds, and it closes.
  await instance.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'result-api rankings'");
  for (let i = 0; i < 500; i++) standing[i] = someOf(poll.options, 2);
  await cast(0, 500);
  const other = await instance.createPoll({ n: 2 });
  await until('the other one is looked at', async () => (await results(other.id)).status === 200);
  await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { state: 'closed' }, { authorization: `Bearer ${poll.token}` });
  const final = await shows('final', 6000, 6500);
  assert.deepEqual(final.ledger, { received: 6500, counted: 6000, superseded: 500, rejected: 0, pending: 0 });
  const csv = await results(poll.id, 'results.csv');
  assert.equal(csv.text.trim().split('\r\n').length, 9);
});

test('ranked: small elections with ties, and the largest ranking there is', async () => {
  for (let election = 0; election < 8; election++) {
    const poll = await instance.createPoll({ n: 4, method: 'ranked', max_choices: 3 });
    const ballots = Array.from({ length: 6 }, (_, i) => ({ voter: `person ${i}`, selection: someOf(poll.options, 1, 3) }));
    const answer = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots }, apiKey());
    assert.equal(answer.status, 202, answer.text);
    const selections = ballots.map(({ selection }) => selection);
    const json = await counted(poll, { standing: selections, received: 6 });
    assert.deepEqual(json.runoff, runoff(poll.id, poll.options, selections));
  }

  const options = Array.from({ length: 30 }, (_, i) => ({ label: `Option ${i}`,
    id: Array.from({ length: 32 }, () => pick(random, 'abcdefghijklmnopqrstuvwxyz0123456789-')).join('') }));
  const poll = await instance.createPoll({ options, method: 'ranked' });
  const selection = someOf(poll.options, 30);
  assert.equal((await vote(poll.id, selection)).status, 202);
  const json = await counted(poll, { standing: [selection], received: 1 });
  assert.equal(json.runoff.winner, selection[0]);
});

test('a ranking that was taken back leaves nothing behind', async () => {
  const poll = await instance.createPoll({ n: 3, method: 'ranked' });
  const headers = await newToken();
  for (const selection of [['o0', 'o1'], ['o1', 'o0'], ['o2']]) assert.equal((await vote(poll.id, selection, headers)).status, 202);
  const json = await counted(poll, { standing: [['o2']], received: 3 });
  assert.deepEqual(json.runoff, runoff(poll.id, poll.options, [['o2']]));
});

test('before the first ballot', async () => {
  for (const method of ['approval', 'ranked', 'score']) {
    const poll = await instance.createPoll({ n: 3, method });
    const { json } = await until('result-api knows it', async () => {
      const answer = await results(poll.id);
      return answer.status === 200 && answer;
    });
    assert.deepEqual(json.results.map(({ count }) => count), [0, 0, 0]);
    if (method === 'ranked') assert.deepEqual(json.runoff, { winner: null, rounds: [] });
  }
});

test('bad input: the problem and where it is', async () => {
  const approval = await instance.createPoll({ n: 4, method: 'approval', min_choices: 2, max_choices: 3 });
  const ranked = await instance.createPoll({ n: 4, method: 'ranked' });
  const score = await instance.createPoll({ n: 4, method: 'score' });
  const rows = [
    [approval, ['o0'], '/selection'],
    [approval, ['o0', 'o1', 'o2', 'o3'], '/selection'],
    [approval, ['o0', 'o0'], '/selection/1'],
    [approval, ['o0', 'o9'], '/selection/1'],
    [approval, { o0: 1, o1: 1 }, '/selection'],
    [ranked, [], '/selection'],
    [ranked, ['o1', 'o2', 'o1'], '/selection/2'],
    [ranked, ['o1', 2], '/selection/1'],
    [ranked, ['o1>o2'], '/selection/0'],
    [ranked, ['ééééééééééééééééééééx', 'o1'], '/selection/0'],
    [score, ['o1'], '/selection'],
    [score, {}, '/selection'],
    [score, { o1: 6 }, '/selection/o1'],
    [score, { o1: -1 }, '/selection/o1'],
    [score, { o1: 2.5 }, '/selection/o1'],
    [score, { o1: '5' }, '/selection/o1'],
    [score, { o1: 5, o9: 5 }, '/selection/o9'],
    [score, { xéééééééééééééééééééééééééééé: 5 }, '/selection/xéééééééééééééééééééééééééééé'],
  ];
  for (const [poll, selection, pointer] of rows) {
    const answer = await vote(poll.id, selection);
    assert.equal(answer.status, 400, JSON.stringify(selection));
    assert.deepEqual([answer.json.type, answer.json.pointer], ['/problems/invalid-selection', pointer], answer.text);
    const bulk = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`,
      { ballots: [{ voter: 'a', selection }] }, apiKey());
    assert.deepEqual([bulk.status, bulk.json.pointer], [400, `/ballots/0${pointer}`], bulk.text);
  }

  const options = ['A', 'B', 'C'];
  const polls = [
    [{ options, method: 'approval', min_choices: 0 }, '/min_choices'],
    [{ options, method: 'approval', min_choices: 3, max_choices: 2 }, '/min_choices'],
    [{ options, method: 'approval', max_choices: 4 }, '/max_choices'],
    [{ options, method: 'approval', max_choices: '2' }, '/max_choices'],
    [{ options, method: 'plurality', max_choices: 2 }, '/max_choices'],
    [{ options, method: 'borda' }, '/method'],
    [{ options: Array(31).fill('An option'), method: 'ranked' }, '/options'],
  ];
  for (const [fields, pointer] of polls) {
    const answer = await requestJson(instance.voteUrl, 'POST', '/v1/polls', { title: 'T', ...fields }, apiKey());
    assert.deepEqual([answer.status, answer.json.type, answer.json.pointer], [400, '/problems/invalid-field', pointer], answer.text);
  }

  const manage = { authorization: `Bearer ${approval.token}` };
  for (const [field, value] of [['method', 'ranked'], ['min_choices', 1], ['max_choices', 4], ['options', options]]) {
    const answer = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${approval.id}`, { [field]: value }, manage);
    assert.deepEqual([answer.status, answer.json.type, answer.json.pointer], [409, '/problems/poll-has-opened', `/${field}`], answer.text);
  }
});

test('voted in by turns, more polls than a loop keeps: each ballot is its poll\'s, and an edit counts at once', async () => {
  const polls = await Promise.all(Array.from({ length: 20 }, (_, i) =>
    instance.createPoll({ options: [{ id: `mine-${i}`, label: 'Mine' }, { id: 'other', label: 'Other' }] })));
  const round = (of) => Promise.all(of.flatMap((poll) => Array.from({ length: 8 }, () => vote(poll.id, [poll.options[0]]))));
  const statuses = async (of) => [...new Set((await round(of)).map(({ status, json }) => (status === 202 ? 202 : json.type)))];
  for (let i = 0; i < 3; i++) assert.deepEqual(await statuses(polls), [202]);
  const wrong = await vote(polls[0].id, [polls[1].options[0]]);
  assert.equal(wrong.json.type, '/problems/invalid-selection');
  for (const poll of polls.slice(0, 10)) {
    const closed = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { state: 'closed' }, { authorization: `Bearer ${poll.token}` });
    assert.equal(closed.status, 200, closed.text);
    assert.equal((await vote(poll.id, [poll.options[0]])).json.type, '/problems/poll-closed');
  }
  assert.deepEqual(await statuses(polls.slice(10)), [202]);
  await instance.settle();
  for (const [i, poll] of polls.entries()) assert.deepEqual([...(await instance.books(poll.id)).books.tally], [[poll.options[0], i < 10 ? 24 : 32]]);
});
