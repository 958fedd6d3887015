// The load scripts of k6/: a smoke run of every journey through TLS, and the comparison that ends it.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { compare } from '../../k6/compare.mjs';
import { Instance, ROOT, runProgram } from '../lib/instance.js';

// `make test` has begun this long before; by itself, this file builds k6 once.
const found = spawnSync(join(ROOT, 'scripts/fetch-k6'), { encoding: 'utf8', timeout: 600_000 });
const K6 = found.stdout.trim();
const skip = found.status === 0 ? false : `no k6: ${found.stderr.trim().split('\n').at(-1)}`;

describe('the comparison', () => {
  const summary = { ballots: { sent: 110, acknowledged: 105, refused: 2 }, voters: { sent: 100, acknowledged: 96, refused: 2 } };
  const wrong = (received, counted, more = {}) => compare(summary, { received, counted, superseded: received - counted, rejected: 0, ...more });

  test('accepts what was acknowledged, with and without the ballots of unknown fate', () => {
    assert.deepEqual(wrong(105, 96), []);
    assert.deepEqual(wrong(108, 98), []);
  });
  test('sees a missing ballot', () => assert.match(wrong(104, 96)[0], /received: 104, which is 1 fewer/));
  test('sees a ballot too many', () => assert.match(wrong(109, 98)[0], /received: 109, which is 1 more/));
  test('sees a voter who counts twice', () => assert.match(wrong(108, 99)[0], /counted: 99, which is 1 more/));
  test('sees a rejected ballot', () => assert.match(wrong(106, 96, { superseded: 9, rejected: 1 })[0], /rejected: 1/));
  test('is not content with nothing', () => {
    const none = { sent: 0, acknowledged: 0, refused: 0 };
    assert.match(compare({ ballots: none, voters: none }, { received: 0, counted: 0, superseded: 0, rejected: 0 })[0], /not one/);
  });
});

test('smoke: every journey passes, over HTTP/2, and the database counts what k6 saw acknowledged', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scrutin-load-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-keyout', key, '-out', cert], { stdio: 'ignore' });
  // Smoke asks whether answers are right, and a disk or a machine that others keep busy is no wrong answer.
  const instance = await Instance.start({ env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, ACK_TIMEOUT_MS: '8000', WAIT_MS: '8000' } });
  t.after(() => instance.stop());
  const env = { ...process.env, ...instance.settings, K6, LOAD_DIR: folder, PROFILE: 'smoke', DURATION: '2s' };
  const { code, stdout, stderr } = await runProgram(join(ROOT, 'scripts/load'), [], env, { check: false, timeout: 400_000 });
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stdout.match(/: equal$/gm)?.length, 5, stdout);
  for (const journey of ['vote', 'bulk', 'results', 'stream', 'mixed']) {
    const summary = JSON.parse(readFileSync(join(folder, `${journey}-smoke.json`), 'utf8'));
    assert.ok(summary.ballots.acknowledged > 0, journey);
    const checks = summary.checks.checks;
    assert.ok(checks.some(({ name, passes }) => name === 'HTTP/2 through TLS' && passes > 0), journey);
  }

  // A ballot that the database does not have must be noticed.
  const file = join(folder, 'vote-smoke.json');
  const lie = JSON.parse(readFileSync(file, 'utf8'));
  lie.ballots.acknowledged++;
  lie.ballots.sent++;
  writeFileSync(file, JSON.stringify(lie));
  const lied = await runProgram(process.execPath, [join(ROOT, 'k6/compare.mjs'), file],
    { ...env, RESULT_URL: instance.resultUrl, INSECURE: '1', SETTLE_S: '1' }, { check: false });
  assert.equal(lied.code, 1, lied.stdout);
  assert.match(lied.stderr, /1 fewer than/);
});
