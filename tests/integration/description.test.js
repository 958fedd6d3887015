// The description of the HTTP interface against the routes of the services and their real answers.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Instance, programPath } from '../lib/instance.js';
import { request } from '../lib/http.js';

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
