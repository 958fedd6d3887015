// Who may do what. Voting codes: each is one voter, wrong ones wait and are refused, nothing of them is readable at rest.
// API keys: several at once, and their rotation. Instance keys, rotated while people vote and others forge.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acknowledges, assertExact } from '../lib/check.js';
import { Instance, PATIENT, programPath, runProgram, sanitizerOptions } from '../lib/instance.js';
import { request, requestJson } from '../lib/http.js';
import { hashVoter, voterKey } from '../lib/identity.js';
import { until } from '../lib/wait.js';
import { Voters } from '../lib/voters.js';

const CODE = /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/;
const FORGED = '0000-0000-0000';

let instance;
before(async () => {
  instance = await Instance.start({ workers: 1, env: PATIENT });
});
after(() => instance?.stop());

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const codePoll = (more = {}) => instance.createPoll({ n: 3, voter_policy: 'code', ...more });
const makeCodes = (poll, count, headers = {}) =>
  requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/codes`, { count }, { ...bearer(poll.token), ...headers });
const vote = (poll, option, headers, url = instance.voteUrl) =>
  requestJson(url, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: [option] }, headers);

async function issue(poll, count) {
  const answer = await makeCodes(poll, count);
  assert.equal(answer.status, 201, answer.text);
  return answer.json.codes;
}

/** The ballots of the database by the code that cast them. */
async function choicesByCode(poll, codes) {
  await instance.settle();
  const { rows, books } = await instance.books(poll.id);
  const compact = (code) => code.replaceAll('-', '');
  const of = new Map(codes.map((code) => [code, rows.get(hashVoter(instance.secretKeys, poll.id, 'k', compact(code)))?.choices]));
  return { of, rows, books };
}

function refused(answer, status, slug) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.json.type, `/problems/${slug}`);
}

test('100,000 codes in two requests, none twice, and not one more', async () => {
  const poll = await codePoll();
  const codes = [...await issue(poll, 60_000), ...await issue(poll, 40_000)];
  assert.equal(new Set(codes).size, 100_000);
  for (const code of codes) assert.match(code, CODE);
  refused(await makeCodes(poll, 1), 400, 'invalid-field');
  const count = await request(instance.voteUrl, { path: `/v1/polls/${poll.id}/codes`, headers: bearer(poll.token) });
  assert.deepEqual([count.status, count.json], [200, { issued: 100_000 }]);
  const shown = (await request(instance.voteUrl, { path: `/v1/polls/${poll.id}` })).json;
  assert.deepEqual([shown.voter_policy, shown.voting_codes], ['code', 100_000]);
  const { text } = await request(instance.voteUrl, { path: '/metrics' });
  assert.ok(Number(/^voting_codes (\d+)$/m.exec(text)[1]) >= 100_000, 'the gauge');

  const some = codes.filter((_, i) => i % 9_973 === 0); // of every part
  for (const code of some) assert.equal((await vote(poll, 'o1', bearer(code))).status, 202);
  const { of, rows } = await choicesByCode(poll, some);
  assert.equal(rows.size, some.length);
  assert.deepEqual([...new Set(of.values())], ['o1']);
});

test('as JSON, as CSV, as a page without scripts', async () => {
  const poll = await codePoll({ title: '</style><script>alert("1")</script>' });
  const csv = await makeCodes(poll, 3, { accept: 'text/csv' });
  assert.equal(csv.status, 201, csv.text);
  assert.match(csv.headers['content-type'], /^text\/csv/);
  assert.match(csv.headers['content-disposition'], /^attachment; filename="codes-.*\.csv"$/);
  const [head, ...lines] = csv.text.split('\r\n');
  assert.deepEqual([head, lines.length, lines.pop()], ['code', 4, '']);
  for (const line of lines) assert.match(line, CODE);

  const page = await makeCodes(poll, 3, { accept: 'text/html,application/xhtml+xml' });
  assert.equal(page.status, 201);
  assert.match(page.headers['content-type'], /^text\/html; charset=utf-8$/);
  assert.match(page.headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /);
  const style = /<style>(.*)<\/style>/s.exec(page.text)[1];
  assert.ok(page.headers['content-security-policy'].includes(createHash('sha256').update(style).digest('base64')), 'its one style is allowed');
  assert.doesNotMatch(page.text, /<script|javascript:|\son\w+=/i);
  const printed = page.text.match(/<li>[-0-9A-Z]{14}$/gm).map((line) => line.slice(4));
  assert.equal(printed.length, 3);
  for (const answer of [csv, page]) assert.equal(answer.headers['cache-control'], 'no-store');
  for (const code of [...lines, ...printed]) assert.equal((await vote(poll, 'o0', bearer(code))).status, 202);
});

for (const revisable of [true, false]) {
  test(`a code is one voter, however it is written; ${revisable ? 'the last ballot stands' : 'the first ballot is final'}`, async () => {
    const poll = await codePoll({ revisable });
    const codes = await issue(poll, 40);
    const cast = (code, i, option) => vote(poll, option,
      bearer([code, code.toLowerCase(), code.replaceAll('-', ''), code.replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')][i % 4]));
    for (const [round, option] of ['o0', 'o1'].entries()) {
      const answers = await Promise.all(codes.map((code, i) => cast(code, i + round, option)));
      for (const answer of answers) {
        assert.equal(answer.status, 202, answer.text);
        assert.equal(answer.headers['set-cookie'], undefined, 'a code needs no cookie');
      }
      await instance.settle();
    }
    const { of, rows, books } = await choicesByCode(poll, codes);
    assert.equal(rows.size, codes.length);
    assert.deepEqual([...new Set(of.values())], [revisable ? 'o1' : 'o0']);
    assert.deepEqual({ received: books.received, counted: books.counted, superseded: books.superseded },
      { received: 80, counted: 40, superseded: 40 });
  });
}

test('who has no code, a cookie or an API key does not vote', async () => {
  const poll = await codePoll();
  const [code] = await issue(poll, 1);
  refused(await vote(poll, 'o0', {}), 401, 'voting-code-needed');
  const { json: { token } } = await request(instance.voteUrl, { method: 'POST', path: '/v1/voters' });
  refused(await vote(poll, 'o0', bearer(token)), 401, 'voting-code-needed');
  refused(await vote(poll, 'o0', { cookie: `voter_id=${token}` }), 401, 'voting-code-needed');
  refused(await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`,
    { ballots: [{ voter: code, selection: ['o0'] }] }, bearer(instance.apiKey)), 403, 'forbidden');
  await instance.settle();
  assert.equal((await instance.books(poll.id)).rows.size, 0);
});

test('only the manage token makes codes, and only in a poll of codes', async () => {
  const poll = await codePoll(), open = await instance.createPoll({ n: 2 });
  const path = `/v1/polls/${poll.id}/codes`;
  refused(await requestJson(instance.voteUrl, 'POST', path, { count: 1 }), 401, 'unauthorized');
  refused(await requestJson(instance.voteUrl, 'POST', path, { count: 1 }, bearer(open.token)), 403, 'forbidden');
  refused(await request(instance.voteUrl, { path }), 401, 'unauthorized');
  refused(await makeCodes(open, 1), 409, 'no-voting-codes');
  for (const count of [0, -1, 1.5, '1', null, 100_001, 1e18]) refused(await makeCodes(poll, count), 400, 'invalid-field');
  refused(await requestJson(instance.voteUrl, 'POST', path, { count: 1, more: 1 }, bearer(poll.token)), 400, 'invalid-field');
});

test('a wrong code waits a second and is 401; a right one never waits for it', async () => {
  const poll = await codePoll(), other = await codePoll();
  const codes = await issue(poll, 20), [foreign] = await issue(other, 1);
  const impatient = request(instance.voteUrl, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`, timeout: 200,
    headers: { 'content-type': 'application/json', ...bearer(FORGED) }, body: '{"selection":["o0"]}' });
  await assert.rejects(impatient, /no answer/);
  /** Wrong codes and, while they wait, right ones: who was answered when. */
  const race = async () => {
    const began = performance.now();
    const order = [];
    const wrong = [FORGED, foreign, 'nonsense!', `${codes[0]}0`].map(async (code) => {
      const answer = await vote(poll, 'o0', bearer(code));
      order.push('wrong');
      refused(answer, 401, 'voting-code-wrong');
      assert.ok(performance.now() - began > 900, 'it waits');
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    });
    const right = (async () => {
      for (const code of codes) {
        assert.equal((await vote(poll, 'o2', bearer(code))).status, 202);
        order.push('right');
      }
    })();
    await Promise.all([...wrong, right]);
    return order;
  };
  let order = await race(); // on a machine so busy that a right one takes a second, once more
  for (let tries = 1; order[0] !== 'right' && tries < 10; tries++) order = await race();
  assert.equal(order[0], 'right');
  assert.equal(order.filter((what) => what === 'wrong').length, 4);
  const { text } = await until('nobody waits', async () => {
    const metrics = await request(instance.voteUrl, { path: '/metrics' });
    return /^voting_codes_wrong_waiting 0$/m.test(metrics.text) && metrics;
  });
  assert.ok(Number(/^voting_codes_wrong_total (\d+)$/m.exec(text)[1]) >= 4, 'the counter');
  assert.equal((await choicesByCode(poll, codes)).rows.size, codes.length);
});

test('too many wrong codes of one address are 429; right ones are taken all the same', async () => {
  const poll = await codePoll();
  const codes = await issue(poll, 5);
  const { url } = await instance.spawn('vote-api', { RATE_LIMITS: 'on', LIMIT_WRONG_CODES: '4/40000' });
  await until('it knows the codes', async () => (await request(url, { path: `/v1/polls/${poll.id}` })).json.voting_codes === 5);
  const answers = await Promise.all(Array.from({ length: 7 }, () => vote(poll, 'o0', bearer(FORGED), url)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [401, 401, 401, 401, 429, 429, 429]);
  const late = answers.find(({ status }) => status === 429);
  assert.equal(late.json.type, '/problems/too-many-requests');
  assert.deepEqual(late.json['violated-policies'], ['wrong-codes']);
  assert.ok(Number(late.headers['retry-after']) > 1000);
  for (const code of codes) assert.equal((await vote(poll, 'o0', bearer(code), url)).status, 202);
  const { text } = await until('nobody waits', async () => {
    const metrics = await request(url, { path: '/metrics' });
    return /^voting_codes_wrong_waiting 0$/m.test(metrics.text) && metrics;
  });
  assert.match(text, /^voting_codes_wrong_total 4$/m);
  assert.match(text, /^http_requests_limited_total\{limit="wrong-codes"\} 3$/m);
});

test('every instance of vote-api knows the codes, also after it and the broker were killed', async () => {
  const poll = await codePoll();
  const second = await instance.spawn('vote-api');
  const codes = await issue(poll, 12_000);
  for (const code of [codes[0], codes.at(-1)]) { // at once: nobody has waited for the second one to know
    const answer = await vote(poll, 'o0', bearer(code), second.url);
    assert.ok(answer.status === 202 || answer.status === 503, answer.text);
  }
  await until('the second one takes all', async () => (await vote(poll, 'o0', bearer(codes.at(-1)), second.url)).status === 202);
  await Promise.all([instance.killAndWait('vote-api'), instance.killAndWait('nats')]);
  await instance.ready();
  for (const code of codes.slice(0, 2)) { // it may have been ready with the broker that was killed a moment later
    await until('the code is taken', async () => (await vote(poll, 'o1', bearer(code))).status === 202);
  }
  const { of, rows } = await choicesByCode(poll, codes.slice(0, 2));
  assert.deepEqual([...of.values()], ['o1', 'o1']);
  assert.equal(rows.size, 3);
  second.kill('SIGTERM');
});

test('a lost bucket of codes is filled again from the database; meanwhile no right code is called wrong', async () => {
  const poll = await codePoll();
  const codes = await issue(poll, 10_001); // two values
  await until('the worker has copied them',
    async () => (await instance.sql('SELECT 1 FROM voting_codes WHERE poll_id = $1', [poll.id])).length === 2);
  await instance.ctl('stop', 'vote-api', 'worker:*');
  await (await instance.jsm()).streams.delete('KV_codes');
  await instance.setUp();
  await instance.ctl('start', 'vote-api');
  await instance.ready({ urls: [instance.voteUrl] });
  assert.equal((await vote(poll, 'o0', bearer(codes[0]))).status, 503, 'it knows that it does not know');
  await instance.ctl('start', 'worker:*');
  const wrong = [];
  await until('both values are there', async () => {
    const answers = await Promise.all([codes[0], codes.at(-1)].map((code) => vote(poll, 'o1', bearer(code))));
    wrong.push(...answers.filter(({ status }) => status !== 202 && status !== 503).map(({ text }) => text));
    return answers.every(({ status }) => status === 202);
  });
  assert.deepEqual(wrong, []);
  refused(await vote(poll, 'o0', bearer(FORGED)), 401, 'voting-code-wrong');
});

test('a bucket of codes that is made anew: instances and workers notice it at once, not when they read all of it again', async () => {
  const [old, young] = [await codePoll(), await codePoll()];
  const [code] = await issue(old, 1);
  const copied = (poll) => async () => (await instance.sql('SELECT 1 FROM voting_codes WHERE poll_id = $1', [poll.id])).length === 1;
  await until('the worker has copied it', copied(old));
  const second = await instance.spawn('vote-api');
  const there = (wanted, poll, option) => until('the other instance takes it', async () => {
    const { status, text } = await requestJson(second.url, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: [option] }, bearer(wanted));
    assert.ok(status === 202 || status === 503 || status === 404, text);
    return status === 202;
  });
  await there(code, old, 'o0');
  const jsm = await instance.jsm();
  await jsm.streams.delete('KV_codes');
  await instance.setUp();
  const [fresh] = await issue(young, 1);
  await there(fresh, young, 'o1');
  await until('the workers have it too', copied(young));
  await until('and have put the old one back',
    async () => Object.keys((await jsm.streams.info('KV_codes', { subjects_filter: `$KV.codes.${old.id}.>` })).state.subjects ?? {}).length === 1);
  second.kill('SIGTERM');
});

/** All bytes of the files below a folder, which is in use: a file may go before it is read. */
const bytesBelow = (folder) => Buffer.concat(readdirSync(folder, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile()).map((entry) => {
    try {
      return readFileSync(join(entry.parentPath ?? entry.path, entry.name));
    } catch (error) {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    }
  }));

test('nothing of a code can be read in the broker, the database or the logs; a deleted poll leaves none', async () => {
  const poll = await codePoll();
  const codes = await issue(poll, 50);
  assert.equal((await vote(poll, 'o0', bearer(codes[0]))).status, 202);
  refused(await vote(poll, 'o0', bearer(codes[0].replace(/.$/, (last) => (last === '0' ? '1' : '0')))), 401, 'voting-code-wrong');
  await instance.settle();
  await instance.sql('CHECKPOINT');
  const stored = await until('the search finds what is there', () => {
    const bytes = bytesBelow(instance.stateDir);
    return bytes.includes(`$KV.codes.${poll.id}.`) && bytes;
  });
  for (const code of codes.slice(0, 5)) {
    for (const text of [code, code.replaceAll('-', '')]) assert.ok(!stored.includes(text), `${text} is stored`);
  }
  const keys = async () => Object.keys((await (await instance.jsm()).streams.info('KV_codes', { subjects_filter: `$KV.codes.${poll.id}.>` })).state.subjects ?? {});
  assert.equal((await keys()).length, 1);
  assert.equal((await request(instance.voteUrl, { method: 'DELETE', path: `/v1/polls/${poll.id}`, headers: bearer(poll.token) })).status, 204);
  await until('the bucket has none', async () => (await keys()).length === 0);
  await until('the database has none',
    async () => (await instance.sql('SELECT 1 FROM voting_codes WHERE poll_id = $1', [poll.id])).length === 0);
});

test('API keys: several are valid at once, one leaves, and no file has them', async () => {
  const make = async (name) => {
    const { stdout } = await runProgram(programPath('vote-api'), ['--make-api-key', name], { ...sanitizerOptions(), PATH: process.env.PATH });
    const [, key, entry] = /^key: +([\w-]{32})\nAPI_KEYS: ([\w-]+:[0-9a-f]{64})\n$/.exec(stdout);
    return { key, entry };
  };
  const [old, young] = [await make('hall'), await make('hall-2')];
  const start = (entries) => {
    const file = join(instance.folder, 'api-keys');
    writeFileSync(file, entries.join('\n'));
    for (const { key } of [old, young]) assert.ok(!readFileSync(file, 'utf8').includes(key), 'hashed at rest');
    return instance.spawn('vote-api', { API_KEYS_FILE: file, CREATE_NEEDS_API_KEY: 'true' });
  };
  const create = ({ url }, headers = {}) => requestJson(url, 'POST', '/v1/polls', { title: 'T', options: ['A', 'B'] }, headers);
  const bulk = ({ url }, poll, key, voter = 'seat 1') =>
    requestJson(url, 'POST', `/v1/polls/${poll}/ballots`, { ballots: [{ voter, selection: ['1'] }] }, bearer(key));

  const both = await start([old.entry, young.entry]);
  refused(await create(both), 401, 'unauthorized');
  refused(await create(both, bearer('x'.repeat(32))), 401, 'unauthorized');
  refused(await create(both, bearer(old.entry.split(':')[1])), 401, 'unauthorized'); // the hash is no key
  let poll;
  for (const { key } of [old, young]) {
    const made = await create(both, bearer(key));
    assert.equal(made.status, 201, made.text);
    poll = made.json.id;
    assert.equal((await bulk(both, poll, key)).status, 202);
  }
  both.kill('SIGTERM');
  const rotated = await start([young.entry]);
  refused(await create(rotated, bearer(old.key)), 401, 'unauthorized');
  refused(await bulk(rotated, poll, old.key), 401, 'unauthorized');
  assert.equal((await bulk(rotated, poll, young.key, 'seat 2')).status, 202);
  rotated.kill('SIGTERM');
  await instance.settle();
  assert.equal((await instance.books(poll)).rows.size, 2);
});

/** What somebody may make of a token or receipt `key.secret` without having a key: of the same key, of the other one, of none. */
function forgeries(text, otherKey) {
  const [key, secret] = text.split('.');
  const bytes = Buffer.from(secret, 'base64url');
  const flipped = (at) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))).toString('base64url');
  return [`${otherKey}.${secret}`, `nokey.${secret}`, secret, `${key}.${flipped(0)}`, `${key}.${flipped(bytes.length - 1)}`,
    `${key}.${secret.slice(0, -4)}`, `${key}.${bytes.subarray(0, 16).toString('base64url')}`, `${key}.${randomBytes(bytes.length).toString('base64url')}`,
    `${otherKey}.${Buffer.concat([bytes.subarray(0, 16), randomBytes(bytes.length - 16)]).toString('base64url')}`];
}

test('instance keys are rotated while people vote and others forge: nothing is lost, nobody votes twice, no forgery passes', async () => {
  const [old, young] = [instance.secretKeys, `young:${randomBytes(32).toString('hex')}`];
  const [oldId, youngId] = [old.split(':')[0], 'young'];
  const poll = await instance.createPoll({ n: 20 }), target = await instance.createPoll({ n: 2, results_visibility: 'after_vote' }), coded = await codePoll();
  const [code] = await issue(coded, 1);
  const newVoter = async () => (await request(instance.voteUrl, { method: 'POST', path: '/v1/voters' })).json.token;
  const victim = await newVoter(), first = await vote(target, 'o0', bearer(victim));
  assert.equal(first.status, 202);
  const { receipt } = first.json;
  const honest = new Map([[victim, 'o0']]); // token: the choice that has to stand in `target`

  let second = await instance.spawn('vote-api'); // knows of each change later than the first one
  const load = new Voters({ origin: instance.voteUrl, poll: poll.id, options: poll.options, instance, rate: 500, inFlight: 50, receipts: true });
  let isOver = false, rounds = 0;
  const passed = [];
  /** An answer, or undefined while a service is being started again. */
  const ask = async (...what) => {
    const answer = await request(...what).catch(() => undefined);
    return answer?.status >= 200 && answer.status !== 503 ? answer : undefined;
  };
  const attack = async () => {
    for (; !isOver; rounds++) {
      for (const forged of forgeries(receipt, youngId)) {
        const read = await ask(instance.resultUrl, { path: `/v1/receipts/${forged}` });
        if (read && read.status !== 404) passed.push(`receipt ${forged}: ${read.status}`);
        const seen = await ask(instance.resultUrl, { path: `/v1/polls/${target.id}/results`, headers: { 'scrutin-receipt': forged } });
        if (seen && seen.status !== 403) passed.push(`results with ${forged}: ${seen.status}`);
      }
      const put = (to, headers) => ask(instance.voteUrl, { method: 'PUT', path: `/v1/polls/${to.id}/ballot`,
        headers: { 'content-type': 'application/json', ...headers }, body: '{"selection":["o1"]}' });
      for (const forged of forgeries(victim, youngId)) {
        for (const headers of [bearer(forged), { cookie: `voter_id=${forged}` }]) {
          const cast = await put(target, headers); // in an open poll it is a stranger's, who gets a cookie of their own
          if (cast && !/^voter_id=/.test(cast.headers['set-cookie']?.[0] ?? '')) passed.push(`voter ${forged}: ${cast.status} without a new cookie`);
        }
        const coin = await put(coded, { cookie: `voter_id=${forged}` });
        if (coin && coin.status !== 401) passed.push(`instead of a code ${forged}: ${coin.status}`);
      }
    }
  };
  /** Both instances of vote-api and result-api get the keys, one after the other; the load goes on. */
  const deploy = async (keys) => {
    writeFileSync(instance.env.SECRET_KEYS_FILE, `${keys.join(',')}\n`);
    await instance.script('up', '--no-packages', '--no-build'); // gives each service its copy
    for (const name of ['result-api', 'vote-api']) {
      await instance.ctl('restart', name);
      await instance.ready();
    }
    await acknowledges(load, 200);
    await bothWays(); // the second one has the keys of before
    const next = await instance.spawn('vote-api');
    second.kill('SIGTERM');
    second = next;
    await bothWays();
  };
  /** A voter of either instance is the same voter at the other one, whoever signed. */
  const bothWays = async () => {
    for (const [at, then] of [[instance.voteUrl, second.url], [second.url, instance.voteUrl]]) {
      const { json: { token } } = await request(at, { method: 'POST', path: '/v1/voters' });
      for (const [url, option] of [[at, 'o1'], [then, 'o0']]) {
        const answer = await until('it is taken', async () => {
          const tried = await vote(target, option, bearer(token), url);
          return tried.status !== 503 && tried.status !== 404 && tried; // it may not know the poll yet
        });
        assert.deepEqual([answer.status, answer.headers['set-cookie']], [202, undefined], answer.text);
      }
      honest.set(token, 'o0');
    }
  };
  let attacking;
  try {
    await load.register(100);
    load.start();
    await acknowledges(load, 200);
    attacking = attack();
    await bothWays();
    await deploy([old, young]); // all know it before the first signs with it
    await deploy([young, old]);
    assert.equal((await vote(coded, 'o0', bearer(code))).status, 202, 'a code of before');
    const before = rounds;
    await until('the attack had its turn', () => rounds > before + 1);
    await load.stop();
  } finally {
    isOver = true;
    await attacking;
    await load.close();
    second.kill('SIGTERM');
  }
  assert.deepEqual(passed, []);
  await assertExact(instance, load, { what: 'keys rotated' });

  const { rows } = await instance.books(target.id);
  for (const [token, option] of honest) assert.equal(rows.get(voterKey(old, target.id, token))?.choices, option);
  assert.equal((await choicesByCode(coded, [code])).rows.size, 1);
  const receipts = [receipt, ...load.history.voters.flatMap((voter) => voter.ops.map((op) => op.receipt).filter(Boolean))];
  assert.deepEqual([...new Set(receipts.map((text) => text.split('.')[0]))].sort(), [oldId, youngId].sort(), 'both keys have signed');
  const counted = new Set();
  for (let at = 0; at < receipts.length; at += 50) {
    await Promise.all(receipts.slice(at, at + 50).map(async (one) => {
      const { status, json, text } = await request(instance.resultUrl, { path: `/v1/receipts/${one}` });
      assert.ok(status === 200 && ['counted', 'superseded'].includes(json.state), text);
      if (json.state === 'counted') counted.add(one);
    }));
  }
  for (const { ops } of load.history.voters.filter((voter) => voter.ops.every((op) => op.fate !== 'unknown'))) {
    const [last, ...before] = ops.map((op) => op.receipt).filter(Boolean).reverse();
    assert.deepEqual([counted.has(last), before.filter((one) => counted.has(one))], [true, []], 'the last of a voter counts');
  }
  const seen = await request(instance.resultUrl, { path: `/v1/polls/${target.id}/results`, headers: { 'scrutin-receipt': receipt } });
  assert.equal(seen.status, 200, 'the receipt of before opens the results');
});
