// What scripts/fetch-* and npm bring is what the repository has the hash or the signature of: a changed byte is refused.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../lib/engine.js';
import { ROOT } from '../lib/instance.js';

const source = (path) => readFileSync(join(ROOT, path), 'utf8');
const files = (pattern) => spawnSync('git', ['ls-files', '--', pattern], { cwd: ROOT, encoding: 'utf8' }).stdout.split('\n').filter(Boolean);

let folder;
before(() => (folder = mkdtempSync(join(process.env.SCRUTIN_TEST_ROOT ?? tmpdir(), 'supply-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A checkout with the scripts alone, whose pins a test may change. */
function checkout(name) {
  const path = join(folder, name);
  cpSync(join(ROOT, 'scripts'), join(path, 'scripts'), { recursive: true });
  return path;
}

/** Changes one character of a hash. */
const changed = (text, hash) => {
  assert.match(text, hash);
  return text.replace(hash, (all, before, character) => before + (character === 'A' ? 'B' : 'A'));
};

test('every action of the workflows is named by its commit', () => {
  const uses = files('.github/workflows/*').flatMap((path) => source(path).match(/uses: .*/g) ?? []);
  assert.ok(uses.length >= 5);
  assert.deepEqual(uses.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)), []);
});

test('npm: every package has a hash, no script of a package runs, a changed byte is refused', async () => {
  for (const lock of files('*package-lock.json')) {
    const { packages } = JSON.parse(source(lock));
    const without = Object.entries(packages).filter(([path, entry]) => path && !/^sha512-/.test(entry.integrity)).map(([path]) => path);
    assert.deepEqual(without, [], lock);
  }
  for (const path of [...files('scripts/*'), ...files('*Dockerfile'), 'tests/run']) {
    for (const line of source(path).match(/.*npm ci.*/g) ?? []) assert.match(line, /--ignore-scripts/, path);
  }
  const lock = JSON.parse(source('tests/package-lock.json'));
  const [name, entry] = Object.entries(lock.packages).find(([path, { dependencies }]) => path && !dependencies);
  const path = join(folder, 'npm');
  mkdirSync(path);
  const dependencies = { [name.replace(/^node_modules\//, '')]: entry.version };
  writeFileSync(join(path, 'package.json'), JSON.stringify({ dependencies }));
  const integrity = changed(entry.integrity, /(sha512-)(.)/);
  writeFileSync(join(path, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages: { '': { dependencies }, [name]: { ...entry, integrity } } }));
  const wrong = await run('npm', ['ci', '--prefix', path, '--ignore-scripts', '--no-audit', '--no-fund', '--cache', join(folder, 'npm-cache')], { check: false });
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.out, /EINTEGRITY/);
});

test('pip: every package has hashes; a wheel with a changed byte is refused', async () => {
  const requirements = source('tests/description/requirements.txt');
  const pins = requirements.split(/\n(?=\S)/).filter((pin) => !pin.startsWith('#'));
  assert.ok(pins.length > 40);
  for (const pin of pins) assert.match(pin, /^[\w.-]+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n?$/);
  // A wheel of our own, as a registry would have it.
  const wheels = join(folder, 'wheels');
  mkdirSync(wheels);
  const wheel = join(wheels, 'probe-1.0-py3-none-any.whl');
  await run('/usr/bin/python3', ['-c', `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('probe-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: probe\\nVersion: 1.0\\n')
    wheel.writestr('probe-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('probe-1.0.dist-info/RECORD', '')`, wheel]);
  const path = checkout('pip');
  mkdirSync(join(path, 'tests/description'), { recursive: true });
  const hash = createHash('sha256').update(readFileSync(wheel)).digest('hex');
  writeFileSync(join(path, 'tests/description/requirements.txt'), `probe==1.0 \\\n    --hash=sha256:${hash}\n`);
  const fetch = () => run(join(path, 'scripts/fetch-schemathesis'), [], { check: false, env: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels } });
  appendFileSync(wheel, '\0'); // an archive that still reads as the same one
  const wrong = await fetch();
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.out, /DO NOT MATCH THE HASHES/);
  assert.ok(!existsSync(join(path, '.tools/schemathesis/requirements.txt')), 'it counts as fetched');
});

for (const [script, pins] of [['fetch-k6', 'k6'], ['fetch-go', 'nats-server'], ['fetch-go', 'actionlint']]) {
  test(`${script} takes no module of ${pins} with another hash than go.sum has`, async (t) => {
    if (spawnSync('go', ['version']).status !== 0) return t.skip('there is no Go');
    const path = checkout(`go-${pins}`);
    const sums = join(path, 'scripts/pins', pins, 'go.sum');
    const module = /^require (\S+)/m.exec(readFileSync(join(path, 'scripts/pins', pins, 'go.mod'), 'utf8'))[1];
    writeFileSync(sums, changed(readFileSync(sums, 'utf8'), new RegExp(`(${module} v\\S+ h1:)(.)`)));
    // Its own K6 counts, and one in the PATH.
    const { code, out } = await run(join(path, 'scripts', script), script === 'fetch-go' ? [pins] : [], { check: false, env: { K6: '', PATH: `${goFolder()}:/usr/bin:/bin` } });
    assert.notEqual(code, 0);
    assert.match(out, /checksum mismatch/);
  });
}

function goFolder() {
  return join(spawnSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).stdout.trim(), 'bin');
}

test('fetch-deb takes no list without a signature and no package with a changed byte, whatever apt may do here', async (t) => {
  let asked = 0;
  const proxy = http.createServer(async (request, response) => {
    asked++;
    const unsigned = request.headers['user-agent'] === 'unsigned';
    if (unsigned && /\/(InRelease|Release\.gpg)$/.test(request.url)) return response.writeHead(404).end();
    http.get(request.url, async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      if (!unsigned && /\.deb$/.test(request.url)) body[body.length >> 1] ^= 1;
      response.writeHead(answer.statusCode, { 'content-length': body.length }).end(body);
    }).on('error', () => response.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))[1];
  const fetch = async (kind) => {
    const packages = join(folder, kind);
    mkdirSync(packages);
    const config = join(folder, `${kind}.conf`);
    writeFileSync(config, `Acquire::http::User-Agent "${kind}";\nAcquire::AllowInsecureRepositories "true";\nAPT::Get::AllowUnauthenticated "true";\n`);
    const { code, out } = await run('scripts/fetch-deb', [packages, suite, 'hello'], { check: false, timeout: 120_000,
      env: { APT_CONFIG: config, http_proxy: `http://127.0.0.1:${proxy.address().port}`, no_proxy: '' } });
    return { code, out, packages: readdirSync(packages) };
  };
  const [list, packages] = await Promise.all([fetch('unsigned'), fetch('spoiled')]);
  if (asked === 0) return t.skip('apt does not use this proxy here: its mirror is asked by https, or by a proxy of its own');
  for (const [{ code, out, packages: got }, why] of [[list, /is not signed/], [packages, /Hash Sum mismatch/]]) {
    assert.notEqual(code, 0);
    assert.match(out, why);
    assert.deepEqual(got, []);
  }
});
