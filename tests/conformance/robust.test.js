// Bad input. The same cases run over HTTP/1.1 and over HTTP/2. Each gets its defined answer, and no sanitizer reports anything.
// SPDX-License-Identifier: MIT
import test, { after, before, describe } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { Instance } from '../lib/instance.js';
import { PROTOCOLS, request, requestJson } from '../lib/http.js';
import { until, within } from '../lib/wait.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const VOTE = JSON.stringify({ selection: ['o1'] });

let instance;
let poll;
let polls = {};

before(async () => {
  // Ballots must wait until their clients have left, also on a busy machine.
  instance = await Instance.start({ workers: 1, env: { ACK_TIMEOUT_MS: '20000' } });
  poll = await instance.createPoll({ n: 5 });
  const closed = await instance.createPoll({ n: 2 });
  const closing = await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${closed.id}`, { state: 'closed' },
    { authorization: `Bearer ${closed.token}` });
  assert.equal(closing.status, 200, closing.text);
  const scheduled = await instance.createPoll({ n: 2, opens_at: new Date(Date.now() + 3_600_000).toISOString() });
  polls = { open: poll.id, closed: closed.id, scheduled: scheduled.id };
});
after(() => instance?.stop());

const ballot = (id = polls.open) => `/v1/polls/${id}/ballot`;
const put = (body, headers = JSON_TYPE, id = undefined) => ({ method: 'PUT', path: ballot(id), headers, body });

const ANY = Symbol('any pointer');

/** Invalid requests: name, request, status, problem, pointer ("" is the whole body; undefined: there is no pointer). */
const TABLE = [
  // invalid JSON
  ['an open brace', () => put('{'), 400, 'invalid-json', ''],
  ['an empty body', () => put(''), 400, 'invalid-json', ''],
  ['an array', () => put('["o1"]'), 400, 'invalid-json', ''],
  ['a string', () => put('"o1"'), 400, 'invalid-json', ''],
  ['null', () => put('null'), 400, 'invalid-json', ''],
  ['something behind the object', () => put(`${VOTE} x`), 400, 'invalid-json', ''],
  ['two objects', () => put(VOTE + VOTE), 400, 'invalid-json', ''],
  ['single quotes', () => put("{'selection':['o1']}"), 400, 'invalid-json', ''],
  ['a trailing comma', () => put('{"selection":["o1"],}'), 400, 'invalid-json', ''],
  ['a comment', () => put('{"selection":["o1"]/* why */}'), 400, 'invalid-json', ''],
  ['a number without end', () => put(`{"selection":1${'0'.repeat(2000)}}`), 400, 'invalid-json', ''],
  ['duplicate keys', () => put('{"selection":["o1"],"selection":["o2"]}'), 400, 'invalid-json', ''],
  ['deep nesting of arrays', () => put(`{"selection":${'['.repeat(1500)}${']'.repeat(1500)}}`), 400, 'invalid-json', ''],
  ['deep nesting of objects', () => put(`${'{"a":'.repeat(600)}1${'}'.repeat(600)}`), 400, 'invalid-json', ''],
  ['nesting that never closes', () => put('['.repeat(4000)), 400, 'invalid-json', ''],
  ['a lone continuation byte', () => put(Buffer.from('{"selection":["o\x80"]}', 'latin1')), 400, 'invalid-json', ''],
  ['an overlong slash', () => put(Buffer.from('{"selection":["\xc0\xaf"]}', 'latin1')), 400, 'invalid-json', ''],
  ['a surrogate in UTF-8', () => put(Buffer.from('{"selection":["\xed\xa0\x80"]}', 'latin1')), 400, 'invalid-json', ''],
  ['a cut character', () => put(Buffer.from('{"selection":["\xe2\x82', 'latin1')), 400, 'invalid-json', ''],
  ['a byte order mark', () => put(`\ufeff${VOTE}`), 400, 'invalid-json', ''],
  ['UTF-16', () => put(Buffer.from(VOTE, 'utf16le')), 400, 'invalid-json', ''],
  ['NUL as a byte', () => put('{"selection":["o1\0"]}'), 400, 'invalid-json', ''],
  ['NUL as an escape', () => put('{"selection":["o1\\u0000"]}'), 400, 'invalid-json', ''],
  ['NUL in a key', () => put('{"selection\\u0000":["o1"]}'), 400, 'invalid-json', ''],
  ['NUL behind the object', () => put(`${VOTE}\0`), 400, 'invalid-json', ''],
  ['a lone surrogate as an escape', () => put('{"selection":["\\ud800"]}'), 400, 'invalid-json', ''],

  // JSON of the wrong shape
  ['no selection', () => put('{}'), 400, 'invalid-selection', '/selection'],
  ['a selection that is a string', () => put('{"selection":"o1"}'), 400, 'invalid-selection', '/selection'],
  ['a selection that is null', () => put('{"selection":null}'), 400, 'invalid-selection', '/selection'],
  ['a selection that is an object', () => put('{"selection":{"o1":1}}'), 400, 'invalid-selection', '/selection'],
  ['a number in the selection', () => put('{"selection":[1]}'), 400, 'invalid-selection', '/selection/0'],
  ['a list in the selection', () => put('{"selection":[["o1"]]}'), 400, 'invalid-selection', '/selection/0'],
  ['an unknown field', () => put('{"selection":["o1"],"weight":9}'), 400, 'invalid-field', '/weight'],
  ['a field name with a slash', () => put('{"selection":["o1"],"a/b~":9}'), 400, 'invalid-field', '/a~1b~0'],

  // selections that do not fit the poll
  ['an empty selection', () => put('{"selection":[]}'), 400, 'invalid-selection', '/selection'],
  ['an unknown option', () => put('{"selection":["o9"]}'), 400, 'invalid-selection', '/selection/0'],
  ['an option that is nearly one', () => put('{"selection":["O1"]}'), 400, 'invalid-selection', '/selection/0'],
  ['an empty option', () => put('{"selection":[""]}'), 400, 'invalid-selection', '/selection/0'],
  ['an option with a space', () => put('{"selection":["o1 o2"]}'), 400, 'invalid-selection', '/selection/0'],
  ['a very long option', () => put(`{"selection":["${'o'.repeat(3000)}"]}`), 400, 'invalid-selection', '/selection/0'],
  ['an option that a sentence would cut within a character', () => put(`{"selection":["x${'é'.repeat(40)}"]}`), 400, 'invalid-selection', '/selection/0'],
  ['too many options', () => put('{"selection":["o1","o2"]}'), 400, 'invalid-selection', '/selection'],
  ['the same option twice', () => put('{"selection":["o1","o1"]}'), 400, 'invalid-selection', '/selection'],
  ['hundreds of options', () => put(`{"selection":[${Array(500).fill('"o1"').join()}]}`), 400, 'invalid-selection', '/selection'],

  // Texts that an answer quotes. If they were cut within a character, the answer would not be JSON.
  ...[0, 1, 2, 3].flatMap((shift) => [['\u00e9', 60], ['\u20ac', 60], ['\u{1f600}', 60], ['\u{1f600}', 300]].flatMap(([character, n]) => {
    const text = 'x'.repeat(shift) + character.repeat(n);
    const what = `${n} times ${character} behind ${shift}`;
    return [
      [`an unknown option of many bytes a character, ${what}`, () => put(JSON.stringify({ selection: [text] })), 400, 'invalid-selection', '/selection/0'],
      [`an unknown field of many bytes a character, ${what}`, () => put(JSON.stringify({ [text]: 1 })), 400, 'invalid-field', ANY],
      [`a field twice, many bytes a character, ${what}`, () => put(`{"${text}":1,"${text}":2}`), 400, 'invalid-json', ''],
      [`no JSON, many bytes a character, ${what}`, () => put(`{"selection":${text}}`), 400, 'invalid-json', ''],
    ];
  })),

  // size and type
  ['a body of 5 KB', () => put(`{"selection":["${'x'.repeat(5000)}"]}`), 413, 'payload-too-large', undefined],
  ['5 KB of spaces around a ballot', () => put(VOTE.padEnd(5000)), 413, 'payload-too-large', undefined],
  ['no content type', () => put(VOTE, {}), 415, 'unsupported-media-type', undefined],
  ['text/plain', () => put(VOTE, { 'content-type': 'text/plain' }), 415, 'unsupported-media-type', undefined],
  ['a form', () => put('selection=o1', FORM_TYPE), 415, 'unsupported-media-type', undefined],
  ['a type that only begins right', () => put(VOTE, { 'content-type': 'application/jsonp' }), 415, 'unsupported-media-type', undefined],

  // path and method
  ['an unknown poll', () => put(VOTE, JSON_TYPE, 'nosuch'), 404, 'poll-not-found', undefined],
  ['a poll id that cannot be one', () => put(VOTE, JSON_TYPE, 'No_Such'), 404, 'poll-not-found', undefined],
  ['a poll id of a kilobyte', () => put(VOTE, JSON_TYPE, 'a'.repeat(1000)), 404, 'poll-not-found', undefined],
  ['a poll id with a quoted NUL', () => put(VOTE, JSON_TYPE, 'a%00b'), 404, 'poll-not-found', undefined],
  ['a closed poll', () => put('{"selection":["o1"]}', JSON_TYPE, polls.closed), 409, 'poll-closed', undefined],
  ['a poll that opens later', () => put('{"selection":["o1"]}', JSON_TYPE, polls.scheduled), 409, 'poll-not-open', undefined],
  ['an unknown route', () => ({ path: '/v1/nothing' }), 404, 'not-found', undefined],
  ['an unknown route below a poll', () => ({ path: `/v1/polls/${polls.open}/nothing` }), 404, 'not-found', undefined],
  ['a route with a slash too many', () => ({ path: `${ballot()}/`, method: 'PUT', headers: JSON_TYPE, body: VOTE }), 404, 'not-found', undefined],
  ['a path that climbs', () => ({ path: '/v1/polls/../../etc/passwd' }), 404, 'not-found', undefined],

  // origin and tokens
  ['a page of another site (Origin)', () => put(VOTE, { ...JSON_TYPE, origin: 'https://evil.example' }), 403, 'cross-site', undefined],
  ['no origin at all (null)', () => put(VOTE, { ...JSON_TYPE, origin: 'null' }), 403, 'cross-site', undefined],
  ['a page of another site (Fetch Metadata)', () => put(VOTE, { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }), 403, 'cross-site', undefined],
  ['a page of another name of this site', () => put(VOTE, { ...JSON_TYPE, 'sec-fetch-site': 'same-site' }), 403, 'cross-site', undefined],
  ['a page of another site that says what it likes for Origin', () => put(VOTE, { ...JSON_TYPE, origin: instance.voteUrl,
    'sec-fetch-site': 'cross-site' }), 403, 'cross-site', undefined],
  ['deleting from a page of another site', () => ({ method: 'DELETE', path: `/v1/polls/${polls.open}`, headers: { origin: 'https://evil.example' } }),
    403, 'cross-site', undefined],
  ['a voter\'s token for a page of another site', () => ({ method: 'POST', path: '/v1/voters', headers: { 'sec-fetch-site': 'cross-site' } }),
    403, 'cross-site', undefined],
  ['a form of another site', () => ({ method: 'POST', path: '/', headers: { ...FORM_TYPE, origin: 'https://evil.example' }, body: 'vote=a' }),
    403, 'cross-site', undefined],
  ['many ballots without an API key', () => ({ method: 'POST', path: `/v1/polls/${polls.open}/ballots`, headers: JSON_TYPE,
    body: '{"ballots":[]}' }), 401, 'unauthorized', undefined],
  ['many ballots with a wrong API key', () => ({ method: 'POST', path: `/v1/polls/${polls.open}/ballots`,
    headers: { ...JSON_TYPE, authorization: `Bearer ${'0'.repeat(64)}` }, body: '{"ballots":[]}' }), 401, 'unauthorized', undefined],
  ['closing without a token', () => ({ method: 'PATCH', path: `/v1/polls/${polls.open}`, headers: JSON_TYPE,
    body: '{"state":"closed"}' }), 401, 'unauthorized', undefined],
  ['closing with the token of another poll', () => ({ method: 'PATCH', path: `/v1/polls/${polls.open}`,
    headers: { ...JSON_TYPE, authorization: `Bearer ${'A'.repeat(32)}` }, body: '{"state":"closed"}' }), 403, 'forbidden', undefined],
  ['deleting without a token', () => ({ method: 'DELETE', path: `/v1/polls/${polls.open}` }), 401, 'unauthorized', undefined],

  // bulk ballots
  ['many: no list', () => bulk({}), 400, 'invalid-field', '/ballots'],
  ['many: an empty list', () => bulk({ ballots: [] }), 400, 'invalid-field', '/ballots'],
  ['many: a number in the list', () => bulk({ ballots: [{ voter: 'a', selection: ['o1'] }, 7] }), 400, 'invalid-field', '/ballots/1'],
  ['many: no voter', () => bulk({ ballots: [{ selection: ['o1'] }] }), 400, 'invalid-field', '/ballots/0/voter'],
  ['many: an empty voter', () => bulk({ ballots: [{ voter: '', selection: ['o1'] }] }), 400, 'invalid-field', '/ballots/0/voter'],
  ['many: a voter of 129 bytes', () => bulk({ ballots: [{ voter: 'v'.repeat(129), selection: ['o1'] }] }), 400, 'invalid-field', '/ballots/0/voter'],
  ['many: one that does not fit', () => bulk({ ballots: [{ voter: 'a', selection: ['o1'] }, { voter: 'b', selection: ['o9'] }] }),
    400, 'invalid-selection', '/ballots/1/selection/0'],

  // invalid polls
  ['a poll without options', () => create({ title: 'T', method: 'plurality' }), 400, 'invalid-field', '/options'],
  ['a poll of one option', () => create({ title: 'T', method: 'plurality', options: [{ label: 'A' }] }), 400, 'invalid-field', '/options'],
  ['a poll with an option twice', () => create({ title: 'T', method: 'plurality', options: [{ id: 'a', label: 'A' }, { id: 'a', label: 'B' }] }),
    400, 'invalid-field', '/options'],
  ['a poll with an empty title', () => create({ title: '', method: 'plurality', options: [{ label: 'A' }, { label: 'B' }] }),
    400, 'invalid-field', '/title'],
  ['a poll with a title that is a number', () => create({ title: 7, method: 'plurality', options: [{ label: 'A' }, { label: 'B' }] }),
    400, 'invalid-field', '/title'],
  ['a poll with a date that is none', () => create({ title: 'T', method: 'plurality', options: [{ label: 'A' }, { label: 'B' }],
    closes_at: 'tomorrow' }), 400, 'invalid-field', '/closes_at'],
  ['a poll that closes before it opens', () => create({ title: 'T', method: 'plurality', options: [{ label: 'A' }, { label: 'B' }],
    opens_at: '2030-01-02T00:00:00Z', closes_at: '2030-01-01T00:00:00Z' }), 400, 'invalid-field', '/closes_at'],

  // the classic contract
  ['classic: a vote for c', () => ({ method: 'POST', path: '/', headers: FORM_TYPE, body: 'vote=c' }), 400, 'invalid-selection', '/vote'],
  ['classic: no vote', () => ({ method: 'POST', path: '/', headers: FORM_TYPE, body: 'veto=a' }), 400, 'invalid-field', '/vote'],
  ['classic: another type', () => ({ method: 'POST', path: '/', headers: { 'content-type': 'text/xml' }, body: '<vote/>' }),
    415, 'unsupported-media-type', undefined],
];

const bulk = (value) => ({ method: 'POST', path: `/v1/polls/${polls.open}/ballots`,
  headers: { ...JSON_TYPE, authorization: `Bearer ${instance.apiKey}` }, body: JSON.stringify(value) });
const create = (value) => ({ method: 'POST', path: '/v1/polls',
  headers: { ...JSON_TYPE, authorization: `Bearer ${instance.apiKey}` }, body: JSON.stringify(value) });

const METHODS = [
  ['DELETE', () => ballot(), ['PUT']],
  ['PUT', () => '/v1/polls', ['GET', 'POST']],
  ['POST', () => `/v1/polls/${polls.open}`, ['GET', 'PATCH', 'DELETE']],
  ['GET', () => '/v1/voters', ['POST']],
  ['DELETE', () => '/livez', ['GET']],
];

/** Checks the form of a problem. */
function assertProblem(answer, status, slug) {
  assert.equal(answer.status, status, `${answer.status} ${answer.text} ${answer.reset ?? ''}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  const problem = answer.json;
  if (slug) assert.equal(problem.type, `/problems/${slug}`);
  assert.equal(problem.status, status);
  assert.match(problem.title, /\S/);
  assert.match(problem.detail, /\S/, 'a sentence that says what to do');
  assert.match(problem.request_id, /^[0-9a-f]{16}$/);
  return problem;
}

async function voteWorks(protocol) {
  const answer = await request(instance.voteUrl, put(VOTE), protocol);
  assert.equal(answer.status, 202, answer.text);
  return answer;
}

async function metric(url, name) {
  const { text } = await request(url, { path: '/metrics' });
  return Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1] ?? 0);
}

for (const protocol of PROTOCOLS) {
  describe(protocol, () => {
    for (const [name, make, status, slug, pointer] of TABLE) {
      test(`${name}: ${status} ${slug ?? ''}`, async () => {
        const problem = assertProblem(await request(instance.voteUrl, make(), protocol), status, slug);
        if (pointer === ANY) assert.match(problem.pointer, /^\//);
        else assert.equal(problem.pointer, pointer, problem.detail);
      });
    }

    for (const [method, path, allow] of METHODS) {
      test(`${method} where only ${allow} is allowed: 405 with Allow`, async () => {
        const answer = await request(instance.voteUrl, { method, path: path() }, protocol);
        assertProblem(answer, 405, 'method-not-allowed');
        const allowed = answer.headers.allow?.split(/, */) ?? [];
        for (const one of allow) assert.ok(allowed.includes(one), `Allow: ${answer.headers.allow}`);
        assert.ok(!allowed.includes(method));
      });
    }

    test('result-api: unknown poll, unknown route, wrong method, bad receipt', async () => {
      const ask = (options) => request(instance.resultUrl, options, protocol);
      assertProblem(await ask({ path: '/v1/polls/nosuch/results' }), 404, 'poll-not-found');
      assertProblem(await ask({ path: '/v1/polls/nosuch/results/stream' }), 404, 'poll-not-found');
      assertProblem(await ask({ path: '/v1/nothing' }), 404, 'not-found');
      const answer = await ask({ method: 'POST', path: `/v1/polls/${polls.open}/results` });
      assertProblem(answer, 405, 'method-not-allowed');
      assert.match(answer.headers.allow, /GET/);
      const options = { path: `/v1/polls/${polls.open}/results`, headers: JSON_TYPE, body: VOTE };
      assertProblem(await ask({ ...options, method: 'POST' }), 405, 'method-not-allowed');
      assertProblem(await ask({ ...options, method: 'GET' }), 413, 'payload-too-large');
    });

    test('a body of 1 MB is refused, and its memory is not kept', async () => {
      const big = Buffer.alloc(1 << 20, 'x');
      const answer = await request(instance.voteUrl, put(big), protocol);
      if (answer.status !== undefined || !answer.reset) assertProblem(answer, 413, 'payload-too-large');
      else assert.match(answer.reset, protocol === 'HTTP/2' ? /RST_STREAM|ERR_HTTP2/ : /ECONNRESET|EPIPE/);
      await voteWorks(protocol);
    });

    test('a header block of 1 MB does not bring the service down', async () => {
      try {
        const answer = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, 'x-big': 'x'.repeat(1 << 20) }), protocol);
        assert.ok(answer.status === undefined || (answer.status >= 400 && answer.status < 500), String(answer.status));
      } catch (error) {
        assert.match(error.message, /frame|hang up|reset|EPIPE|session|ECONN/i);
      }
      await voteWorks(protocol);
    });

    test('a valid ballot: 202 with a receipt, for any case and parameters of Content-Type', async () => {
      for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON']) {
        const answer = await request(instance.voteUrl, put(VOTE, { 'content-type': type }), protocol);
        assert.equal(answer.status, 202, answer.text);
        const { receipt, ...rest } = answer.json;
        assert.match(receipt, /^[a-z0-9]+\.[\w-]{40,}$/);
        assert.deepEqual(rest, { poll: polls.open, selection: ['o1'], state: 'pending' });
      }
    });

    test('the origin of the site itself may vote', async () => {
      const answer = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, origin: instance.voteUrl, 'sec-fetch-site': 'same-origin' }), protocol);
      assert.equal(answer.status, 202, answer.text);
    });

    test('Sec-Fetch-Site decides, also behind a proxy that changes Host', async () => {
      for (const site of ['same-origin', 'none']) {
        const answer = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, origin: 'https://vote.example', 'sec-fetch-site': site }), protocol);
        assert.equal(answer.status, 202, answer.text);
      }
    });

    test('no answer allows the scripts of another site to read it', async () => {
      const headers = { origin: 'https://evil.example', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' };
      for (const [url, path] of [[instance.voteUrl, ballot()], [instance.voteUrl, `/v1/polls/${polls.open}`], [instance.resultUrl, `/v1/polls/${polls.open}/results`]]) {
        for (const method of ['OPTIONS', 'GET']) {
          const answer = await request(url, { method, path, headers }, protocol);
          assert.deepEqual(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')), [], `${method} ${path}`);
          if (method === 'OPTIONS') assertProblem(answer, 405, 'method-not-allowed');
        }
      }
    });

    test('a valid cookie is kept; forged, truncated and foreign ones are ignored', async () => {
      const first = await voteWorks(protocol);
      const [setCookie] = [first.headers['set-cookie']].flat();
      assert.match(setCookie, /^voter_id=[a-z0-9]+\.[\w-]{43};/);
      for (const part of [/; *HttpOnly/i, /; *SameSite=Lax/i, /; *Path=\//i]) assert.match(setCookie, part);
      assert.doesNotMatch(setCookie, /; *Secure/i, 'plain HTTP');
      const good = setCookie.split(';')[0];

      const again = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, cookie: good }), protocol);
      assert.equal(again.status, 202);
      assert.equal(again.headers['set-cookie'], undefined, 'a voter who has a cookie keeps it');

      const at = good.indexOf('.') + 5;
      const flipped = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
      const bad = [flipped, good.slice(0, -1), good.slice(0, 20), 'voter_id=', 'voter_id=.', `${good}x`, good.replace(/=[a-z0-9]+\./, '=zz.'),
        `voter_id=${'A'.repeat(3000)}`, 'voter_id=0123456789abcdef', 'other=1', ';;;=;', good.replace('voter_id', 'voter_idx')];
      for (const cookie of bad) {
        const answer = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, cookie }), protocol);
        assert.equal(answer.status, 202, `${cookie}: ${answer.text}`);
        const [fresh] = [answer.headers['set-cookie']].flat();
        assert.match(fresh ?? '', /^voter_id=/, `${cookie} must be replaced`);
        assert.notEqual(fresh.split(';')[0], good);
      }
    });

    test('of several cookies with the same name, the valid one counts in every position', async () => {
      const good = [(await voteWorks(protocol)).headers['set-cookie']].flat()[0].split(';')[0];
      for (const cookie of [`voter_id=1b4e28ba2fa1; ${good}`, `voter_id=; a=b; voter_id=x.${'A'.repeat(43)}; ${good}`, `${good}; voter_id=1b4e28ba2fa1`]) {
        const answer = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, cookie }), protocol);
        assert.equal(answer.status, 202, answer.text);
        assert.equal(answer.headers['set-cookie'], undefined, cookie);
      }
      const many = await request(instance.voteUrl, put(VOTE, { ...JSON_TYPE, cookie: `${'voter_id=1; '.repeat(200)}${good}` }), protocol);
      assert.equal(many.status, 202);
      assert.match([many.headers['set-cookie']].flat()[0] ?? '', /^voter_id=/, 'not that many are tried');
    });

    test('problems are never cached as results, and have nosniff', async () => {
      const answer = await request(instance.voteUrl, put('{'), protocol);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    });

    test('the request id of a problem is unique', async () => {
      const ids = new Set();
      for (let i = 0; i < 20; i++) ids.add((await request(instance.voteUrl, put('{'), protocol)).json.request_id);
      assert.equal(ids.size, 20);
    });

    test('clients that leave before their answer do no harm', async () => {
      const before = await metric(instance.voteUrl, 'http_requests_abandoned_total');
      const nats = await instance.signal('nats', 'SIGSTOP'); // no acknowledgement comes
      try {
        await leaveEarly(protocol, 100);
        await until('the service has seen them leave', async () =>
          protocol === 'HTTP/1.1' || await metric(instance.voteUrl, 'http_requests_abandoned_total') >= before + 100);
      } finally {
        process.kill(nats, 'SIGCONT');
      }
      await until('votes are taken again', () => voteWorks(protocol));
    });
  });
}

/** Sends n ballots whose clients leave: by RST_STREAM, or by closing the connection. */
async function leaveEarly(protocol, n) {
  const { hostname, port } = new URL(instance.voteUrl);
  if (protocol === 'HTTP/1.1') {
    const text = `PUT ${ballot()} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\nContent-Length: ${VOTE.length}\r\n\r\n${VOTE}`;
    await Promise.all(Array.from({ length: n }, () => new Promise((done) => {
      const socket = net.connect(port, hostname, () => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 50)));
      socket.on('error', () => {});
      socket.on('close', done);
    })));
    return;
  }
  const session = http2.connect(instance.voteUrl);
  session.on('error', () => {});
  const streams = Array.from({ length: n }, () => {
    const stream = session.request({ ':method': 'PUT', ':path': ballot(), ...JSON_TYPE });
    stream.on('error', () => {});
    stream.end(VOTE);
    return stream;
  });
  await until('they wait', async () => (await metric(instance.voteUrl, 'http_requests_waiting')) >= n);
  streams.slice(0, n / 2).forEach((stream) => stream.close(http2.constants.NGHTTP2_CANCEL));
  await new Promise((done) => session.ping(done));
  session.destroy();
}

/** Bytes that are not HTTP, and HTTP that ends too early. The connection ends, the service continues. */
const WRECKS = {
  'random bytes': Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 256)),
  'TLS to a plain port': Buffer.from('16030100c8010000c40303', 'hex'),
  'half a request line': 'PUT /v1/po',
  'a header without a colon': 'GET /livez HTTP/1.1\r\nHost\r\n\r\n',
  'a negative content length': `PUT /v1/polls/x/ballot HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${VOTE}`,
  'a content length that is too large for a number': 'PUT /v1/polls/x/ballot HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
  'a chunk size that is no number': 'PUT /v1/polls/x/ballot HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'HTTP/0.9': 'GET /livez\r\n\r\n',
  'a cut HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM',
  'a broken HTTP/2 frame': Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from('ffffff01ffffffffff', 'hex')]),
  'HTTP/2 headers with broken HPACK': Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from('000000040000000000', 'hex'), Buffer.from('000004010500000001ffffffff', 'hex')]),
};
for (const [name, bytes] of Object.entries(WRECKS)) {
  test(`not HTTP: ${name}`, async () => {
    const { hostname, port } = new URL(instance.voteUrl);
    const socket = net.connect(port, hostname);
    await within(30_000, 'the bytes are sent', new Promise((done) => {
      socket.on('error', done);
      socket.on('close', done);
      socket.resume();
      socket.end(bytes, () => setTimeout(done, 20));
    }));
    socket.destroy();
    for (const protocol of PROTOCOLS) await voteWorks(protocol);
  });
}

/** Sends these bytes and returns the answer, up to the end of the connection. */
const exchange = (bytes) => new Promise((done, failed) => {
  const { hostname, port } = new URL(instance.voteUrl);
  const socket = net.connect(port, hostname, () => socket.write(bytes));
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  socket.on('error', failed);
  socket.on('close', () => done(text));
});

/** Heads that two servers could read differently. A second request follows each head; the server must not answer it. */
const AMBIGUOUS = {
  'Content-Length and Transfer-Encoding': ['Host: x', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
  'Transfer-Encoding and Content-Length': ['Host: x', 'transfer-encoding: chunked', 'content-length: 5'],
  'two Content-Length': ['Host: x', 'Content-Length: 5', 'Content-Length: 0'],
  'a list of Content-Length': ['Host: x', 'Content-Length: 5, 5'],
  'a Content-Length with a sign': ['Host: x', 'Content-Length: +5'],
  'a Transfer-Encoding that is not known': ['Host: x', 'Transfer-Encoding: gzip, chunked'],
  'a Transfer-Encoding with more behind it': ['Host: x', 'Transfer-Encoding: chunked;a=b'],
  'a header in two lines': ['Host: x', 'Content-Length: 5', '\t0'],
  'a space before the colon': ['Host: x', 'Content-Length : 5'],
  'two Hosts': ['Host: x', 'Content-Length: 5', 'Host: y'],
};
for (const [name, fields] of Object.entries(AMBIGUOUS)) {
  test(`ambiguous: ${name}`, async () => {
    const head = [`PUT ${ballot()} HTTP/1.1`, 'Content-Type: application/json', ...fields, '', ''].join('\r\n');
    const text = await within(30_000, 'the connection is closed', exchange(`${head}0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n`));
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.equal(text.split('HTTP/1.1 ').length, 2, `one answer: ${text}`);
  });
}

describe('a client that sends a byte a second', { concurrency: true }, () => {
  const LONGEST = 150_000; // more than twice the limit for a request, and for an idle connection: 60 s

  test('HTTP/1.1: is dropped', async () => {
    const { hostname, port } = new URL(instance.voteUrl);
    const text = `PUT ${ballot()} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n`;
    const socket = net.connect(port, hostname);
    socket.on('error', () => {});
    socket.resume();
    let sent = 0;
    const timer = setInterval(() => socket.write(text[sent++] ?? ' '), 1000);
    try {
      await within(LONGEST, 'the connection is cut', new Promise((done) => socket.on('close', done)));
    } finally {
      clearInterval(timer);
      socket.destroy();
    }
  });

  test('HTTP/1.1: is dropped when its body comes byte by byte', async () => {
    const { hostname, port } = new URL(instance.voteUrl);
    const socket = net.connect(port, hostname);
    socket.on('error', () => {});
    socket.resume();
    socket.write(`PUT ${ballot()} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n`);
    const timer = setInterval(() => socket.write(' '), 1000);
    try {
      await within(LONGEST, 'the connection is cut', new Promise((done) => socket.on('close', done)));
    } finally {
      clearInterval(timer);
      socket.destroy();
    }
  });

  test('HTTP/2: is dropped', async () => {
    const session = http2.connect(instance.voteUrl);
    session.on('error', () => {});
    const stream = session.request({ ':method': 'PUT', ':path': ballot(), ...JSON_TYPE, 'content-length': '2000' });
    stream.on('error', () => {});
    stream.resume();
    const timer = setInterval(() => stream.writable && stream.write(' '), 1000);
    try {
      await within(LONGEST, 'the stream ends', new Promise((done) => stream.on('close', done)));
    } finally {
      clearInterval(timer);
      session.destroy();
    }
  });
});

test('after all this every service is ready, and no sanitizer reported anything', async () => {
  await instance.ready();
  assert.deepEqual(instance.sanitizerFindings(), []);
});
