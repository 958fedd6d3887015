// Every image and compose.yaml with a real engine: votes, more workers, killed containers, hardening, networks, and nothing left.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Engine, emptyEnvFile, engineSettings, run } from '../lib/engine.js';
import { fateOf, ACKNOWLEDGED, REFUSED, UNKNOWN } from '../lib/history.js';
import { requestJson, request } from '../lib/http.js';
import { freePorts } from '../lib/instance.js';
import { until } from '../lib/wait.js';

const PARTS = ['vote-api', 'result-api', 'worker', 'vote-ui', 'result-ui'];
const RUNNING = ['vote-ui', 'result-ui', 'vote-api', 'worker', 'result-api', 'nats', 'db'];
const VOTERS = 8; // at once

const engine = await Engine.find();
const options = engine.reason ? { skip: engine.reason } : {};
let folder, project, env, voteUrl, resultUrl;

const compose = (args, more = {}) => engine.compose(project, ['--env-file', env.ENV_FILE, ...args], { ...more, env: { ...env, ...more.env } });
const docker = (command, ...args) => engine.docker(command, { args });
const inside = (container, script) => engine.docker('exec', { args: [container, 'bash', '-c', script], check: false });

/** The running containers of a service. */
async function containers(service) {
  const { stdout } = await docker('ps -q', '--filter', `label=com.docker.compose.project=${project}`,
    '--filter', `label=com.docker.compose.service=${service}`);
  return stdout.split('\n').filter(Boolean);
}

/** What there is of the project, stopped containers too. */
async function leftovers() {
  const label = ['--filter', `label=com.docker.compose.project=${project}`];
  const lists = await Promise.all([docker('ps -aq', ...label), docker('network ls -q', ...label), docker('volume ls -q', ...label)]);
  return lists.flatMap(({ stdout }) => stdout.split('\n').filter(Boolean));
}

before(async () => {
  if (engine.reason) return;
  folder = mkdtempSync(join(process.env.SCRUTIN_TEST_ROOT ?? tmpdir(), 'deploy-'));
  project = `scrutin-test-${process.pid}`;
  const port = await freePorts(2);
  env = {
    ENV_FILE: emptyEnvFile(folder), SECRETS_DIR: join(folder, 'secrets'), ...engineSettings, UI_ADDRESS: '127.0.0.1',
    VOTE_UI_PORT: String(port), RESULT_UI_PORT: String(port + 1), RATE_LIMITS: 'off',
  };
  voteUrl = `http://127.0.0.1:${port}`;
  resultUrl = `http://127.0.0.1:${port + 1}`;
  await engine.buildImages();
}, { timeout: 1_300_000 });

after(async () => {
  if (engine.reason) return;
  if (project) await compose(['down', '--volumes', '--timeout', '1'], { check: false });
  await engine.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Compose 2 of Debian 13, for where it is not installed. */
async function fetchCompose() {
  const packages = mkdtempSync(join(folder ?? tmpdir(), 'compose-'));
  await run('scripts/fetch-deb', [packages, 'trixie', 'docker-compose'], { timeout: 300_000 });
  await run('dpkg-deb', ['-x', join(packages, readdirSync(packages)[0]), packages]);
  return [join(packages, 'usr/libexec/docker/cli-plugins/docker-compose')];
}

/** The program of that kind, or undefined. */
async function findCompose(isFirst) {
  for (const find of [() => ['docker-compose'], () => ['docker', 'compose'], fetchCompose]) {
    try {
      const [program, ...words] = await find();
      const { stdout } = await run(program, [...words, 'version', '--short'], { env: engine.env });
      if (/^v?1\./.test(stdout) === isFirst) return [program, ...words];
    } catch { /* there is none of this kind here */ }
  }
}

for (const [name, isFirst] of [['Compose 1', true], ['Compose 2', false]]) {
  test(`${name} parses compose.yaml and compose.dev.yaml, and sees every service`, options, async (t) => {
    const found = await findCompose(isFirst);
    if (!found) return t.skip(`${name} is not to be had here`);
    const [program, ...words] = found;
    const services = [...RUNNING, 'audit', 'load', 'nats-volume', 'secrets', 'seed', 'setup', 'traefik'].sort();
    for (const files of [['compose.yaml'], ['compose.yaml', 'compose.dev.yaml']]) {
      const { stdout } = await run(program, [...words, '-p', project, '--env-file', env.ENV_FILE, ...files.flatMap((file) => ['-f', file]),
        'config', '--services'], { env: { ...env, COMPOSE_PROFILES: 'audit,edge,load,seed' } });
      assert.deepEqual(stdout.trim().split('\n').sort(), services, files.join(' '));
    }
  });
}

test('every image is of a user without rights, says what it is, and runs', options, async () => {
  for (const part of PARTS) {
    const image = `${env.IMAGE_PREFIX}/${part}:local`;
    const [{ Config: config }] = JSON.parse((await docker('image inspect', image)).stdout);
    assert.equal(config.User, '10001:10001', part);
    assert.equal(config.Labels['org.opencontainers.image.title'], `scrutin ${part}`);
    assert.ok(config.Healthcheck.Test.includes('--healthcheck'), part);
    assert.equal(config.Entrypoint.length, 1);
    const { out } = await docker('run --rm --read-only --cap-drop ALL --network none', image, '--help');
    assert.match(out, /^usage: /i, part);
  }
});

test('the dev image of a page serves the checkout, and what changes there', options, async (t) => {
  const image = `${env.IMAGE_PREFIX}/vote-ui:dev`;
  await engine.build(image, 'vote-ui/Dockerfile', { target: 'dev' });
  // A checkout of its own, which the test may change: what the image was made from.
  const start = 'mkdir /checkout && cp -a web vote-ui result-ui scripts /checkout && exec scripts/rebuild vote-ui';
  const { stdout } = await docker('run -d --network none', '-e', 'VOTE_API=127.0.0.1:1', '-e', 'RESULT_API=127.0.0.1:1', image, 'bash', '-c', start);
  const container = stdout.trim();
  t.after(() => docker('rm -f', container));
  const get = 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3';
  const served = (what) => until(`the page has ${what}`, async () => {
    const { out } = await inside(container, get);
    return /^HTTP\/1\.1 200 /.test(out) && what.test(out);
  }, { timeout: 120_000, every: 500 });
  await served(/<!doctype html>/i);
  await inside(container, 'sed -i "s/<title>/<title>Changed: /" /checkout/vote-ui/index.html');
  await served(/<title>Changed: /);
});

test('what is missing names itself before anything starts', options, async () => {
  const check = await run('scripts/secrets', ['check'], { env, check: false });
  assert.equal(check.code, 1);
  assert.match(check.out, /missing: .*worker-password/);

  await run('scripts/secrets', [], { env });
  assert.equal((await run('scripts/secrets', ['check'], { env })).out, '');
  assert.equal(statSync(env.SECRETS_DIR).mode & 0o777, 0o700);

  const elsewhere = join(folder, 'incomplete');
  await run('cp', ['-r', env.SECRETS_DIR, elsewhere]);
  rmSync(join(elsewhere, 'worker-database-url'));
  const up = await compose(['up', '-d'], { env: { SECRETS_DIR: elsewhere }, check: false });
  assert.notEqual(up.code, 0);
  assert.match(up.out, /incomplete\/worker-database-url/);
  assert.deepEqual((await Promise.all(RUNNING.map(containers))).flat(), []);
  await compose(['down', '--volumes']);
});

test('a vote through one page is on the other', options, async () => {
  await compose(['up', '-d']);
  const voter = await until('the page knows vote-api', async () => {
    const answer = await request(voteUrl, { method: 'POST', path: '/v1/voters' });
    return answer.status === 201 && answer.json.token;
  }, { timeout: 120_000 });
  const cast = await until('the page takes a ballot', async () => { // of one voter, however often it is tried
    const answer = await requestJson(voteUrl, 'PUT', '/v1/polls/demo/ballot', { selection: ['a'] }, { authorization: `Bearer ${voter}` });
    return answer.status === 202 && answer;
  });
  assert.match((await request(voteUrl, { path: '/' })).text, /<!doctype html>/i);
  const results = await until('the ballot is counted', async () => {
    const { json } = await request(resultUrl, { path: '/v1/polls/demo/results' });
    return json.total === 1 && json;
  });
  assert.deepEqual(results.results.map(({ id, count }) => [id, count]), [['a', 1], ['b', 0]]);
  assert.equal((await request(resultUrl, { path: `/v1/receipts/${cast.json.receipt}` })).json.state, 'counted');
  const [db] = await containers('db');
  assert.equal((await docker('exec', db, 'psql', '-XAtU', 'postgres', 'scrutin', '-c', 'SELECT vote FROM votes')).stdout.trim(), 'a');
});

test('the classic 3,000 posts', options, async () => {
  const seed = () => compose(['--profile', 'seed', 'run', '--rm', '-T', 'seed'], { check: false });
  let { code, out } = await seed();
  // A disk that is busy for more than a second is 503, as promised, and the seed says so; then it is run again.
  const again = code !== 0 && /Non-2xx/.test(out);
  for (let tries = 1; tries < 5 && code !== 0 && /Non-2xx/.test(out); tries++) ({ code, out } = await seed());
  assert.equal(code, 0, out);
  assert.equal(out.match(/Failed requests: +0/g)?.length, 2, out);
  await until('they are counted', async () => {
    const [a, b] = (await request(resultUrl, { path: '/v1/polls/demo/results' })).json.results.map(({ count }) => count);
    return again ? a >= 2001 && b >= 1000 : a === 2001 && b === 1000;
  });
});

test('k6, in a container, finds in the ledger what it saw acknowledged', options, async (t) => {
  const found = await run('scripts/fetch-k6', [], { timeout: 600_000, check: false });
  if (found.code !== 0) return t.skip(`no k6: ${found.out.trim().split('\n').at(-1)}`);
  const context = join(folder, 'k6');
  mkdirSync(context);
  copyFileSync(found.stdout.trim(), join(context, 'k6'));
  const image = `${env.IMAGE_PREFIX}/k6:local`;
  await engine.build(image, 'tests/deploy/k6.Dockerfile', { context });
  // Whether each answer came in time is not the question here: a threshold may be crossed, code 99.
  const load = await compose(['--profile', 'load', 'run', '--rm', '-T', 'load'],
    { check: false, env: { K6_IMAGE: image, JOURNEY: 'mixed', PROFILE: 'smoke', RATE: '20', DURATION: '2s' } });
  assert.match(load.out, /and those of the ledger: equal/);
  assert.ok(Number(/"acknowledged":(\d+)/.exec(load.out)[1]) > 100, load.out); // with the API key, 100 a request
  assert.ok([0, 99].includes(load.code), load.out);
});

test('inside: no root, no capabilities, nothing to write, no secrets in sight', options, async () => {
  const secrets = readdirSync(env.SECRETS_DIR).map((name) => readFileSync(join(env.SECRETS_DIR, name), 'utf8').trim());
  const passwords = secrets.flatMap((text) => text.match(/[0-9a-f]{64}/g));
  assert.ok(passwords.length > 10);
  for (const service of RUNNING) {
    for (const container of await containers(service)) {
      const { out } = await inside(container, 'id -u; grep -E "^(Cap(Prm|Eff|Bnd)|NoNewPrivs)" /proc/1/status; touch /here /usr/here');
      assert.doesNotMatch(out, /^0\n/, `${service} runs as root`);
      assert.equal(out.match(/^Cap\w+:\t0{16}$/gm)?.length, 3, `${service}: ${out}`);
      assert.match(out, /NoNewPrivs:\t1/, service);
      assert.equal(out.match(/Read-only file system/g)?.length, 2, `${service}: ${out}`);
      const shown = (await docker('inspect', container)).out + (await docker('logs', container)).out
        + (await inside(container, 'cat /proc/1/environ /proc/1/cmdline')).out;
      for (const password of passwords) assert.ok(!shown.includes(password), `${service} shows a secret`);
    }
  }
});

test('the pages reach neither broker nor database, and back-tier reaches nothing outside', options, async () => {
  const [page] = await containers('vote-ui');
  const [worker] = await containers('worker');
  const open = async (container, host, port) => (await inside(container, `timeout 3 bash -c '</dev/tcp/${host}/${port}'`)).code === 0;
  await until('the probe itself works', () => open(page, 'vote-api', 8081));
  await until('it works in worker too', () => open(worker, 'db', 5432));
  const closed = []; // asked all at once: an answer that does not come takes its time
  for (const [service, port] of [['db', 5432], ['nats', 4222]]) {
    const [container] = await containers(service);
    const address = (await docker('inspect --format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', container)).stdout.trim();
    assert.match(address, /^[0-9.]+$/);
    closed.push([`vote-ui knows ${service}`, page, service, port], [`vote-ui reaches ${service}`, page, address, port]);
    assert.equal((await docker('inspect --format', '{{json .HostConfig.PortBindings}}', container)).stdout.trim().replace('null', '{}'), '{}');
  }
  const { stdout: internal } = await docker('network inspect --format {{.Internal}}', `${project}_back-tier`);
  assert.equal(internal.trim(), 'true');
  const format = `{{(index .NetworkSettings.Networks "${project}_front-tier").IPAddress}}`;
  const address = (await docker('inspect', '--format', format, page)).stdout.trim();
  const [api] = await containers('vote-api');
  await until('vote-api reaches it', () => open(api, address, 8080));
  closed.push(['worker reaches front-tier', worker, address, 8080]);
  await Promise.all(closed.map(async ([what, ...where]) => assert.ok(!(await open(...where)), what)));
});

/** Casts ballots, each of a new voter, until `stop()`, and writes down what was said of each. */
function load() {
  const fates = { [ACKNOWLEDGED]: 0, [REFUSED]: 0, [UNKNOWN]: 0 };
  const receipts = [];
  let going = true;
  const voter = async () => {
    while (going) {
      const answer = await requestJson(voteUrl, 'PUT', '/v1/polls/demo/ballot', { selection: ['b'] }).catch(() => undefined);
      const problem = answer?.headers['content-type']?.includes('problem') ? answer.json.type : undefined;
      const fate = fateOf(answer?.status, problem);
      fates[fate]++;
      if (fate === ACKNOWLEDGED) receipts.push(answer.json.receipt);
      await pause(fate === ACKNOWLEDGED ? 20 : 50); // the load's own rate; what is away is not asked at once
    }
  };
  const voters = Promise.all(Array.from({ length: VOTERS }, voter));
  return { fates, receipts, stop: () => ((going = false), voters) };
}

/** SIGKILL of a container's first process, as a crash would be: the engine starts it again. */
async function crash(service) {
  const [container] = await containers(service);
  const pid = Number((await docker('inspect --format', '{{.State.Pid}}', container)).stdout);
  if (engine.isOwn) process.kill(pid, 'SIGKILL');
  else await docker('restart --time 0', container); // its processes may be on another machine
  await until(`${service} is healthy again`, async () => {
    const { stdout } = await docker('inspect --format', '{{.State.Pid}} {{.State.Health.Status}}', container);
    const [now, health] = stdout.trim().split(' ');
    return health === 'healthy' && Number(now) !== pid && Number(now) !== 0;
  }, { timeout: 180_000, every: 250 });
}

test('four workers; every service killed under load; what was acknowledged is counted', options, async () => {
  await compose(['up', '-d', '--scale', 'worker=4']);
  assert.equal((await containers('worker')).length, 4);
  const totals = async () => (await request(resultUrl, { path: '/v1/polls/demo/results' })).json.ledger;
  const before = (await until('nothing is on its way', async () => {
    const ledger = await totals();
    return ledger.pending === 0 && ledger;
  })).received;

  const running = load();
  for (const service of ['worker', 'vote-api', 'nats', 'db', 'result-api', 'vote-ui']) {
    await crash(service);
    const so_far = running.fates[ACKNOWLEDGED];
    await until(`ballots are acknowledged after the end of ${service}`, () => running.fates[ACKNOWLEDGED] > so_far + 20, { timeout: 120_000 });
  }
  await running.stop();

  const { fates } = running;
  const received = await until('everything is applied', async () => {
    const ledger = await totals();
    return ledger.pending === 0 && ledger.received - before >= fates[ACKNOWLEDGED] && ledger.received - before;
  }, { timeout: 120_000, every: 250 });
  console.log(`# ${JSON.stringify({ ...fates, received })}`);
  assert.ok(received <= fates[ACKNOWLEDGED] + fates[UNKNOWN], `${received} received, ${JSON.stringify(fates)}`);
  for (let i = 0; i < running.receipts.length; i += 50) {
    await Promise.all(running.receipts.slice(i, i + 50).map(async (receipt) => {
      const answer = await until('the receipt is answered', async () => {
        const tried = await request(resultUrl, { path: `/v1/receipts/${receipt}` });
        return tried.status !== 503 && tried;
      });
      assert.equal(answer.json.state, 'counted', answer.text);
    }));
  }
  const audit = await compose(['--profile', 'audit', 'run', '--rm', '-T', 'audit'], { check: false });
  assert.equal(audit.code, 0, audit.out);
  assert.match(audit.out, /All is well/);
});

test('down --volumes leaves nothing', options, async () => {
  assert.ok((await leftovers()).length > 8);
  await compose(['down', '--volumes']);
  assert.deepEqual(await leftovers(), []);
});
