// The pages' nginx: what it passes on and to whom, what it refuses, and the headers that a browser goes by.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instance } from '../lib/instance.js';
import { EventStream } from '../lib/events.js';
import { request, requestJson } from '../lib/http.js';
import { Page } from '../lib/page.js';

let instance;
let pages;
before(async () => {
  instance = await Instance.start({ workers: 1 });
  pages = [instance.votePage, instance.resultPage];
});
after(() => instance?.stop());

test('both pages route the API: polls and ballots to vote-api, results and receipts to result-api', async () => {
  for (const page of pages) {
    assert.equal((await request(page, { path: '/v1/polls/demo' })).json.id, 'demo');
    const cast = await requestJson(page, 'PUT', '/v1/polls/demo/ballot', { selection: ['a'] });
    assert.equal(cast.status, 202, cast.text);
    const { status, json } = await request(page, { path: `/v1/receipts/${cast.json.receipt}` });
    assert.equal(status, 200);
    assert.match(json.state, /pending|counted/);
    assert.equal((await request(page, { path: '/v1/polls/demo/results' })).json.poll.id, 'demo');
    assert.match((await request(page, { path: '/v1/polls/demo/results.csv' })).headers['content-type'], /csv/);
    const stream = await EventStream.open(page, '/v1/polls/demo/results/stream');
    assert.equal((await stream.next()).data.poll.id, 'demo');
    stream.close();
  }
});

test('the classic contract is posted to the page itself', async () => {
  for (const page of pages) {
    const form = await request(page, { method: 'POST', path: '/', body: 'vote=a',
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.equal(form.status, 200, form.text);
    assert.match(form.headers['set-cookie'][0], /^voter_id=/);
  }
});

test('nothing else of the services can be reached, however it is written', async () => {
  for (const page of pages) {
    for (const path of ['/metrics', '/livez', '/readyz', '/v1/../metrics', '/v1/%2e%2e/metrics', '/v1/..%2fmetrics', '/v1//../readyz',
      '/v1/polls/demo/../../../livez', '/nginx.conf', '/a/', '/.git/config']) {
      const { status, text } = await request(page, { path });
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
      assert.doesNotMatch(text, /http_requests_total|"checks"|root /, path);
    }
  }
});

test('a page has a strict policy, is asked for anew, and its files are kept for ever', async () => {
  for (const page of pages) {
    for (const path of ['/', '/p/demo', '/nowhere']) {
      const { status, headers, text } = await request(page, { path });
      assert.equal(status, path === '/nowhere' ? 404 : 200);
      assert.match(headers['content-security-policy'], /^default-src 'self'; /);
      assert.doesNotMatch(headers['content-security-policy'], /unsafe|https?:|\*/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cache-control'], 'no-cache');
      assert.doesNotMatch(text, /@[A-Z]+@|<script>|style=/);
    }
    const { text, headers } = await request(page, { path: '/' });
    const again = await request(page, { path: '/', headers: { 'if-none-match': headers.etag } });
    assert.equal(again.status, 304);
    const files = [...text.matchAll(/(?:href|src)="(\/a\/[^"]+)"/g)].map((match) => match[1]);
    assert.ok(files.length >= 3);
    for (const path of files) {
      const file = await request(page, { path, headers: { 'accept-encoding': 'gzip' } });
      assert.equal(file.status, 200, path);
      assert.equal(file.headers['content-encoding'], 'gzip', path);
      assert.match(file.headers['cache-control'], /immutable/);
    }
  }
});

test('an API that is away, or a body that is too large, is a problem in JSON', async () => {
  const large = await request(instance.votePage, { method: 'PUT', path: '/v1/polls/demo/ballot', body: 'x'.repeat(20_000),
    headers: { 'content-type': 'application/json' } });
  assert.equal(large.status, 413);
  assert.equal(large.json.type, '/problems/payload-too-large');
  await instance.ctl('stop', 'vote-api');
  try {
    const { status, headers, json } = await request(instance.votePage, { path: '/v1/polls' });
    assert.equal(status, 503);
    assert.equal(headers['content-type'], 'application/problem+json');
    assert.ok(Number(headers['retry-after']) > 0);
    assert.equal(json.type, '/problems/unavailable');
  } finally {
    await instance.ctl('start', 'vote-api');
    await instance.ready();
  }
});

test('the addresses of both pages are what the request was made to', async () => {
  const { json } = await request(instance.votePage, { path: '/site.json', headers: { host: 'hall.example:5000' } });
  assert.deepEqual(json, { vote: `http://hall.example:${instance.settings.VOTE_UI_PORT}`,
    result: `http://hall.example:${instance.settings.RESULT_UI_PORT}` });
});

test('with a certificate: HTTP/2, a secure cookie, and X-Forwarded-For only from whom it may come', async () => {
  const addresses = { vote: 'https://vote.example', result: 'https://result.example' };
  const nginx = await Page.start(instance, 'tls', { tls: true, VOTE_URL: addresses.vote, RESULT_URL: addresses.result });
  try {
    const origin = nginx.url;
    const tls = { rejectUnauthorized: false };
    const page = await request(origin, { path: '/', tls }, 'HTTP/2');
    assert.equal(page.status, 200);
    assert.match(page.headers['strict-transport-security'], /max-age/);
    const session = http2.connect(origin, tls);
    await new Promise((done, failed) => session.on('connect', done).on('error', failed));
    assert.equal(session.alpnProtocol, 'h2');
    session.close();
    const cast = await request(origin, { method: 'PUT', path: '/v1/polls/demo/ballot', body: '{"selection":["b"]}', tls,
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' } }, 'HTTP/2');
    assert.equal(cast.status, 202, cast.text);
    assert.match(String(cast.headers['set-cookie']), /; secure/i);
    assert.deepEqual((await request(origin, { path: '/site.json', tls }, 'HTTP/2')).json, addresses);
    assert.match(readFileSync(join(nginx.folder, 'routes.conf'), 'utf8'), /X-Forwarded-For \$remote_addr;/);
  } finally {
    await nginx.stop();
  }
});
