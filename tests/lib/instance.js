// A separate instance of the whole system for a test. scripts/up starts it in a temporary folder, on free ports.
// SPDX-License-Identifier: MIT
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect as connectNats } from 'nats';
import pg from 'pg';
import { request, requestJson } from './http.js';
import { findLeaks } from './leaks.js';
import { readBatches } from './stream.js';
import { control, pidOf } from './supervisor.js';
import { until, within } from './wait.js';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const BUILD_DIR = resolve(ROOT, process.env.BUILD_DIR ?? 'build');

/** The user of the workers of an nginx that a test starts. They must be able to read the test's files. */
export const NGINX_USER = process.getuid() === 0 ? 'root' : '';

/** Whether the programs were built with a sanitizer. Then they are slower, and their memory use is not that of a release. */
export const IS_SANITIZED = (() => {
  const info = join(BUILD_DIR, 'meson-info/intro-buildoptions.json');
  if (!existsSync(info)) return false;
  return JSON.parse(readFileSync(info, 'utf8')).some((option) => option.name === 'b_sanitize' && option.value.length > 0
    && option.value !== 'none');
})();

const BLOCK = 64; // ports
const RESERVED = join(tmpdir(), `scrutin-test-ports-${process.getuid()}`); // has a file for each block, with the id of the process that holds it
let block; // {at, end}: ports that only this process gives to tests

const isAlive = (pid) => {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Takes a block of ports for this process, so that two tests never choose the same port at the same moment. The block is below
 *  the range of ports that the kernel gives to outgoing connections. In that range, a connection could take the port of a service
 *  while it is down, and a client could even connect to itself. */
function takeBlock() {
  const [lowest] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
  const blocks = Math.floor((Math.max(lowest, 20_000) - 10_000) / BLOCK);
  mkdirSync(RESERVED, { recursive: true });
  for (let tries = 0; tries < 1000; tries++) {
    const n = Math.floor(Math.random() * blocks);
    const file = join(RESERVED, String(n));
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      process.on('exit', () => rmSync(file, { force: true }));
      return { at: 10_000 + n * BLOCK, end: 10_000 + (n + 1) * BLOCK };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    try { // a killed process may have left the file
      if (!isAlive(Number(readFileSync(file, 'utf8'))) && Date.now() - statSync(file).mtimeMs > 60_000) rmSync(file, { force: true });
    } catch { /* another process has just removed it */ }
  }
  throw new Error(`every block of ports is taken: ${RESERVED}`);
}

/** Gives the first of n free consecutive ports. No other test gets them. */
export async function freePorts(n) {
  const isFree = (port) => new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => done(true)));
  });
  for (let tries = 0; tries < 500; tries++) {
    if (!block || block.at + n > block.end) block = takeBlock();
    const first = block.at;
    block.at += n;
    const all = Array.from({ length: n }, (_, i) => first + i);
    if ((await Promise.all(all.map(isFree))).every(Boolean)) return first;
  }
  throw new Error('found no free ports');
}

const BROKER_PATIENCE_MS = 20_000; // JetStream's API answers late when the disk is busy

const running = new Set();
process.on('exit', () => {
  for (const instance of running) instance.destroySync();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

const REPORTS = /ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error: |SUMMARY: \w+Sanitizer/;

/** For tests in which every ballot must be confirmed, also on a busy machine. Not for tests that close polls, because it delays
 *  their fences by the same time. */
export const PATIENT = { ACK_TIMEOUT_MS: '10000' };

export class Instance {
  /** Starts an instance. `workers` is the number of supervised workers, `env` has settings of the services. */
  static async start({ workers = 2, env = {} } = {}) {
    const instance = new Instance();
    const parent = process.env.SCRUTIN_TEST_STATE || process.env.SCRUTIN_TEST_ROOT || tmpdir();
    instance.folder = mkdtempSync(join(parent, 'scrutin-test-'));
    chmodSync(instance.folder, 0o711); // so that user postgres reaches its cluster
    instance.stateDir = join(instance.folder, 's');
    const first = await freePorts(6 + workers);
    instance.workers = workers;
    instance.settings = {
      ENV_FILE: '/dev/null', BUILD_DIR, STATE_DIR: instance.stateDir, WORKERS: String(workers),
      VOTE_API_PORT: String(first), RESULT_API_PORT: String(first + 1), NATS_PORT: String(first + 2),
      VOTE_UI_PORT: String(first + 3), RESULT_UI_PORT: String(first + 4), UI_ADDRESS: '127.0.0.1',
      WORKER_PORT: String(first + 5), LOG_LEVEL: 'info', START_TIMEOUT: '180',
      RATE_LIMITS: 'off', // the whole load comes from one address
      WAIT_MS: '20000', // the first request for a poll may take long on a busy machine
      ...env,
    };
    running.add(instance);
    try {
      await instance.script('up', '--no-packages', '--no-build');
    } catch (error) {
      await instance.stop({ check: false });
      throw error;
    }
    const text = readFileSync(join(instance.stateDir, 'env'), 'utf8');
    instance.env = Object.fromEntries(text.split('\n').filter(Boolean).map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }));
    instance.realStateDir = realpathSync(instance.stateDir);
    instance.supervisor = join(realpathSync(join(instance.stateDir, 'run')), 'supervisor.sock');
    instance.voteUrl = instance.env.VOTE_API_URL;
    instance.resultUrl = instance.env.RESULT_API_URL;
    instance.votePage = instance.env.VOTE_UI_URL;
    instance.resultPage = instance.env.RESULT_UI_URL;
    instance.secretKeys = readFileSync(instance.env.SECRET_KEYS_FILE, 'utf8').trim();
    instance.apiKey = readFileSync(instance.env.API_KEY_FILE, 'utf8').trim();
    instance.db = new pg.Pool({
      host: instance.env.PGHOST, user: instance.env.PGUSER, database: instance.env.PGDATABASE, max: 4,
      connectionTimeoutMillis: 30_000,
    });
    instance.db.on('error', () => {}); // tests kill the server on purpose
    instance.children = new Set();
    instance.sanitizerReports = [];
    return instance;
  }

  childEnv(more = {}) {
    return { PATH: process.env.PATH, HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8',
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^([AUTL]|LEAK)?SAN_OPTIONS$|^UBSAN_OPTIONS$|^NATS_SERVER$/.test(name))),
      ...this.settings, ...more };
  }

  /** Runs a script of scripts/ and gives its output. */
  script(name, ...args) {
    return runProgram(join(ROOT, 'scripts', name), args, this.childEnv());
  }

  /** Starts, stops or restarts programs, for example ctl('stop', 'worker:*'). */
  async ctl(what, ...programs) {
    if (what !== 'start') await control(this.supervisor, 'stop', programs);
    if (what !== 'stop') await control(this.supervisor, 'start', programs);
  }

  async pid(program) {
    const pid = await pidOf(this.supervisor, program);
    if (!(pid > 0)) throw new Error(`${program} does not run`);
    return pid;
  }

  /** Sends a signal to a program and gives its process id. After SIGSTOP, it returns when all threads have stopped. */
  async signal(program, signal) {
    const pid = await this.pid(program);
    process.kill(pid, signal);
    if (signal === 'SIGSTOP') await until(`${program} is stopped`, () => isStopped(pid), { every: 1 });
    return pid;
  }

  /** Sends SIGKILL, and waits until the supervisor has started the program again. */
  async killAndWait(program) {
    const pid = await this.signal(program, 'SIGKILL');
    await until(`${program} is started again`, async () => (await this.pid(program)) !== pid, { timeout: 60_000 });
    return pid;
  }

  workerPort(n) {
    return Number(this.settings.WORKER_PORT) + n;
  }

  /** The status of a service's /readyz, or 0 if there is no response. */
  static async readyStatus(url) {
    try {
      return (await request(url, { path: '/readyz', timeout: 5000 })).status;
    } catch {
      return 0;
    }
  }

  urls() {
    return [this.voteUrl, this.resultUrl,
      ...Array.from({ length: this.workers }, (_, n) => `http://127.0.0.1:${this.workerPort(n)}`)];
  }

  /** Waits until every service says that it is ready. */
  async ready({ timeout = 120_000, urls = this.urls() } = {}) {
    await until('all services are ready', async () => {
      const answers = await Promise.all(urls.map(async (url) => {
        try {
          const { status, text } = await request(url, { path: '/readyz', timeout: 5000 });
          return status === 200 ? null : `${url}: ${status} ${text}`;
        } catch (error) {
          return `${url}: ${error.message}`;
        }
      }));
      const not = answers.filter(Boolean);
      if (not.length) throw new Error(not.join('; '));
      return true;
    }, { timeout, every: 100 });
  }

  /** The broker's address for the user of a program. `port` may be that of a proxy. */
  brokerUrl(program = 'operator', port = this.settings.NATS_PORT) {
    const url = program === 'operator' ? this.env.NATS_URL : readFileSync(join(this.stateDir, 'etc', program, 'nats-url'), 'utf8').trim();
    return url.replace(/:\d+$/, `:${port}`);
  }

  /** The environment for a program that a test starts in addition to the supervised ones. */
  serviceEnv(name, more = {}) {
    const common = { NATS_URL: this.brokerUrl(name), LOG_LEVEL: 'info' };
    const database = { PGHOST: this.env.PGHOST, PGDATABASE: this.env.PGDATABASE };
    const own = {
      'vote-api': { SECRET_KEYS_FILE: this.env.SECRET_KEYS_FILE, API_KEYS_FILE: join(this.stateDir, 'api-keys') },
      'result-api': { SECRET_KEYS_FILE: this.env.SECRET_KEYS_FILE, PGUSER: 'scrutin_result', ...database },
      worker: { PGUSER: 'scrutin_worker', ...database },
      'scrutin-setup': {},
      'scrutin-audit': { SECRET_KEYS_FILE: this.env.SECRET_KEYS_FILE, PGUSER: 'scrutin_result', ...database, SETTLE_S: '0' },
    }[name];
    const passed = Object.fromEntries(Object.entries(this.settings).filter(([key]) =>
      !/^(ENV_FILE|BUILD_DIR|STATE_DIR|WORKERS|.*_PORT)$/.test(key)));
    return { ...sanitizerOptions(), PATH: process.env.PATH, ...passed, ...common, ...own, ...more };
  }

  /** Starts a program in addition to the supervised ones, and waits until it is ready. */
  async spawn(name, more = {}, { wait = true } = {}) {
    const port = await freePorts(1);
    const child = startProgram(programPath(name), [], this.serviceEnv(name, { PORT: String(port), ...more }));
    child.url = `http://127.0.0.1:${port}`;
    this.children.add(child);
    if (wait) await this.ready({ urls: [child.url] });
    return child;
  }

  /** Runs scrutin-setup again. `more` changes settings. */
  setUp(more = {}) {
    return runProgram(programPath('scrutin-setup'), [], this.serviceEnv('scrutin-setup', more));
  }

  /** Runs scrutin-audit --json. Gives its exit code, the report and standard error. */
  async audit(args = [], more = {}) {
    const { code, stdout, stderr } = await runProgram(programPath('scrutin-audit'), ['--json', ...args],
      this.serviceEnv('scrutin-audit', more), { check: false });
    return { code, stderr, report: stdout === '' ? null : JSON.parse(stdout) };
  }

  /** A NATS connection of the operator. All calls without options share one. */
  async nats(options) {
    const { host, username: user, password: pass } = new URL(this.env.NATS_URL);
    if (options) return connectNats({ servers: host, user, pass, ...options });
    if (!this.bus) {
      this.bus = await connectNats({ servers: host, user, pass, maxReconnectAttempts: -1, reconnectTimeWait: 100, name: 'test' });
      const jetstream = this.bus.jetstream.bind(this.bus);
      this.bus.jetstream = (more) => jetstream({ timeout: BROKER_PATIENCE_MS, ...more });
    }
    return this.bus;
  }

  async jsm() {
    return (await this.nats()).jetstreamManager({ timeout: BROKER_PATIENCE_MS });
  }

  // --- polls and their books

  /** Makes a poll of n options `o0`, `o1`, … and gives {id, options, token}. */
  async createPoll({ n = 10, title = 'Test', options, ...more } = {}) {
    options ??= Array.from({ length: n }, (_, i) => ({ id: `o${i}`, label: `Option ${i}` }));
    // After 503, the request may be repeated: the broker took longer than vote-api waits.
    const answer = await until('the poll is made', async () => {
      const tried = await requestJson(this.voteUrl, 'POST', '/v1/polls', { title, options, method: 'plurality', ...more },
        { authorization: `Bearer ${this.apiKey}` });
      return tried.status !== 503 && tried;
    });
    if (answer.status !== 201) throw new Error(`POST /v1/polls: ${answer.status} ${answer.text}`);
    const { id, manage_token: token } = answer.json;
    return { id, token, options: options.map((option) => option.id), revisable: more.revisable ?? true };
  }

  async sql(text, params) {
    return (await this.db.query(text, params)).rows;
  }

  /** Waits until the workers have applied everything that the stream holds now. A load may go on meanwhile. */
  async settle({ timeout = 120_000 } = {}) {
    const jsm = await this.jsm();
    let target; // {created, last}
    return until('everything in the stream is applied', async () => {
      const { state, created, config } = await jsm.streams.info('BALLOTS');
      if (target?.created !== created) target = { created, last: state.last_seq };
      const [row] = await this.sql(
        `SELECT count(b.seq) AS n, e.epoch FROM stream_epochs e LEFT JOIN applied_batches b
             ON b.epoch = e.epoch AND b.seq <= $1
          WHERE e.created_ns = $2 GROUP BY e.epoch`, [target.last, /; incarnation (\d+)/.exec(config.description)?.[1] ?? String(nanoseconds(created))]);
      if (!row && target.last > 0) throw new Error('this stream has no epoch yet');
      if (Number(row?.n ?? 0) !== target.last) {
        const { name, ts, stream_name: stream, config: durable, created: made, ...rest } = await jsm.consumers.info('BALLOTS', 'workers');
        throw new Error(`${row?.n ?? 0} of ${target.last} messages are applied; consumer ${JSON.stringify(rest)}`);
      }
      return { last: target.last, epoch: row?.epoch };
    }, { timeout, every: 50 });
  }

  /** The rows and books of a poll, in the form that the verdict needs. `client` may be in a transaction. */
  async books(poll, client = this.db) {
    const ask = async (text) => (await client.query(text, [poll])).rows;
    const ballots = await ask(
      'SELECT voter::text, precedence::text, choices FROM ballots JOIN polls ON polls.key = ballots.poll WHERE polls.id = $1');
    const tally = await ask(
      'SELECT choice, sum(n)::bigint AS n FROM tally JOIN polls ON polls.key = tally.poll WHERE polls.id = $1 GROUP BY choice');
    const [ledger] = await ask(
      `SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(counted), 0)::bigint AS counted,
              coalesce(sum(superseded), 0)::bigint AS superseded, coalesce(sum(rejected), 0)::bigint AS rejected
         FROM ledger JOIN polls ON polls.key = ledger.poll WHERE polls.id = $1`);
    return {
      rows: new Map(ballots.map((row) => [row.voter, { choices: row.choices, precedence: BigInt(row.precedence) }])),
      books: {
        ...Object.fromEntries(Object.entries(ledger).map(([name, value]) => [name, Number(value)])),
        tally: new Map(tally.map((row) => [row.choice, Number(row.n)])),
      },
    };
  }

  /** The ballots of a poll in the order of the stream. A ballot between a fence and the next gate is `late`, unless it belongs to
   *  a later term. */
  async streamed(poll) {
    const [{ epoch }] = await this.sql('SELECT max(epoch)::int AS epoch FROM stream_epochs');
    const ballots = [];
    let term = 0;
    let open = true;
    for await (const { sequence, batch } of readBatches(await this.nats())) {
      if (batch.fencePoll === poll && batch.term === term) open = false;
      if (batch.gatePoll === poll && batch.term > term) [term, open] = [batch.term, true];
      batch.ballots.forEach((ballot, index) => {
        if (ballot.poll !== poll) return;
        const ordinal = (BigInt(epoch) << 52n) | (BigInt(sequence) << 12n) | BigInt(index);
        ballots.push({ voter: ballot.voter, choices: ballot.choices, ordinal, late: !open && (ballot.term ?? 0) <= term });
      });
    }
    return ballots;
  }

  /** The number of deadlocks by PostgreSQL's counter plus that by its log, because the counter is lost when it is killed. */
  async deadlocks() {
    const [{ n }] = await this.sql('SELECT sum(deadlocks)::int AS n FROM pg_stat_database');
    return n + (this.log('postgres').match(/deadlock detected/g) ?? []).length;
  }

  /** The discrepancies: rows of the views that should be empty, and findings of scrutin-audit. */
  async auditViolations() {
    const violations = [];
    for (const view of ['tally_mismatch', 'ledger_mismatch', 'timeline_mismatch', 'missing_batches']) {
      for (const row of await this.sql(`SELECT * FROM ${view} LIMIT 10`)) violations.push(`${view}: ${JSON.stringify(row)}`);
    }
    const { code, report, stderr } = await this.audit([], { SETTLE_S: '60' });
    if (code !== 0) violations.push(`scrutin-audit ended with ${code}: ${JSON.stringify(report?.discrepancies)} ${stderr}`);
    const n = await this.deadlocks();
    if (n > 0) violations.push(`${n} deadlocks`);
    return violations;
  }

  // --- logs

  logFiles() {
    const folder = join(this.stateDir, 'log');
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  }

  /** The log of a program. */
  log(program) {
    return this.logFiles().filter((file) => file.includes(`/${program}.log`)).map((file) => readFileSync(file, 'utf8')).join('');
  }

  /** The logs of all programs of this instance, as [name, text]. */
  logTexts() {
    const texts = this.logFiles().map((file) => [file, readFileSync(file, 'utf8')]);
    for (const child of this.children ?? []) texts.push([child.spawnfile, child.output]);
    return texts;
  }

  /** The lines of all logs that contain a voter, a choice or a key. */
  leaks() {
    const keys = ['secret-keys', 'api-key', 'api-keys', 'nats-passwords'].map((name) => join(this.stateDir, name)).filter(existsSync)
      .flatMap((file) => (readFileSync(file, 'utf8').match(/[0-9a-f]{64}/g) ?? []).map((key) => [`a key of ${file}`, key]));
    return this.logTexts().flatMap(([name, text]) => findLeaks(name, text, keys));
  }

  /** The reports of sanitizers in all logs. */
  sanitizerFindings() {
    const findings = [];
    for (const [file, text] of this.logTexts()) {
      const lines = text.split('\n');
      lines.forEach((line, i) => {
        if (REPORTS.test(line)) findings.push(`${file}:${i + 1}: ${lines.slice(i, i + 12).join('\n    ')}`);
      });
    }
    return findings;
  }

  /** The broker's log lines about violated permissions. A program that violates them only looks slow. */
  permissionViolations() {
    return this.provokesViolations ? [] : this.log('nats').split('\n').filter((line) => /\bViolation\b/.test(line) && !/User "operator"/.test(line));
  }

  // --- the end

  async stop({ check = true } = {}) {
    for (const child of this.children ?? []) child.kill('SIGKILL');
    await this.bus?.close().catch(() => {});
    await this.db?.end().catch(() => {});
    if (existsSync(this.stateDir)) await runProgram(join(ROOT, 'scripts/down'), [], this.childEnv(), { check: false });
    const reports = check ? this.sanitizerFindings() : [];
    const violations = check ? this.permissionViolations() : [];
    const leaks = check ? this.leaks() : [];
    this.remove();
    running.delete(this);
    if (reports.length) throw new Error(`sanitizer reports:\n${reports.slice(0, 5).join('\n')}`);
    if (violations.length) throw new Error(`the broker refused:\n${violations.slice(0, 5).join('\n')}`);
    if (leaks.length) throw new Error(`${leaks.length} lines of logs say too much:\n${leaks.slice(0, 10).join('\n')}`);
  }

  remove() {
    if (process.env.KEEP_STATE) {
      console.log(`# kept: ${this.folder}`);
      return;
    }
    if (existsSync(join(this.stateDir, 'run'))) {
      const run = realpathSync(join(this.stateDir, 'run'));
      if (/^\/tmp\/scrutin-\w{6}$/.test(run)) rmSync(run, { recursive: true, force: true });
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  destroySync() {
    for (const child of this.children ?? []) child.kill('SIGKILL');
    if (existsSync(this.stateDir)) spawnSync(join(ROOT, 'scripts/down'), { env: this.childEnv(), stdio: 'ignore' });
    this.remove();
  }
}

/** Converts a time of the broker (RFC 3339 with nanoseconds) to nanoseconds since 1970. */
function nanoseconds(text) {
  const [, seconds, fraction = ''] = text.match(/^([^.Z]+)(?:\.(\d+))?Z$/);
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Whether every thread of a process is stopped. SIGSTOP does not reach all of them at once. */
function isStopped(pid) {
  return readdirSync(`/proc/${pid}/task`).every((task) =>
    /^T/.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8').replace(/^.*\) /s, '')));
}

export function programPath(name) {
  return join(BUILD_DIR, `${name.replace(/^scrutin-/, '')}/${name}`);
}

export const sanitizerOptions = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(ASAN|UBSAN|LSAN|TSAN)_OPTIONS$/.test(name)));

/** Starts a program. child.output collects its output, and child.ended resolves to {code, signal}. */
export function startProgram(path, args, env) {
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.output = '';
  child.stdoutText = '';
  child.stderrText = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    child.output += text;
    child.stdoutText += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    child.output += text;
    child.stderrText += text;
  });
  child.ended = new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => done({ code, signal }));
  });
  child.ended.catch(() => {});
  return child;
}

/** Runs a program until it ends. */
export async function runProgram(path, args, env, { check = true, timeout = 300_000 } = {}) {
  const child = startProgram(path, args, env);
  const { code, signal } = await within(timeout, `${path} ${args.join(' ')}`, child.ended).catch((error) => {
    child.kill('SIGKILL');
    error.message += `\n${child.output}`;
    throw error;
  });
  if (check && code !== 0) {
    throw new Error(`${path} ${args.join(' ')} ended with ${code ?? signal}:\n${child.output}`);
  }
  return { code, signal, stdout: child.stdoutText, stderr: child.stderrText };
}
