// The description of the HTTP interface against the routes of the services and their real answers.
// SPDX-License-Identifier: MIT
//
// schemathesis makes requests from the description, good and bad ones, alone and in chains, and compares what comes back
// with what is described. Everything random has a fixed start.
import test, { after, before, describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD_DIR, Instance, ROOT, programPath, runProgram } from '../lib/instance.js';
import { Browser, assertAccessible } from '../lib/browser.js';
import { request, requestJson } from '../lib/http.js';
import { until } from '../lib/wait.js';
import { takeTour } from '../lib/tour.js';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

let instance;
let api;
before(async () => {
  instance = await Instance.start({ workers: 1 });
  api = (await request(instance.voteUrl, { path: '/openapi.json' })).json;
});
after(() => instance?.stop());

/** `METHOD /path` of each operation that a service is said to have. */
const described = (service) => Object.entries(api.paths)
  .filter(([, item]) => item['x-service'] === service || item['x-service'] === 'all')
  .flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`));

for (const service of ['vote-api', 'result-api']) {
  test(`every route of ${service} is described, and no other`, () => {
    const routes = execFileSync(programPath(service), ['--routes'], { encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual(described(service).sort(), routes.sort());
  });
}

test('the page is self-contained, and leads to every operation and problem type', async () => {
  const { status, headers, text } = await request(instance.voteUrl, { path: '/docs' });
  assert.equal(status, 200);
  assert.match(headers['content-security-policy'], /^default-src 'self';/);
  assert.doesNotMatch(text, /<(script|style|img|iframe)|\sstyle=|\son\w+=|src=/i, 'nothing that the policy forbids');
  const loaded = [...text.matchAll(/<link [^>]*href="([^"]+)"/g)].map(([, href]) => href);
  assert.deepEqual(loaded, ['/docs/style.css']);
  assert.match((await request(instance.voteUrl, { path: loaded[0] })).headers['content-type'], /^text\/css/);
  for (const item of Object.values(api.paths)) {
    for (const method of METHODS) {
      if (item[method]) assert.ok(text.includes(`<section id="${item[method].operationId}"`), item[method].operationId);
    }
  }
  for (const slug of Object.keys(api.components.examples)) {
    const answer = await request(instance.voteUrl, { path: `/problems/${slug}` });
    assert.deepEqual([answer.status, answer.headers.location], [303, `/docs#problem-${slug}`]);
    assert.ok(text.includes(`<section id="problem-${slug}"`), slug);
  }
});

test('the description is valid OpenAPI 3.1', async () => {
  await runProgram(join(ROOT, 'scripts/fetch-schemathesis'), [], { ...process.env }, { timeout: 600_000 });
  await runProgram(join(ROOT, '.tools/schemathesis/bin/openapi-spec-validator'), [join(BUILD_DIR, 'docs/openapi.json')], { ...process.env });
});

// --- against real answers

/** The description with closed answers: a field that is not described fails. Clients are told to expect new ones. */
function closed() {
  const copy = structuredClone(api);
  const close = (schema) => {
    if (schema.properties) schema.additionalProperties ??= false;
    for (const part of [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : []), ...(schema.oneOf ?? [])]) close(part);
  };
  for (const [name, schema] of Object.entries(copy.components.schemas)) {
    if (name !== 'ClassicForm') close(schema); // a form may have more fields; in JSON the others refuse them anyway
  }
  for (const item of Object.values(copy.paths)) {
    for (const response of METHODS.flatMap((method) => Object.values(item[method]?.responses ?? {}))) {
      for (const [type, { schema }] of Object.entries(response.content ?? {})) if (type === 'application/json') close(schema);
    }
  }
  return copy;
}

/** Polls to read and vote in, to change, and to delete; what schemathesis should know of the instance. */
async function makeFixture() {
  const tokens = {};
  const make = async (more) => {
    const poll = await instance.createPoll({ options: ['a', 'b', 'c'].map((id) => ({ id, label: id.toUpperCase() })), ...more });
    tokens[poll.id] = poll.token;
    return poll.id;
  };
  const polls = await Promise.all(['plurality', 'approval', 'ranked', 'score'].map((method) => make({ method })));
  const members = await make({ voter_policy: 'code' });
  const makeCodes = (poll, count) =>
    requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll}/codes`, { count }, { authorization: `Bearer ${tokens[poll]}` });
  const codes = { [members]: (await makeCodes(members, 1)).json.codes[0] };
  polls.push(members, await make({ results_visibility: 'after_vote' }), await make({ results_visibility: 'after_close' }));
  const managed = await Promise.all(Array.from({ length: 3 }, () => make()));
  managed.push(await make({ voter_policy: 'code' }), await make({ state: 'draft' }));
  const coded = [await make({ voter_policy: 'code' })];
  await makeCodes(coded[0], 99_000); // room for small requests: the largest, asked for dozens of times, would take seconds each
  const ended = [await make()];
  const closing = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${ended[0]}`, { state: 'closed' },
    { authorization: `Bearer ${tokens[ended[0]]}` });
  assert.equal(closing.status, 200, closing.text);
  await until('the closed poll is final', async () =>
    (await request(instance.resultUrl, { path: `/v1/polls/${ended[0]}/results` })).json.state === 'final');
  const doomed = await Promise.all(Array.from({ length: 5 }, () => make()));
  const vote = async (poll, selection) => {
    const answer = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll}/ballot`, { selection });
    assert.equal(answer.status, 202, answer.text);
    return answer;
  };
  const receipts = (await Promise.all([vote(polls[0], ['a']), vote(polls[3], { a: 5 }), vote(polls[5], ['b'])])).map((answer) => answer.json.receipt);
  const voter = (await request(instance.voteUrl, { method: 'POST', path: '/v1/voters' })).json.token;
  const urls = Object.fromEntries(Object.entries(api.paths).map(([path, item]) =>
    [path, item['x-service'] === 'result-api' ? instance.resultUrl : instance.voteUrl]));
  return { dictionaries: { polls, managed, coded, ended, doomed, receipts }, senders: { tokens, api_key: instance.apiKey, voter, codes, urls } };
}

// Both wait for a program of their own most of the time.
describe('against real answers', { concurrency: true }, () => {
  test('schemathesis finds no answer that is not described, and no request that is answered wrongly', async () => {
    const { dictionaries, senders } = await makeFixture();
    const file = (name, text) => {
      const path = join(instance.folder, name);
      writeFileSync(path, text);
      return path;
    };
    const fixtures = Object.entries(dictionaries).map(([name, values]) => `${name} = { values = ${JSON.stringify(values)} }`).join('\n');
    const config = file('schemathesis.toml', readFileSync(join(ROOT, 'tests/description/schemathesis.toml'), 'utf8')
      .replace('[dictionaries]', `[dictionaries]\n${fixtures}`));
    const tried = join(instance.folder, 'answers.json');
    const env = { ...process.env, FIXTURE: JSON.stringify({ ...senders, answers: tried }), PYTHONDONTWRITEBYTECODE: '1',
      PYTHONPATH: join(ROOT, 'tests/description') };
    const { code, stdout, stderr } = await runProgram(join(ROOT, '.tools/schemathesis/bin/schemathesis'),
      ['--config-file', config, 'run', '--no-color', '--url', instance.voteUrl, file('openapi.json', JSON.stringify(closed()))],
      env, { check: false, timeout: 600_000 });
    assert.equal(code, 0, stdout + stderr);
    const answers = JSON.parse(readFileSync(tried, 'utf8'));
    const unused = Object.values(api.paths).flatMap((item) => METHODS.map((method) => item[method]?.operationId)).filter((id) =>
      id && !Object.keys(answers).some((answer) => new RegExp(`^${id} [23]`).test(answer)));
    assert.deepEqual(unused, [], `these never did what they are for: ${JSON.stringify(answers)}`);
  });

  test('the page: axe finds nothing, on a phone in the dark and on a desk; it asks nobody else and fits', async () => {
    const browser = await Browser.start();
    try {
      for (const [width, colorScheme] of [[390, 'dark'], [1280, 'light']]) {
        const page = await browser.open(`${instance.voteUrl}/docs`, { ready: 'main', viewport: { width, height: 800 }, colorScheme });
        await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
        await assertAccessible(page);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${width} ${colorScheme}`);
        await page.close();
      }
      browser.assertNoComplaint();
    } finally {
      await browser.close();
    }
  });

  test('every line of docs/API.md does what the page says', async () => {
    const cwd = mkdtempSync(join(instance.folder, 'tour-'));
    const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', VOTE: instance.voteUrl, RESULTS: instance.resultUrl, API_KEY: instance.apiKey };
    await takeTour(readFileSync(join(ROOT, 'docs/API.md'), 'utf8'), { cwd, env });
  });
});

test('deleting a poll needs its token', async () => {
  const { id } = await instance.createPoll({ n: 2 });
  const remove = (headers) => request(instance.voteUrl, { method: 'DELETE', path: `/v1/polls/${id}`, headers });
  assert.equal((await remove({})).status, 401);
  assert.equal((await remove({ authorization: `Bearer ${instance.apiKey}` })).status, 403);
  assert.equal((await request(instance.voteUrl, { path: `/v1/polls/${id}` })).status, 200);
});

test('the ballots of a hidden poll want its token, not a receipt', async () => {
  const { id } = await instance.createPoll({ n: 2, results_visibility: 'after_vote' });
  const ask = async (headers) => (await request(instance.resultUrl, { path: `/v1/polls/${id}/ballots.csv`, headers })).json.type;
  await until('result-api knows the poll', async () => (await ask({})) !== '/problems/poll-not-found');
  assert.equal(await ask({}), '/problems/unauthorized');
  assert.equal(await ask({ authorization: `Bearer ${instance.apiKey}` }), '/problems/forbidden');
});
