// Tests stack.yml on a Swarm of one node with three brokers. Under load: killed and paused brokers, updates, rollbacks, new secrets.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acknowledges } from '../lib/check.js';
import { Engine, IMAGES, emptyEnvFile, engineSettings, run } from '../lib/engine.js';
import { ACKNOWLEDGED } from '../lib/history.js';
import { request, requestJson } from '../lib/http.js';
import { freePorts } from '../lib/instance.js';
import { Stack, applied } from '../lib/stack.js';
import { assertNone, judge } from '../lib/verdict.js';
import { Voters } from '../lib/voters.js';
import { until } from '../lib/wait.js';

const FILES = ['stack.yml', 'tests/deploy/swarm.yml'];
const MORE = 50; // acknowledged ballots that prove that voting goes on
const OPTIONS = ['red', 'green', 'blue', 'white'];

const engine = await Engine.find();
const isSwarm = !engine.reason && (await engine.docker('info --format', { args: ['{{.Swarm.LocalNodeState}}'] })).stdout.trim() !== 'inactive';
const skip = engine.reason ?? (isSwarm && 'the engine that runs is in a Swarm, whose nodes are not ours to label');
const options = skip ? { skip } : {};
let folder, stack, env, voteUrl, resultUrl, load;

/** Returns when the load has more acknowledged ballots. */
const goesOn = () => acknowledges(load, MORE);
/** The running containers of some services, as a text to compare. */
const working = async (...parts) => (await Promise.all(parts.map((part) => stack.containers(part)))).flat().sort().join(' ');
/** Repeats a request while the response is 502 to 504, because a service is away or slow. */
const answered = (ask) => until('it is answered', async () => {
  const answer = await ask();
  return ![502, 503, 504].includes(answer.status) && answer;
});
const SERVICES = ['vote-api', 'worker', 'result-api'];

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(process.env.SCRUTIN_TEST_ROOT ?? tmpdir(), 'swarm-'));
  const port = await freePorts(4);
  env = {
    ENV_FILE: emptyEnvFile(folder), SECRETS_DIR: join(folder, 'secrets'), NATS_HOSTS: 'nats-1 nats-2 nats-3', ...engineSettings, VERSION: 'local',
    STACK: 'scrutin-test', VOTE_UI_PORT: String(port), RESULT_UI_PORT: String(port + 1), RATE_LIMITS: 'off',
  };
  voteUrl = `http://127.0.0.1:${port}`;
  resultUrl = `http://127.0.0.1:${port + 1}`;
  await engine.buildImages();
  await run('scripts/secrets', [], { env });
  stack = new Stack(engine, env.STACK, { files: FILES, env });
  await stack.docker('swarm init', '--advertise-addr', '127.0.0.1', '--listen-addr', `127.0.0.1:${port + 2}`, '--data-path-port', String(port + 3));
  const [node] = await stack.lines('node ls -q');
  await stack.docker('node update', '--label-add', 'db=true', '--label-add', 'nats-1=true', '--label-add', 'nats-2=true',
    '--label-add', 'nats-3=true', node);
}, { timeout: 1_300_000 });

after(async () => {
  if (skip) return;
  await load?.close();
  await stack?.remove().catch(() => {});
  await engine.docker('swarm leave --force', { check: false });
  await engine.docker('network rm docker_gwbridge', { check: false });
  if (folder) rmSync(folder, { recursive: true, force: true });
  await engine.stop();
});

test('docker stack config parses stack.yml, alone and with an override', options, async (t) => {
  const { out } = await engine.docker('stack config --help', { check: false });
  if (!out.includes('docker stack config')) return t.skip('this docker has no `stack config`');
  for (const files of [FILES.slice(0, 1), FILES]) {
    const { stdout } = await engine.docker('stack config', { args: files.flatMap((file) => ['-c', file]), env });
    assert.match(stdout, /nats-3:/);
  }
});

test('deployed: the brokers elect a leader and keep three copies; both pages answer; a vote is counted', options, async () => {
  await stack.deploy();
  const cast = await until('the page takes a ballot', async () => {
    const answer = await requestJson(voteUrl, 'PUT', '/v1/polls/demo/ballot', { selection: ['a'] });
    return answer.status === 202 && answer;
  }, { timeout: 120_000, every: 250 });
  const streams = await stack.replicated();
  for (const name of ['BALLOTS', 'DEAD_LETTERS', 'KV_polls', 'KV_codes']) assert.ok(streams[name], name);
  for (const url of [voteUrl, resultUrl]) {
    await until(`${url} answers`, async () => /<!doctype html>/i.test((await request(url, { path: '/' })).text), { timeout: 120_000, every: 250 });
  }
  await until('the ballot is counted', async () =>
    (await request(resultUrl, { path: `/v1/receipts/${cast.json.receipt}` })).json.state === 'counted');
  const { out } = await stack.docker('exec', await stack.container('nats-1'), 'ls', '/run/secrets', '/etc/nats');
  assert.match(out, /cluster\.conf\nscrutin\.conf\n[^]*nats-cluster\nnats-passwords\n/);
});

test('the load begins', options, async () => {
  const answer = await answered(() => requestJson(voteUrl, 'POST', '/v1/polls', { title: 'Under load', method: 'plurality', revisable: true,
    options: OPTIONS.map((id) => ({ id, label: id })) }));
  assert.equal(answer.status, 201, answer.text);
  load = new Voters({ origin: voteUrl, poll: answer.json.id, options: OPTIONS, instance: { secretKeys: readFileSync(join(env.SECRETS_DIR, 'secret-keys'), 'utf8') },
    protocol: 'HTTP/1.1', connections: 16, inFlight: 16, rate: 60, receipts: true });
  await load.register(200);
  load.start();
  await goesOn();
});

test('a broker is killed under load', options, async () => {
  const { BALLOTS } = await stack.replicated();
  const killed = await stack.container(BALLOTS.leader);
  await stack.docker('kill', killed);
  await until('another broker leads', async () => {
    const now = (await stack.streams()).BALLOTS;
    return now && now.leader !== BALLOTS.leader;
  }, { timeout: 120_000, every: 250 });
  await goesOn();
  await stack.replicated();
  assert.notEqual(await stack.container(BALLOTS.leader), killed);
});

test('a broker is paused under load', options, async () => {
  const before = await working(...SERVICES);
  const { BALLOTS } = await stack.replicated();
  const paused = await stack.container(BALLOTS.leader);
  await stack.docker('pause', paused);
  try {
    await until('another broker leads', async () => {
      const now = (await stack.streams()).BALLOTS;
      return now && now.leader !== BALLOTS.leader;
    }, { timeout: 120_000, every: 250 });
    await goesOn();
  } finally {
    await stack.docker('unpause', paused);
  }
  await goesOn();
  await stack.replicated();
  assert.equal(await working(...SERVICES), before, 'a service ended because a broker was away');
});

test('vote-api and workers are updated under load', options, async () => {
  await Promise.all(['vote-api', 'worker'].map(async (part) => {
    await stack.docker('tag', `${IMAGES}/${part}:local`, `${IMAGES}/${part}:next`);
    await stack.docker('service update --detach --no-resolve-image', '--image', `${IMAGES}/${part}:next`, `${stack.name}_${part}`);
    assert.equal(await stack.updated(part), 'completed');
    await until(`only new containers of ${part} run`, async () => {
      const images = await stack.lines('inspect --format', '{{.Config.Image}}', ...await stack.containers(part));
      return images.length === 2 && images.every((image) => image === `${IMAGES}/${part}:next`);
    });
  }));
  await goesOn();
});

test('an update that fails rolls itself back, and a good one is rolled back by hand', options, async () => {
  const bad = async () => {
    const before = await stack.containers('vote-api');
    await stack.docker('service update --detach --no-resolve-image', '--env-add', 'PORT=nonsense', `${stack.name}_vote-api`);
    assert.equal(await stack.updated('vote-api'), 'rollback_completed');
    const { Spec: { TaskTemplate: { ContainerSpec: { Env } } } } = await stack.inspect('vote-api');
    assert.ok(!Env.includes('PORT=nonsense'));
    const states = await stack.lines('service ps --no-trunc --format', '{{.CurrentState}} {{.Error}}', `${stack.name}_vote-api`);
    assert.ok(states.some((state) => state.startsWith('Failed')), states.join('\n'));
    const now = await stack.containers('vote-api');
    assert.ok(now.some((id) => before.includes(id)), 'no container of before went on');
  };
  const byHand = async () => {
    await stack.docker('service rollback --detach', `${stack.name}_worker`);
    assert.equal(await stack.updated('worker'), 'rollback_completed');
    const { Spec: { TaskTemplate: { ContainerSpec: { Image } } } } = await stack.inspect('worker');
    assert.equal(Image, `${IMAGES}/worker:local`);
  };
  await Promise.all([bad(), byHand()]);
  await goesOn();
});

test('instance keys and a password of the database are rotated under load', options, async () => {
  const keys = () => readFileSync(join(env.SECRETS_DIR, 'secret-keys'), 'utf8').trim().split(',');
  const untouched = () => working('nats-1', 'nats-2', 'nats-3', 'db', 'vote-ui', 'result-ui');
  const before = await untouched();
  const signedBy = async () => (await answered(() => requestJson(voteUrl, 'PUT', '/v1/polls/demo/ballot', { selection: ['b'] }))).json.receipt.split('.')[0];

  const refused = async (word) => (await run('scripts/secrets', [word], { env, check: false })).out;
  assert.match(await refused('sign'), /no key is announced/);
  await run('scripts/secrets', ['announce'], { env });
  assert.match(await refused('announce'), /a key is announced/);
  await run('scripts/secrets', ['rotate', 'worker-password'], { env });
  await stack.deploy();
  for (const part of SERVICES) assert.equal(await stack.updated(part), 'completed');
  const [oldKey, newKey] = keys().map((key) => key.split(':')[0]);
  assert.equal(await signedBy(), oldKey);
  await goesOn();

  await run('scripts/secrets', ['sign'], { env });
  await stack.deploy();
  for (const part of ['vote-api', 'result-api']) assert.equal(await stack.updated(part), 'completed');
  assert.equal(await signedBy(), newKey);
  await goesOn();
  assert.equal(await untouched(), before);
});

test('every acknowledged ballot is in the database, once', options, async () => {
  await load.close(); // its idle connections would delay the end of the pages
  await applied(resultUrl, load.poll);
  const { rows, books } = await stack.books(load.poll);
  const found = judge(load.history, rows, books);
  console.log(`# ${JSON.stringify({ ...load.history.summary(), unknownFound: found.unknownFound, late: found.late, ...books, tally: undefined })}`);
  assertNone(found.violations);

  const receipts = load.history.voters.flatMap((voter) => voter.ops.filter((op) => op.fate === ACKNOWLEDGED).map((op) => op.receipt));
  const states = { counted: 0, superseded: 0 };
  for (let i = 0; i < receipts.length; i += 50) {
    await Promise.all(receipts.slice(i, i + 50).map(async (receipt) => {
      const { json } = await answered(() => request(resultUrl, { path: `/v1/receipts/${receipt}` }));
      states[json.state] = (states[json.state] ?? 0) + 1;
    }));
  }
  assert.equal(states.counted + states.superseded, receipts.length, JSON.stringify(states));

  const { state, out } = await stack.audit();
  assert.match(out, /All is well/);
  assert.match(state, /^Complete/);
});

test('no service asked a broker for what it may not have', options, async () => {
  for (const name of ['nats-1', 'nats-2', 'nats-3']) {
    const log = await stack.logs(name);
    assert.match(log, /Server is ready/);
    assert.doesNotMatch(log, /Violation/, name);
  }
});

test('docker stack rm leaves the volumes alone, and nothing else', options, async () => {
  await stack.remove();
  const volumes = await stack.owned('volume ls -q');
  assert.deepEqual(volumes.sort(), ['db-data', 'nats-1', 'nats-2', 'nats-3'].map((name) => `${stack.name}_${name}`));
  await stack.docker('volume rm', ...volumes);
});
