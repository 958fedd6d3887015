// What a receipt says of its ballot, whatever became of it, and that a forged one is told apart by nothing but the answer.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { Instance, PATIENT } from '../lib/instance.js';
import { request, requestJson } from '../lib/http.js';
import { metricValue } from '../lib/check.js';
import { until } from '../lib/wait.js';

let instance;
before(async () => {
  instance = await Instance.start({ workers: 1, env: PATIENT });
});
after(() => instance?.stop());

const ask = (receipt) => request(instance.resultUrl, { path: `/v1/receipts/${receipt}` });
const askByHeader = (receipt) => request(instance.resultUrl, { path: '/v1/receipts', headers: receipt === undefined ? {} : { 'scrutin-receipt': receipt } });
const newToken = async () => (await requestJson(instance.voteUrl, 'POST', '/v1/voters', {})).json.token;
const cast = async (poll, token, option = 'o0') => {
  const answer = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: [option] },
    { authorization: `Bearer ${token}` });
  assert.equal(answer.status, 202, answer.text);
  return answer.json.receipt;
};
const stateOf = async (receipt) => {
  const { status, json, text } = await ask(receipt);
  assert.equal(status, 200, text);
  return json;
};
const becomes = (receipt, state) => until(`it is ${state}`, async () => (await stateOf(receipt)).state === state);

test('pending while the workers are away, then counted, superseded when revised; first is final the other way round', async () => {
  await instance.signal('worker:worker_0', 'SIGSTOP');
  const all = [];
  for (const revisable of [true, false]) {
    const poll = await instance.createPoll({ n: 2, revisable });
    const token = await newToken();
    const receipts = [await cast(poll, token), await cast(poll, token, 'o1')];
    for (const receipt of receipts) assert.deepEqual(await stateOf(receipt), { state: 'pending' });
    all.push(revisable ? receipts.reverse() : receipts);
  }
  await instance.signal('worker:worker_0', 'SIGCONT');
  for (const [stands, beaten] of all) {
    await becomes(stands, 'counted');
    await becomes(beaten, 'superseded');
    assert.deepEqual(await stateOf(beaten), { state: 'superseded' });
  }
});

test('in the header a receipt says the same as in the path; none, or a forged one, is 404', async () => {
  const receipt = await cast(await instance.createPoll({ n: 2 }), await newToken());
  await becomes(receipt, 'counted');
  const { status, headers, json } = await askByHeader(receipt);
  assert.deepEqual([status, json, headers['cache-control'], headers.vary], [200, { state: 'counted' }, 'no-store', 'Scrutin-Receipt']);
  for (const wrong of [undefined, '', 'none', `${receipt}A`, receipt.slice(0, -1)]) {
    const answer = await askByHeader(wrong);
    assert.deepEqual([answer.status, answer.json.type], [404, '/problems/receipt-not-found'], String(wrong));
  }
});

/** What happens to one counted ballot, and the reason that its receipt then gives. */
const FATES = {
  'unknown-poll': `WITH gone AS (DELETE FROM ballots WHERE voter = $1 RETURNING precedence)
    INSERT INTO rejected_ballots SELECT precedence, 'x', 'unknown poll' FROM gone`,
  'after-the-fence': `WITH gone AS (DELETE FROM ballots WHERE voter = $1 RETURNING precedence)
    INSERT INTO rejected_ballots SELECT precedence, 'x', 'after the fence' FROM gone`,
  refused: `WITH gone AS (DELETE FROM ballots WHERE voter = $1 RETURNING precedence)
    INSERT INTO rejected_ballots SELECT precedence, 'x', 'invalid byte sequence o0 (SQLSTATE 22021)' FROM gone`,
  unreadable: `UPDATE applied_batches AS a SET dead = true, batch = NULL
    FROM ballots AS b WHERE b.voter = $1 AND a.seq = b.precedence >> 12 & ((1::bigint << 40) - 1)`,
  'stream-lost': `UPDATE applied_batches AS a SET batch = gen_random_uuid()
    FROM ballots AS b WHERE b.voter = $1 AND a.seq = b.precedence >> 12 & ((1::bigint << 40) - 1)`,
  missing: 'DELETE FROM ballots WHERE voter = $1',
};
for (const [reason, harm] of Object.entries(FATES)) {
  test(`a ballot that cannot count: rejected, ${reason}`, async () => {
    const poll = await instance.createPoll({ n: 2 });
    const receipt = await cast(poll, await newToken());
    await becomes(receipt, 'counted');
    const [{ voter }] = await instance.sql('SELECT voter::text FROM ballots JOIN polls ON key = poll WHERE id = $1', [poll.id]);
    await instance.sql(harm, [voter]);
    const { state, reason: said, detail, ...more } = await stateOf(receipt);
    assert.deepEqual([state, said, more], ['rejected', reason, {}]);
    assert.match(detail, /^[A-Z].*\.$/);
    assert.doesNotMatch(detail, /o0|SQLSTATE/, 'neither the choice nor the database\'s words');
  });
}

test('the receipt of a ballot in a poll that was deleted still counts', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const receipt = await cast(poll, await newToken());
  await becomes(receipt, 'counted');
  await request(instance.voteUrl, { method: 'DELETE', path: `/v1/polls/${poll.id}`, headers: { authorization: `Bearer ${poll.token}` } });
  assert.deepEqual(await stateOf(receipt), { state: 'counted' });
});

test('a forged receipt is 404 on the way that a good one goes: each is one look-up in the database', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const good = await cast(poll, await newToken());
  await becomes(good, 'counted');
  const [id, sealed] = good.split('.');
  const changed = (text) => text.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
  const kinds = {
    'counted': good,
    'one digit changed': `${id}.${changed(sealed)}`,
    'no receipt at all': 'nonsense',
    'of an unknown key': `k9.${sealed}`,
    'no key': sealed,
    'truncated': good.slice(0, 40),
    'not base64': `${id}.${sealed.slice(0, -1)}!`,
  };
  const looked = async () => metricValue((await request(instance.resultUrl, { path: '/metrics' })).text, 'result_receipts_looked_up_total');
  for (const [kind, receipt] of Object.entries(kinds)) {
    const before = await looked();
    const { status, json } = await ask(receipt);
    assert.equal(status, kind === 'counted' ? 200 : 404, kind);
    if (status === 404) assert.equal(json.type, '/problems/receipt-not-found');
    assert.equal(await looked(), before + 1, kind);
  }
  // The clock is only shown: on a machine that does other things it decides nothing.
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let round = 0; round < 100; round++) {
    for (const [kind, receipt] of Object.entries(kinds)) {
      const began = performance.now();
      await ask(receipt);
      times[kind].push(performance.now() - began);
    }
  }
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  console.log(`# median in ms: ${Object.entries(times).map(([kind, list]) => `${kind} ${median(list).toFixed(2)}`).join(', ')}`);
});
