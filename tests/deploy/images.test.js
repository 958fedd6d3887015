// Tests the images and the files that name them: the images are hardened, pinned, built here, and never pulled from a registry.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, emptyEnvFile, engineSettings, run } from '../lib/engine.js';
import { Registry } from '../lib/registry.js';
import { until } from '../lib/wait.js';

const PARTS = ['vote-api', 'result-api', 'worker', 'vote-ui', 'result-ui'];
const SERVICES = ['audit', 'db', 'db-volume', 'load', 'nats', 'result-api', 'result-ui', 'secrets', 'seed', 'setup', 'traefik', 'vote-api', 'vote-ui', 'worker'];

const engine = await Engine.find();
const options = engine.reason ? { skip: engine.reason } : {};
const docker = (command, ...args) => engine.docker(command, { args });
const inside = (container, script) => engine.docker('exec', { args: [container, 'bash', '-c', script], check: false });
let folder, env;

before(async () => {
  if (engine.reason) return;
  folder = mkdtempSync(join(process.env.SCRUTIN_TEST_ROOT ?? tmpdir(), 'images-'));
  env = { ENV_FILE: emptyEnvFile(folder), ...engineSettings };
  await engine.buildImages();
}, { timeout: 1_300_000 });

after(async () => {
  if (engine.reason) return;
  await engine.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

for (const version of [1, 2]) {
  test(`Compose ${version} parses the files, sees every service, and looks for no image at a registry that is built here`, options, async (t) => {
    const found = await engine.findCompose(version, folder);
    if (!found) return t.skip('it is not to be had here');
    const [program, ...words] = found;
    const compose = (files, args, more) => run(program, [...words, '-p', `scrutin-images-${process.pid}`, '--env-file', env.ENV_FILE,
      ...files.flatMap((file) => ['-f', file]), ...args], { env: { ...engine.env, ...env, ...more }, check: false });
    for (const files of [['compose.yaml'], ['compose.yaml', 'compose.dev.yaml'], ['compose.yaml', 'tests/deploy/quick.yaml']]) {
      const { code, out, stdout } = await compose(files, ['config', '--services'], { COMPOSE_PROFILES: 'audit,edge,load,seed' });
      assert.equal(code, 0, out);
      assert.deepEqual(stdout.trim().split('\n').sort(), SERVICES, files.join(' '));
    }
    const registry = await Registry.start();
    t.after(() => registry.close());
    const up = await compose(['compose.yaml'], ['up', '-d', '--no-build', 'secrets'], { IMAGE_PREFIX: `${registry.host}/anybody`, SECRETS_DIR: folder });
    await compose(['compose.yaml'], ['down', '--volumes']);
    assert.notEqual(up.code, 0);
    assert.deepEqual(registry.asked, []);
  });
}

test('pin-images names what an engine has checked, again and again, and nothing where a byte is changed', options, async (t) => {
  const registry = await Registry.start();
  t.after(() => registry.close());
  const image = `${registry.host}/library/thing:1.2-slim`;
  const file = join(folder, 'pinned.yaml');
  const text = (digest) => `a: \${THING_IMAGE:-${image}${digest}}\n    container: ${image}${digest}\nARG THING_IMAGE=${image}${digest}\n`
    + `b: \${OTHER:-${image}} \${IMAGE_PREFIX:-scrutin}/worker:\${VERSION:-local}\n`;
  const pin = () => run('scripts/pin-images', [file], { env: engine.env, check: false });
  t.after(() => engine.docker('rmi', { args: [image], check: false }));

  registry.spoil = (path) => path.includes('/blobs/');
  writeFileSync(file, text(''));
  const spoiled = await pin();
  if (registry.asked.length === 0) return t.skip('the engine is on another machine, or asks no registry here');
  assert.notEqual(spoiled.code, 0);
  assert.match(spoiled.out, /verif|digest/i);
  assert.equal(readFileSync(file, 'utf8'), text(''));

  registry.spoil = () => false;
  for (const before of ['', `@${registry.digest}`, `@sha256:${'0'.repeat(64)}`]) {
    writeFileSync(file, text(before));
    const { code, out } = await pin();
    assert.equal(code, 0, out);
    assert.equal(readFileSync(file, 'utf8'), text(`@${registry.digest}`));
  }
  // It finds the images in the files of this repository.
  const names = (await run('bash', ['-c', ". <(sed -n '/^images()/,/^}/p' scripts/pin-images); images compose.yaml stack.yml Dockerfile */Dockerfile .github/workflows/*.yml"])).stdout;
  for (const name of ['debian', 'nats', 'postgres', 'traefik', 'grafana/k6']) assert.match(names, new RegExp(`^${name}:`, 'm'));
});

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
    // A Swarm has no no-new-privileges, so an image must have no file with a setuid bit.
    assert.equal((await docker('run --rm --network none --user root --entrypoint find', image, '/', '-xdev', '-type', 'f', '-perm', '/6000')).out, '', part);
  }
});

test('the dev image of a page serves the checkout, and what changes there', options, async (t) => {
  const image = `${env.IMAGE_PREFIX}/vote-ui:dev`;
  await engine.build(image, 'web/Dockerfile', { target: 'dev' });
  // The test changes files, so it needs a copy of the checkout. The image has one.
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
  await inside(container, 'sed -i "s/<title>/<title>Changed: /" /checkout/web/index.html');
  await served(/<title>Changed: /);
});
