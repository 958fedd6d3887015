// Tests compose.yaml with a real engine: votes, more workers, killed containers, hardening, networks, and a complete removal.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Engine, emptyEnvFile, engineSettings, run } from '../lib/engine.js';
import { fateOf, ACKNOWLEDGED, REFUSED, UNKNOWN } from '../lib/history.js';
import { requestJson, request } from '../lib/http.js';
import { freePorts } from '../lib/instance.js';
import { findLeaks } from '../lib/leaks.js';
import { until } from '../lib/wait.js';

const RUNNING = ['vote-ui', 'result-ui', 'vote-api', 'worker', 'result-api', 'nats', 'db'];
const VOTERS = 8; // at once

const engine = await Engine.find();
const options = engine.reason ? { skip: engine.reason } : {};
let folder, checkout, project, env, voteUrl, resultUrl, secrets;

const compose = (args, more = {}) => engine.compose(project, ['-f', join(checkout, 'compose.yaml'), '-f', join(checkout, 'tests/deploy/quick.yaml'),
  '--env-file', env.ENV_FILE, ...args], { ...more, env: { ...env, ...more.env } });
const docker = (command, ...args) => engine.docker(command, { args });
const inside = (container, script) => engine.docker('exec', { args: [container, 'bash', '-c', script], check: false });

/** The running containers of a service. */
async function containers(service) {
  const { stdout } = await docker('ps -q', '--filter', `label=com.docker.compose.project=${project}`,
    '--filter', `label=com.docker.compose.service=${service}`);
  return stdout.split('\n').filter(Boolean);
}

/** The containers, networks and volumes of the project, including stopped containers. */
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
    ENV_FILE: emptyEnvFile(folder), ...engineSettings, UI_ADDRESS: '127.0.0.1',
    VOTE_UI_PORT: String(port), RESULT_UI_PORT: String(port + 1), RATE_LIMITS: 'off',
  };
  voteUrl = `http://127.0.0.1:${port}`;
  resultUrl = `http://127.0.0.1:${port + 1}`;
  // The files of a fresh clone, without those that a build or a user added.
  checkout = join(folder, 'checkout');
  mkdirSync(checkout);
  await run('bash', ['-c', `git ls-files -z | tar --null --ignore-failed-read -T - -c | tar -x -C '${checkout}'`]);
  await engine.buildImages();
}, { timeout: 1_300_000 });

after(async () => {
  if (engine.reason) return;
  if (project) await compose(['down', '--volumes', '--timeout', '1'], { check: false });
  await engine.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test('in a fresh checkout `up -d` is all it takes, and a vote through one page is on the other', options, async () => {
  await compose(['up', '-d']);
  assert.deepEqual(readdirSync(join(checkout, 'secrets')), ['.gitignore']);
  const voter = await until('the page knows vote-api', async () => {
    const answer = await request(voteUrl, { method: 'POST', path: '/v1/voters' });
    return answer.status === 201 && answer.json.token;
  }, { timeout: 120_000 });
  const cast = await until('the page takes a ballot', async () => { // a repeated attempt is the same voter
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
  // If the disk is busy for more than a second, ballots are answered 503, and the seed reports it. Then it is run again.
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
  // This test does not measure time. So k6 may cross a threshold, and then ends with code 99.
  const load = await compose(['--profile', 'load', 'run', '--rm', '-T', 'load'],
    { check: false, env: { K6_IMAGE: image, JOURNEY: 'mixed', PROFILE: 'smoke', RATE: '20', DURATION: '2s' } });
  assert.match(load.out, /and those of the ledger: equal/);
  assert.ok(Number(/"acknowledged":(\d+)/.exec(load.out)[1]) > 100, load.out); // with the API key, a request has 100 ballots
  assert.ok([0, 99].includes(load.code), load.out);
});

/** A script that tries forbidden things as the user of the service. It prints a line for each that is possible. */
const PROBE = `
[ "$(id -u)" != 0 ] || echo "is root"
for status in /proc/1/status /proc/self/status; do
  grep -E '^Cap' $status | grep -v '\t0000000000000000$'
  grep -qx 'NoNewPrivs:\t1' $status || echo "$status: may gain privileges"
  grep -qx 'Seccomp:\t2' $status || echo "$status: any system call"
done
find / -xdev -type f -perm /6000 -exec echo setuid: {} +
find / \\( -path /proc -o -path /dev -o -path /tmp \\) -prune -o -writable ! -type l -print 2>/dev/null | sed 's/^/writes /'
find /proc/sys /proc/sysrq-trigger -writable -print 2>/dev/null | sed 's/^/writes /'
{ touch /probe || touch /usr/probe || touch /etc/probe || touch /run/secrets/probe; } 2>/dev/null && echo "wrote a file"
for try in 'mount -t tmpfs none /tmp' 'mount -o remount,rw /' 'mknod /tmp/disk b 254 0' 'unshare --user true' 'unshare --mount true' 'chown 0 /tmp' 'chroot / true'; do
  $try 2>/dev/null && echo "may $try"
done
find / \\( -name docker.sock -o -name containerd.sock \\) 2>/dev/null
for limit in /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max; do
  [ ! -e $limit ] || echo "pids $(cat $limit)"
done
find /run/secrets -type f -printf 'secret %f %m %U\n'
echo "uid $(id -u)"
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'
`;
const OWN_SECRETS = {
  'vote-ui': [], 'result-ui': [], 'vote-api': ['api-keys', 'nats-vote-api-url', 'secret-keys'], worker: ['nats-worker-url', 'worker-database-url'],
  'result-api': ['nats-result-api-url', 'result-database-url', 'secret-keys'], nats: ['nats-passwords'], db: ['postgres-password'],
};
/** Lines that are allowed: data folders, and setuid programs of images that are not ours. no-new-privileges makes these harmless. */
const MAY = { nats: /^(writes \/data\b|setuid: )/, db: /^(writes \/(run|var\/lib)\/postgresql\b|setuid: )/ };

/** Every secret, by name, from the volume that only the service \`secrets\` mounts. */
async function allSecrets() {
  const { stdout } = await docker('run --rm --network none --user root --entrypoint bash', '-v', `${project}_secrets:/all:ro`,
    `${env.IMAGE_PREFIX}/worker:local`, '-c', 'cd /all && for file in *; do echo "$file $(base64 -w 0 $file)"; done');
  return new Map(stdout.trim().split('\n').map((line) => line.split(' ')).map(([name, text]) => [name, Buffer.from(text, 'base64').toString()]));
}

test('inside: no root, no capabilities, nothing to write, no way to more, and no secrets but its own', options, async () => {
  secrets = await allSecrets();
  const passwords = [...secrets.values()].flatMap((text) => text.match(/[0-9a-f]{64}/g));
  assert.ok(passwords.length > 20);
  const probe = async (service, container) => {
    const [{ stdout }, inspected, log] = await Promise.all([inside(container, PROBE), docker('inspect', container), docker('logs', container)]);
    const shown = stdout + inspected.out + log.out;
    for (const password of passwords) assert.ok(!shown.includes(password), `${service} shows a secret`);
    const lines = stdout.split('\n');
    const end = lines.findIndex((line) => /^uid \d+$/.test(line));
    const uid = lines[end].slice(4);
    assert.deepEqual(lines.filter((line) => line.startsWith('secret ')).sort(), OWN_SECRETS[service].map((name) => `secret ${name} 400 ${uid}`), service);
    assert.match(stdout, service === 'db' ? /^pids 512$/m : /^pids 128$/m, service);
    assert.deepEqual(lines.slice(0, end).filter((line) => line && !/^(pids|secret) /.test(line) && !MAY[service]?.test(line)), [], service);
  };
  await Promise.all(RUNNING.map(async (service) => {
    const found = await containers(service);
    assert.ok(found.length > 0, service);
    await Promise.all(found.map((container) => probe(service, container)));
  }));
});

test('a volume of secrets is mounted by its own service and by the one that fills it', options, async () => {
  const { stdout } = await docker('ps -aq', '--filter', `label=com.docker.compose.project=${project}`);
  const users = {};
  for (const { Mounts, Config: { Labels } } of JSON.parse((await docker('inspect', ...stdout.trim().split('\n'))).stdout)) {
    for (const { Name: volume } of Mounts) {
      if (volume?.startsWith(`${project}_secrets`)) (users[volume.slice(project.length + 1)] ??= new Set()).add(Labels['com.docker.compose.service']);
    }
  }
  const own = (...services) => [...services, 'secrets'].sort();
  assert.deepEqual(Object.fromEntries(Object.entries(users).map(([volume, services]) => [volume, [...services].sort()])), {
    secrets: own(), 'secrets-audit': own(), 'secrets-load': own(), 'secrets-db': own('db', 'db-volume'), 'secrets-nats': own('nats'),
    'secrets-setup': own('setup'), 'secrets-vote-api': own('vote-api'), 'secrets-result-api': own('result-api'), 'secrets-worker': own('worker'),
  });
});

test('the pages reach neither broker nor database, and back-tier reaches nothing outside', options, async () => {
  const [page] = await containers('vote-ui');
  const [worker] = await containers('worker');
  const open = async (container, host, port) => (await inside(container, `timeout 3 bash -c '</dev/tcp/${host}/${port}'`)).code === 0;
  await until('the probe itself works', () => open(page, 'vote-api', 8081));
  await until('it works in worker too', () => open(worker, 'db', 5432));
  const closed = []; // all are tried at once, because a connection that fails takes seconds
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
  closed.push(['worker reaches front-tier', worker, address, 8080], ["worker reaches the broker's monitoring", worker, 'nats', 8222]);
  await Promise.all(closed.map(async ([what, ...where]) => assert.ok(!(await open(...where)), what)));
  await Promise.all(['postgres', 'scrutin_owner', 'scrutin_worker'].map(async (user) => { // a user who reaches the database still needs a password
    assert.match((await inside(worker, `psql -w -h db -U ${user} scrutin -c 'SELECT 1'`)).out, /no password supplied/, user);
  }));
});

/** Casts ballots, each of a new voter, until `stop()`, and records the fate of each. */
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
      await pause(fate === ACKNOWLEDGED ? 20 : 50); // limits the rate, also while a service is away
    }
  };
  const voters = Promise.all(Array.from({ length: VOTERS }, voter));
  return { fates, receipts, stop: () => ((going = false), voters) };
}

/** Kills a container's first process, which looks like a crash, so the engine starts it again. */
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
  const { out: logs } = await compose(['logs', '--no-color']);
  for (const line of [/database system is ready/, /"event":"started"/]) assert.match(logs, line);
  assert.deepEqual(findLeaks('docker compose logs', logs), []);
});

test('volumes without their secrets, and files in secrets/ beside them: everything finds together again', options, async () => {
  const before = await allSecrets();
  assert.deepEqual(before, secrets, 'a second `up` made secrets anew');
  const secret = (...args) => compose(['run', '--rm', '-T', 'secrets', ...args], { check: false });
  assert.equal((await secret('show', 'api-key')).stdout.trim(), before.get('api-key'));
  await compose(['down', '--timeout', '1']);
  const { stdout } = await docker('volume ls -q', '--filter', `label=com.docker.compose.project=${project}`);
  await docker('volume rm', ...stdout.split('\n').filter((name) => name.includes('_secrets')));

  // Two secrets are files: a password that a person wrote, and the old keys, without which no receipt can be verified.
  writeFileSync(join(checkout, 'secrets/postgres-password'), "it's \\ \"mine\"\n", { mode: 0o600 });
  writeFileSync(join(checkout, 'secrets/secret-keys'), before.get('secret-keys'), { mode: 0o600 });
  await compose(['up', '-d', 'worker']);
  const now = await allSecrets();
  assert.equal(now.get('postgres-password'), "it's \\ \"mine\"\n");
  assert.equal(now.get('secret-keys'), before.get('secret-keys'));
  for (const name of ['worker-password', 'nats-worker-password', 'api-key']) assert.notEqual(now.get(name), before.get(name), name);
  const [worker] = await containers('worker');
  await until('the workers are healthy', async () => (await docker('inspect --format {{.State.Health.Status}}', worker)).stdout.trim() === 'healthy',
    { timeout: 60_000 });
  const audit = await compose(['--profile', 'audit', 'run', '--rm', '-T', 'audit'], { check: false });
  assert.match(audit.out, /All is well/);
  const { out } = await docker('exec', '-e', `PGPASSWORD=it's \\ "mine"`, worker, 'psql', '-XAth', 'db', '-U', 'postgres', 'scrutin', '-c', 'SELECT 40 + 2');
  assert.equal(out.trim(), '42');

  // Two changes are refused: one that the file would undo, and keys that would end every receipt.
  assert.match((await secret('rotate', 'postgres-password')).out, /secrets\/postgres-password takes precedence/);
  writeFileSync(join(checkout, 'secrets/secret-keys'), `k2:${'ab'.repeat(32)}\n`);
  assert.match((await secret()).out, /none of the keys in use/);
});

test('down --volumes leaves nothing', options, async () => {
  assert.ok((await leftovers()).length > 8);
  await compose(['down', '--volumes']);
  assert.deepEqual(await leftovers(), []);
});
