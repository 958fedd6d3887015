// scripts/secrets and the secrets of an instance: what is made, what is kept, and that nobody but the owner can read it.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../lib/engine.js';
import { ROOT } from '../lib/instance.js';

let folder;
before(() => (folder = mkdtempSync(join(process.env.SCRUTIN_TEST_ROOT ?? tmpdir(), 'secrets-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

const mode = (path) => (statSync(path).mode & 0o7777).toString(8);
const secrets = (name, args = [], more = {}) =>
  run('scripts/secrets', args, { check: false, env: { ENV_FILE: '/dev/null', SECRETS_DIR: join(folder, name), ...more } });
const contents = (name) => Object.fromEntries(readdirSync(join(folder, name)).map((file) => [file, readFileSync(join(folder, name, file), 'utf8')]));

test('a folder and files that were open to others are closed, and keep what they hold', async () => {
  const open = join(folder, 'open');
  mkdirSync(open);
  writeFileSync(join(open, 'worker-password'), 'chosen');
  writeFileSync(join(open, '.new'), 'left over'); // by a run that was killed
  for (const file of ['worker-password', '.new']) chmodSync(join(open, file), 0o644);
  chmodSync(open, 0o755);
  const { code, out } = await secrets('open');
  assert.equal(code, 0, out);
  assert.equal(mode(open), '700');
  assert.deepEqual(readdirSync(open).map((file) => [file, mode(join(open, file))]).filter(([, bits]) => bits !== '600'), []);
  assert.equal(contents('open')['worker-password'], 'chosen');
  assert.match(contents('open')['worker-database-url'], /:chosen@db:5432/);
});

test('a second run changes nothing but what became readable again', async () => {
  await secrets('twice');
  const before = contents('twice');
  chmodSync(join(folder, 'twice'), 0o755);
  chmodSync(join(folder, 'twice/api-key'), 0o644);
  const check = await secrets('twice', ['check']);
  assert.equal(check.code, 1);
  assert.match(check.out, /other users have rights on .*\/twice .*\/api-key\. Run scripts\/secrets/);
  assert.equal((await secrets('twice')).code, 0);
  assert.equal((await secrets('twice', ['check'])).out, '');
  assert.deepEqual(contents('twice'), before);
});

test('a run that is killed is completed by the next one, which keeps what was made', async () => {
  // A `mv` that ends everything before the file gets its name, at the Nth of them.
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'mv'), '#!/bin/sh\necho >>"$CALLS"; [ "$(wc -l <"$CALLS")" -lt "$N" ] || kill -9 0\nexec /bin/mv "$@"\n', { mode: 0o755 });
  for (const n of [1, 2, 10, 15, 21]) {
    const name = `killed-${n}`;
    const child = spawn(join(ROOT, 'scripts/secrets'), { detached: true, env: { ENV_FILE: '/dev/null', SECRETS_DIR: join(folder, name),
      PATH: `${programs}:${process.env.PATH}`, CALLS: join(folder, `${name}.calls`), N: String(n) } });
    assert.equal((await once(child, 'exit'))[1], 'SIGKILL');
    const before = contents(name);
    assert.equal(Object.keys(before).filter((file) => !file.startsWith('.')).length, n - 1);
    assert.equal((await secrets(name)).code, 0);
    assert.equal((await secrets(name, ['check'])).out, '');
    const now = contents(name);
    assert.deepEqual({ ...now, ...before, '.new': undefined }, { ...now, '.new': undefined });
    assert.match(now['worker-database-url'], new RegExp(now['worker-password']));
  }
});

test('two runs at once agree', async () => {
  await Promise.all([1, 2, 3].map(() => secrets('together')));
  const { 'nats-passwords': passwords, 'nats-worker-password': password } = contents('together');
  assert.ok(passwords.includes(password));
  assert.equal((await secrets('together', ['show', 'nats-worker-password'])).out, password);
});

test('an instance closes files of its state folder that were open to others', async () => {
  const state = join(folder, 'state');
  mkdirSync(state);
  writeFileSync(join(state, 'api-key'), 'chosen');
  writeFileSync(join(state, 'secret-keys.new'), ''); // what a start that was killed left
  for (const file of ['api-key', 'secret-keys.new']) chmodSync(join(state, file), 0o644);
  const script = `umask 077; . '${ROOT}/scripts/lib.sh'; . '${ROOT}/scripts/instance.sh'; make_secrets`;
  await run('bash', ['-c', script], { env: { ENV_FILE: '/dev/null', STATE_DIR: state } });
  for (const file of ['api-key', 'api-keys', 'secret-keys']) assert.equal(mode(join(state, file)), '600', file);
  assert.equal(readFileSync(join(state, 'api-key'), 'utf8'), 'chosen');
});

test('a folder of sockets that somebody else made in the meantime is not used', async (t) => {
  if (process.getuid() !== 0) return t.skip('only root can give a folder away');
  const state = join(folder, 'long'.repeat(30)); // a path that is too long for a socket: those go below /tmp
  const foreign = mkdtempSync('/tmp/scrutin-');
  mkdirSync(state);
  symlinkSync(foreign, join(state, 'run'));
  chownSync(foreign, 65534, 65534); // as it may be after /tmp was cleaned
  chmodSync(folder, 0o711); // user postgres looks whether it can enter
  chmodSync(state, 0o711);
  const script = `umask 077; . '${ROOT}/scripts/lib.sh'; . '${ROOT}/scripts/instance.sh'; make_state_folder; echo "run: $RUN_DIR"`;
  const { stdout } = await run('bash', ['-c', script], { env: { ENV_FILE: '/dev/null', STATE_DIR: state } });
  const used = /^run: (.+)$/m.exec(stdout)[1];
  t.after(() => [foreign, used].forEach((path) => rmSync(path, { recursive: true, force: true })));
  assert.notEqual(used, foreign);
  assert.equal(statSync(used).uid, 0);
  assert.equal(mode(used), '711');
  assert.equal(readdirSync(foreign).length, 0);
});
