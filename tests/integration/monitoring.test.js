// The files of monitoring/: Prometheus's own tool accepts them, and every metric they name is one that a service has.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Instance, ROOT } from '../lib/instance.js';

const folder = join(ROOT, 'monitoring');
const found = spawnSync(join(ROOT, 'scripts/fetch-promtool'), { encoding: 'utf8', timeout: 300_000 });
const promtool = found.stdout.trim();
const skip = found.status === 0 ? false : `no promtool: ${found.stderr.trim().split('\n').at(-1)}`;

/** /metrics of a service, whose certificate is self-signed. */
function readMetrics(url) {
  return new Promise((done, failed) => {
    const get = url.startsWith('https:') ? getSecure : getPlain;
    get(`${url}/metrics`, { rejectUnauthorized: false, timeout: 10_000 }, (answer) => done(text(answer))).on('error', failed);
  });
}

/** The PromQL of alerts and panels. */
function expressions() {
  const alerts = [...readFileSync(join(folder, 'alerts.yml'), 'utf8').matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr);
  const { panels } = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8'));
  return { alerts, panels: panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)) };
}

/** [metric, its labels] that an expression selects; labels as `name="value"`, of plain ones alone. */
function selected(expr) {
  const bare = expr.replace(/\b(by|without) \([^)]*\)/g, ' ');
  return [...bare.matchAll(/\b([a-z]+(?:_[a-z]+)*)\b(\{[^}]*\})?(?!\s*\()(?![^{]*\})/g)]
    .filter(([, name]) => !/^(and|or|by|s|m|h)$/.test(name) && name !== 'up')
    .map(([, name, labels]) => [name, [...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].filter(([, label]) => label !== 'job').map(([label]) => label)]);
}

test('promtool accepts the configuration, and the alerts ring when they should', { skip }, () => {
  for (const args of [['check', 'config', 'prometheus.yml'], ['check', 'config', 'containers.yml'], ['check', 'rules', 'alerts.yml'], ['test', 'rules', 'alerts.test.yml']]) {
    execFileSync(promtool, args, { cwd: folder, stdio: 'pipe' });
  }
});

test('every metric of alerts and dashboard is one that a service has', async (t) => {
  const certificates = mkdtempSync(join(tmpdir(), 'scrutin-monitoring-'));
  t.after(() => rmSync(certificates, { recursive: true }));
  const [cert, key] = [join(certificates, 'cert.pem'), join(certificates, 'key.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '20', '-subj', '/CN=localhost',
    '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const instance = await Instance.start({ workers: 1, env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } });
  t.after(() => instance.stop());
  const { alerts, panels } = expressions();
  assert.ok(alerts.length > 10 && panels.length > 15);
  const series = (await Promise.all(instance.urls().map(readMetrics))).flatMap((page) =>
    page.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
  const lacking = [];
  for (const expr of [...alerts, ...panels]) {
    const wanted = selected(expr);
    if (!/\bup\b/.test(expr)) assert.ok(wanted.length > 0, expr);
    for (const [name, labels] of wanted) {
      const has = series.some((line) => line.split(/[ {]/)[0] === name && labels.every((label) => line.includes(label)));
      if (!has) lacking.push(`${name}{${labels}} in ${expr}`);
    }
  }
  assert.deepEqual(lacking, []);

  const end = Number(/^tls_certificate_end_seconds (\S+)$/m.exec(series.join('\n'))[1]);
  assert.ok(Math.abs(end - Date.now() / 1000 - 20 * 86_400) < 3600, `the certificate ends in 20 days, the metric says ${end}`);
  assert.ok(series.includes('ready{check="nats"} 1') && series.includes('ready{check="database"} 1'), 'all is well');
});
