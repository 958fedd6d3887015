// The programs from the outside: options, bad settings, a taken port, servers that are not there, a schema that does not fit.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { Instance, ROOT, freePorts, programPath, runProgram, sanitizerOptions, startProgram } from '../lib/instance.js';
import { request } from '../lib/http.js';
import { until, within } from '../lib/wait.js';

const KEYS = `k1:${'ab'.repeat(32)}`;
const SERVICES = ['vote-api', 'result-api', 'worker'];
const PROGRAMS = [...SERVICES, 'scrutin-setup', 'scrutin-audit'];
const NOWHERE = { NATS_URL: 'nats://127.0.0.1:1', PGHOST: '127.0.0.1', PGPORT: '1', PGUSER: 'nobody', PGDATABASE: 'none' };

/** A clean environment with what the program needs. */
const bare = (name, more = {}) => {
  const env = { PATH: process.env.PATH, ...sanitizerOptions(), ...NOWHERE, ...(/api/.test(name) && { SECRET_KEYS: KEYS }), ...more };
  for (const [key, value] of Object.entries(env)) if (value === undefined) delete env[key];
  return env;
};
const run = (name, args, more, timeout = 60_000) => runProgram(programPath(name), args, bare(name, more), { check: false, timeout });

let instance;
let lonely; // the end of a scrutin-setup that has no broker: it waits 30 s for one, and the other tests need not
before(async () => {
  lonely = run('scrutin-setup', [], {}, 120_000);
  lonely.catch(() => {}); // the last test looks
  instance = await Instance.start({ workers: 1 });
});
after(() => instance?.stop());

for (const name of PROGRAMS) {
  test(`${name} --help names every variable, --version the version`, async () => {
    const help = await run(name, ['--help']);
    assert.equal(help.code, 0, help.stderr);
    for (const variable of ['NATS_URL', 'LOG_LEVEL']) assert.match(help.stdout, new RegExp(`^ *${variable}\\b`, 'm'));
    if (SERVICES.includes(name)) assert.match(help.stdout, /\bPORT\b/);
    assert.match(help.stdout, /--check-config/);
    const version = await run(name, ['--version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /\b\d+\.\d+\.\d+\b/);
  });

  test(`${name} --describe gives every variable of --help, with a sentence for each`, async () => {
    const help = await run(name, ['--help']);
    const { code, stdout } = await run(name, ['--describe']);
    assert.equal(code, 0);
    const rows = JSON.parse(stdout);
    const variables = rows.filter(({ type }) => type !== 'constant').map((row) => row.name);
    assert.deepEqual(variables, [...help.stdout.matchAll(/^ {2}([A-Z][A-Z0-9_]+) {2}/gm)].map((match) => match[1]));
    for (const row of rows) {
      assert.match(row.sentence, /^[A-Z].+\.$/, row.name);
      assert.ok(row.section, row.name);
      if (row.type === 'number') assert.ok(row.min <= Number(row.default) && Number(row.default) <= row.max, row.name);
    }
  });

  test(`${name} --help works without any setting, an unknown option does not`, async () => {
    const help = await runProgram(programPath(name), ['--help'], { PATH: process.env.PATH, ...sanitizerOptions() }, { check: false });
    assert.equal(help.code, 0);
    const wrong = await run(name, ['--hepl']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--hepl/);
  });

  test(`${name} --check-config says yes to good settings`, async () => {
    const { code, stderr } = await run(name, ['--check-config']);
    assert.equal(code, 0, stderr);
  });
}

/** [program, settings, what the sentence must say] */
const BAD = [
  ['vote-api', { SECRET_KEYS: undefined }, /SECRET_KEYS/],
  ['result-api', { SECRET_KEYS: undefined }, /SECRET_KEYS/],
  ['vote-api', { SECRET_KEYS: '' }, /SECRET_KEYS/],
  ['vote-api', { SECRET_KEYS: 'k1:12' }, /SECRET_KEYS/],
  ['vote-api', { SECRET_KEYS: `${KEYS},${KEYS}` }, /SECRET_KEYS/],
  ['vote-api', { API_KEYS: 'gateway:nohex' }, /API_KEYS/],
  ['vote-api', { OPTION_A: 'x'.repeat(98) }, /OPTION_A.*97/],
  ['vote-api', { OPTION_B: 'é'.repeat(98) }, /OPTION_B.*97/],
  ['vote-api', { OPTION_A: ' \u200B' }, /OPTION_A/],
  ['vote-api', { OPTION_B: 'a\u202Eb' }, /OPTION_B.*U\+202E/],
  ['vote-api', { OPTION_A: 'Cats', OPTION_B: ' CATS' }, /OPTION_A.*OPTION_B/],
  ['vote-api', { PORT: 'eighty' }, /PORT.*(1|number)/],
  ['vote-api', { PORT: '0' }, /PORT/],
  ['vote-api', { PORT: '70000' }, /PORT.*65535/],
  ['vote-api', { PORT: '8081x' }, /PORT/],
  ['vote-api', { LOG_LEVEL: 'loud' }, /LOG_LEVEL.*debug/],
  ['vote-api', { HTTP_LOOPS: '0' }, /HTTP_LOOPS/],
  ['vote-api', { SECRET_KEYS_FILE: '/dev/null' }, /SECRET_KEYS.*SECRET_KEYS_FILE|SECRET_KEYS_FILE.*SECRET_KEYS/],
  ['vote-api', { SECRET_KEYS: undefined, SECRET_KEYS_FILE: '/no/such/file' }, /SECRET_KEYS_FILE.*\/no\/such\/file/],
  ['result-api', { PORT: '-1' }, /PORT/],
  ['result-api', { LOG_LEVEL: 'LOUD' }, /LOG_LEVEL/],
  ['worker', { PORT: 'none' }, /PORT/],
  ['worker', { LOG_LEVEL: 'x' }, /LOG_LEVEL/],
  ['scrutin-setup', { BALLOTS_MAX_BYTES: 'much' }, /BALLOTS_MAX_BYTES/],
  ['scrutin-setup', { ACK_WAIT_MS: '-3' }, /ACK_WAIT_MS/],
  ['scrutin-audit', { SETTLE_S: 'long' }, /SETTLE_S/],
  ['scrutin-audit', { SECRET_KEYS: 'k1:12' }, /SECRET_KEYS/],
];
for (const [name, more, pattern] of BAD) {
  const shown = Object.entries(more).map(([key, value]) => (value === undefined ? `no ${key}` : `${key}=${value.slice(0, 20)}`)).join(' ');
  test(`${name} with ${shown}: names it and ends`, async () => {
    const check = await run(name, ['--check-config'], more);
    assert.equal(check.code, 2, check.stderr);
    assert.match(check.stderr, pattern);
    const start = await run(name, [], more);
    assert.notEqual(start.code, 0);
    assert.match(start.stderr + start.stdout, pattern);
    for (const text of [check.stderr, start.stderr, start.stdout]) assert.doesNotMatch(text, /abababab/, 'no secret in a message');
  });
}

for (const name of SERVICES) {
  test(`${name} on a port that is taken: names it`, async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    try {
      const program = startProgram(programPath(name), [], instance.serviceEnv(name, { PORT: String(port) }));
      const { code } = await within(60_000, 'it ends', program.ended);
      assert.notEqual(code, 0);
      assert.match(program.output, new RegExp(`\\b${port}\\b`));
      assert.match(program.output, /PORT|address already in use/i);
    } finally {
      server.close();
    }
  });

  test(`${name} without its servers: lives, is not ready, says which; SIGTERM ends it`, async () => {
    const port = await freePorts(1);
    const program = startProgram(programPath(name), [], bare(name, { PORT: String(port) }));
    const url = `http://127.0.0.1:${port}`;
    try {
      const ready = await until('/readyz answers', () => request(url, { path: '/readyz' }));
      assert.equal(ready.status, 503, ready.text);
      assert.equal(ready.json.ready, false);
      assert.match(ready.text, /nats|broker|bus/i);
      if (name !== 'vote-api') assert.match(ready.text, /database|postgres/i);
      assert.equal((await request(url, { path: '/livez' })).status, 200);
      const health = await run(name, ['--healthcheck'], { PORT: String(port) });
      assert.notEqual(health.code, 0);
      program.kill('SIGTERM');
      assert.equal((await within(30_000, 'SIGTERM ends it', program.ended)).code, 0, program.output);
    } finally {
      program.kill('SIGKILL');
    }
  });
}

test('--healthcheck of a service that is ready, and of one that is not there', async () => {
  const ports = { 'vote-api': instance.settings.VOTE_API_PORT, 'result-api': instance.settings.RESULT_API_PORT, worker: String(instance.workerPort(0)) };
  for (const [name, port] of Object.entries(ports)) {
    const good = await run(name, ['--healthcheck'], { PORT: port });
    assert.equal(good.code, 0, good.stderr);
    const bad = await run(name, ['--healthcheck'], { PORT: String(await freePorts(1)) });
    assert.notEqual(bad.code, 0);
  }
});

test('scrutin-setup twice is harmless', async () => {
  const jsm = await instance.jsm();
  const before = await jsm.streams.info('BALLOTS');
  await instance.setUp();
  const after = await jsm.streams.info('BALLOTS');
  assert.equal(after.created, before.created);
  assert.deepEqual(after.config, before.config);
});

// --- the schema

const migrate = (database, check = true) => runProgram(join(ROOT, 'db/migrate'), [],
  { PATH: process.env.PATH, PGHOST: instance.env.PGHOST, PGUSER: 'postgres', PGDATABASE: database }, { check });

/** What a program says within a time about a database: its output, and /readyz when it stays. */
async function verdictOf(name, database) {
  const port = await freePorts(1);
  const program = startProgram(programPath(name), [], instance.serviceEnv(name, { PORT: String(port), PGDATABASE: database }));
  let ready = '';
  try {
    await until('it says something about the schema', async () => {
      const answer = await request(`http://127.0.0.1:${port}`, { path: '/readyz' }).catch(() => null);
      if (answer?.status === 200) throw new Error('it is ready');
      ready = answer?.text ?? '';
      return /schema|migrat/i.test(program.output + ready);
    }, { every: 50 });
    return program.output + ready;
  } finally {
    program.kill('SIGKILL');
    await program.ended;
  }
}

test('a schema that is missing, too old or too new: worker and result-api say so and what to do', async () => {
  for (const [database, change] of [
    ['without', null],
    ['older', 'DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)'],
    ['newer', "INSERT INTO schema_migrations (version, name, sha256) VALUES (999, 'from the future', 'x')"],
  ]) {
    await instance.sql(`CREATE DATABASE ${database}`);
    if (change) {
      await migrate(database);
      await runProgram('psql', ['-qc', change], { PATH: process.env.PATH, PGHOST: instance.env.PGHOST, PGUSER: 'postgres', PGDATABASE: database });
    } else {
      await instance.sql(`GRANT CONNECT ON DATABASE ${database} TO scrutin_worker, scrutin_result`);
    }
    for (const name of ['worker', 'result-api']) {
      const said = await verdictOf(name, database);
      assert.match(said, /db\/migrate|newer|release|upgrade/i, `${name}, ${database}: ${said}`);
      if (change) assert.match(said, database === 'newer' ? /newer|999/i : /older|db\/migrate/i, `${name}, ${database}: ${said}`);
    }
    if (database === 'newer') {
      const refused = await migrate(database, false);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /newer|use the release/);
    }
  }
});

test('db/migrate twice is harmless, two at once too', async () => {
  await instance.sql('CREATE DATABASE twice');
  await Promise.all([migrate('twice'), migrate('twice')]);
  const { stdout } = await migrate('twice');
  assert.equal(stdout.trim(), '');
});

// --- TLS

test('TLS with ALPN: HTTP/2 and HTTP/1.1 on one port, cookies are Secure', async () => {
  const folder = join(instance.folder, 'tls');
  mkdirSync(folder);
  const [cert, key] = ['cert.pem', 'key.pem'].map((file) => join(folder, file));
  await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key,
    '-out', cert, '-subj', '/CN=localhost', '-days', '2'], { PATH: process.env.PATH });
  const port = await freePorts(1);
  const program = startProgram(programPath('vote-api'), [], instance.serviceEnv('vote-api',
    { PORT: String(port), TLS_CERT_FILE: cert, TLS_KEY_FILE: key }));
  const origin = `https://127.0.0.1:${port}`;
  const tls = { rejectUnauthorized: false };
  try {
    await until('it is ready', async () => {
      const answer = await request(origin, { path: '/readyz', tls }, 'HTTP/2');
      return answer.status === 200;
    });
    const poll = await instance.createPoll({ n: 2 });
    const body = '{"selection":["o1"]}';
    const options = { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`, headers: { 'content-type': 'application/json' }, body, tls };
    const answer = await until('it knows the poll', async () => {
      const one = await request(origin, options, 'HTTP/2');
      return one.status === 202 && one;
    });
    assert.match([answer.headers['set-cookie']].flat()[0], /; *Secure/i);
    const session = http2.connect(origin, tls);
    await once(session, 'connect');
    assert.equal(session.alpnProtocol, 'h2');
    session.destroy();
    const status = await new Promise((done, failed) => {
      const req = https.request(origin + options.path, { ...tls, agent: false, method: 'PUT', headers: { ...options.headers, 'content-length': body.length },
        ALPNProtocols: ['http/1.1'] }, (res) => done(res.statusCode));
      req.on('error', failed);
      req.end(body);
    });
    assert.equal(status, 202);
    const old = await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
      { PATH: process.env.PATH }, { check: false });
    assert.notEqual(old.code, 0, 'TLS 1.1 is refused');
    const health = await run('vote-api', ['--healthcheck'], { PORT: String(port), TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
    assert.equal(health.code, 0, health.stderr);
  } finally {
    program.kill('SIGKILL');
    await program.ended;
  }
});

test('make up names a setting that it cannot use, and starts nothing', async () => {
  const stateDir = join(instance.folder, 'unused');
  const first = await freePorts(6);
  const names = ['VOTE_API_PORT', 'RESULT_API_PORT', 'NATS_PORT', 'VOTE_UI_PORT', 'RESULT_UI_PORT', 'WORKER_PORT'];
  const ports = Object.fromEntries(names.map((name, i) => [name, String(first + i)]));
  for (const [name, value, said] of [
    ['LOG_LEVEL', 'loud', /LOG_LEVEL is "loud"/], ['DEFAULT_POLL', 'a/b', /DEFAULT_POLL/], ['BALLOTS_MAX_BYTES', '-3', /BALLOTS_MAX_BYTES is "-3"/],
    ['TLS_KEY_FILE', '/nowhere/key.pem', /TLS_KEY_FILE=\/nowhere\/key\.pem/], ['UI_TRUSTED_PROXIES', 'nobody.invalid', /UI_TRUSTED_PROXIES/],
    ['WORKERS', '0', /WORKERS=0/], ['NATS_PORT', '70000', /NATS_PORT=70000/],
  ]) {
    const up = await runProgram(join(ROOT, 'scripts/up'), ['--no-packages', '--no-build'],
      instance.childEnv({ ...ports, STATE_DIR: stateDir, WORKERS: '1', [name]: value }), { check: false });
    assert.equal(up.code, 1, `${name}: ${up.stdout}`);
    assert.match(up.stderr, said);
    assert.ok(!existsSync(join(stateDir, 'supervisord.conf')), `${name}: something may have been started`);
  }
});

test('scrutin-setup without a broker: waits a while for it, ends, names the variable', async () => {
  const { code, stderr, stdout } = await lonely;
  assert.notEqual(code, 0);
  assert.match(stderr + stdout, /NATS_URL/);
});
