// Turnout over time: against a count of the ballots here.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { Instance } from '../lib/instance.js';
import { request } from '../lib/http.js';
import { encodeBatch } from '../lib/proto.js';
import { pick, seedOfRun, seeded } from '../lib/random.js';
import { until } from '../lib/wait.js';

const random = seeded(seedOfRun());
const VOTERS = 60;

let instance;
before(async () => {
  instance = await Instance.start({ workers: 2 });
});
after(() => instance?.stop());

const get = (path) => request(instance.resultUrl, { path });
const timelineOf = (poll, query = '') => get(`/v1/polls/${poll.id}/timeline${query}`);
const floorTo = (step, ms) => Math.floor(ms / (step * 1000)) * step * 1000;

/** Publishes ballots as vote-api would, but with the times at which they are to have been cast. */
async function publish(poll, ballots) {
  const js = (await instance.nats()).jetstream();
  for (let at = 0; at < ballots.length; at += 7) {
    await js.publish('ballots.batch', encodeBatch({
      ballots: ballots.slice(at, at + 7).map(({ voter, choices, castAt }) => ({
        poll: poll.id, voter: Buffer.alloc(16, voter), choices, castAt,
      })),
    }));
  }
}

/** The buckets that a timeline must have. */
function bucketsOf(step, ballots, { revisable }) {
  const standing = new Map();
  const buckets = new Map();
  const bucket = (castAt) => {
    const at = floorTo(step, castAt);
    if (!buckets.has(at)) buckets.set(at, { at: new Date(at).toISOString(), received: 0, counted: 0 });
    return buckets.get(at);
  };
  for (const ballot of ballots) {
    bucket(ballot.castAt).received++;
    if (revisable || !standing.has(ballot.voter)) standing.set(ballot.voter, ballot);
  }
  for (const { castAt } of standing.values()) bucket(castAt).counted++;
  const times = [...buckets.keys()];
  for (let at = Math.min(...times); at <= Math.max(...times); at += step * 1000) bucket(at);
  return [...buckets.entries()].sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** Random ballots of some voters over a span, in the order of casting. */
function drawBallots(n, spanMs) {
  const from = Date.now() - spanMs;
  return Array.from({ length: n }, () => ({ castAt: from + Math.floor(random() * spanMs) }))
    .sort((a, b) => a.castAt - b.castAt)
    .map(({ castAt }) => ({ castAt, voter: Math.floor(random() * VOTERS), choices: pick(random, ['o0', 'o1', 'o2']) }));
}

const received = (poll, n, query) => until('all is received', async () => {
  const answer = await timelineOf(poll, query);
  assert.equal(answer.status, 200, answer.text);
  const sum = answer.json.buckets.reduce((all, bucket) => all + bucket.received, 0);
  if (sum === n) return answer.json;
  throw new Error(answer.text);
});

for (const revisable of [true, false]) {
  test(`a timeline is what a count gives, ${revisable ? 'revisable' : 'first ballot final'}`, async () => {
    const poll = await instance.createPoll({ n: 3, revisable });
    const ballots = drawBallots(500, 20 * 60_000);
    await publish(poll, ballots);
    const all = await received(poll, ballots.length);
    assert.equal(all.poll, poll.id);
    assert.equal(all.step_s, 5);
    assert.deepEqual(all.buckets, bucketsOf(5, ballots, { revisable }));
    const voters = new Set(ballots.map(({ voter }) => voter)).size;
    assert.equal(all.revisions, revisable ? ballots.length - voters : 0);
    const peak = Math.max(...all.buckets.map((bucket) => bucket.received));
    assert.deepEqual(all.peak, { at: all.buckets.find((bucket) => bucket.received === peak).at, per_second: peak / 5 });
    for (const step of [15, 60, 95, 3600]) {
      const { json } = await timelineOf(poll, `?step=${step}`);
      assert.equal(json.step_s, step);
      assert.deepEqual(json.buckets, bucketsOf(step, ballots, { revisable }));
      assert.deepEqual(json.peak, all.peak, 'the peak does not depend on the step');
    }
    assert.deepEqual(await instance.auditViolations(), []);
  });
}

test('a long poll gets bigger steps, and few buckets', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const ballots = drawBallots(60, 30 * 86_400_000);
  await publish(poll, ballots);
  const all = await received(poll, ballots.length);
  assert.ok(all.buckets.length <= 360 && all.buckets.length > 100, `${all.buckets.length}`);
  assert.deepEqual(all.buckets, bucketsOf(all.step_s, ballots, { revisable: true }));
  const { json } = await timelineOf(poll, '?step=5');
  assert.ok(json.step_s > 5 && json.step_s < all.step_s && json.buckets.length <= 2000, `${json.step_s}, ${json.buckets.length}`);
  assert.deepEqual(json.buckets, bucketsOf(json.step_s, ballots, { revisable: true }));
});

test('as CSV', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const ballots = drawBallots(50, 60_000);
  await publish(poll, ballots);
  const { buckets } = await received(poll, ballots.length, '?step=10');
  const answer = await get(`/v1/polls/${poll.id}/timeline.csv?step=10`);
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present');
  assert.equal(answer.headers['content-disposition'], `attachment; filename="${poll.id}-timeline.csv"`);
  assert.equal(answer.text, ['at,received,counted', ...buckets.map(({ at, ...n }) => `${at},${n.received},${n.counted}`), ''].join('\r\n'));
});

test('without ballots, and refusals', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const { json } = await until('result-api knows it', async () => {
    const answer = await timelineOf(poll);
    return answer.status === 200 && answer;
  });
  assert.deepEqual(json, { poll: poll.id, step_s: 5, buckets: [], peak: null, revisions: 0 });
  for (const step of ['', '0', '-5', '7', '5.0', 'x', '31536005', '99999999999999999999']) {
    const answer = await timelineOf(poll, `?step=${step}`);
    assert.deepEqual([answer.status, answer.json.type, answer.json.pointer], [400, '/problems/invalid-parameter', 'step'], step);
  }
  assert.equal((await timelineOf({ id: 'nowhere' })).json.type, '/problems/poll-not-found');
});
