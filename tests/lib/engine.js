// A container engine for the tests: the one that runs, or one of our own, which goes away with them. Its images, made once.
// SPDX-License-Identifier: MIT
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, realpathSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './instance.js';
import { until } from './wait.js';

/** Runs a program to its end: {code, out}, both streams in one text. With `check`, a bad exit code is an error. */
export function run(program, args, { env = {}, timeout = 120_000, check = true } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { cwd: ROOT, env: { ...process.env, ...env }, timeout, killSignal: 'SIGKILL', maxBuffer: 64e6 },
      (error, stdout, stderr) => {
        const out = stdout + stderr;
        if (error && (check || typeof error.code !== 'number')) {
          reject(new Error(`${program} ${args.join(' ')}: ${error.code ?? error.signal ?? error.message}\n${out.slice(-3000)}`));
        } else {
          resolve({ code: error?.code ?? 0, out, stdout });
        }
      });
    child.stdin.on('error', () => {}); // it may end without having read
    child.stdin.end();
  });
}

/** Nobody answers at this registry: an engine that looks there for a newer image hears so at once, and takes the one it has. */
export const IMAGES = 'localhost:1/scrutin-test';
export const BASE_IMAGE = `${IMAGES}/debian:trixie-slim`;
/** What compose.yaml and stack.yml read from the environment: these images, and no more open files than this machine allows. */
export const engineSettings = {
  IMAGE_PREFIX: IMAGES, DEBIAN_IMAGE: BASE_IMAGE, NATS_IMAGE: `${IMAGES}/nats:local`, POSTGRES_IMAGE: `${IMAGES}/postgres:local`,
  NOFILE_LIMIT: /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1],
};

/** tests/run runs several files that want an engine: they share one, and tests/run ends it. */
const SHARED = process.env.SCRUTIN_TEST_ROOT;

const GB = 1e9;

/** Where images are made fastest: in memory, where there is plenty and devices may lie in it. Packages wait for the disk at
 *  every file that they install. */
function scratchFolder() {
  const inMemory = '/dev/shm';
  const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readFileSync('/proc/self/mounts', 'utf8')) ?? [];
  if (!options || /\b(ro|nodev|noexec|nosuid)\b/.test(options)) return tmpdir();
  const { bavail, bsize } = statfsSync(inMemory);
  const available = Number(/^MemAvailable: +(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))[1]) * 1024;
  return bavail * bsize > 8 * GB && available > 12 * GB ? inMemory : tmpdir();
}

export class Engine {
  /** An engine, or {reason} why there is none. Compose of either kind is needed too. `isOwn`: nobody else uses it, and its
   *  containers are processes of this machine. */
  static async find() {
    const engine = new Engine();
    engine.env = { DOCKER_BUILDKIT: '0', COMPOSE_DOCKER_CLI_BUILD: '0' };
    const works = async (args) => (await run(args[0], args.slice(1), { env: engine.env, check: false }).catch(() => ({ code: 1 }))).code === 0;
    if (await works(['docker-compose', 'version'])) engine.composeCommand = ['docker-compose'];
    else if (await works(['docker', 'compose', 'version'])) engine.composeCommand = ['docker', 'compose'];
    else return { reason: 'Compose is not installed' };
    if (await works(['docker', 'version'])) return engine;
    if (process.getuid() !== 0) return { reason: 'no container engine runs, and only root can start one' };
    if (!existsSync('/usr/sbin/dockerd')) return { reason: 'no container engine runs, and there is no dockerd' };
    return engine.start();
  }

  async start() {
    this.isOwn = true;
    this.folder = SHARED ? join(SHARED, 'engine-shared') : mkdtempSync(join(tmpdir(), 'engine-'));
    this.env.DOCKER_HOST = `unix://${this.folder}/socket`;
    const answers = async () => (await this.docker('version', { check: false })).code === 0;
    if (await answers()) return this; // an earlier file of this run has started it
    mkdirSync(this.folder, { recursive: true });
    // `data` leads there, so that whoever ends the engine finds it.
    symlinkSync(mkdtempSync(join(scratchFolder(), 'scrutin-engine-')), join(this.folder, 'data'));
    const log = openSync(join(this.folder, 'log'), 'w');
    this.process = spawn('/usr/sbin/dockerd', ['--data-root', join(this.folder, 'data'), '--exec-root', join(this.folder, 'exec'),
      '--pidfile', join(this.folder, 'pid'), '-H', this.env.DOCKER_HOST], { stdio: ['ignore', log, log], detached: true });
    if (SHARED) this.process.unref();
    let ended = false;
    this.gone = new Promise((done) => this.process.once('exit', () => done(ended = true)));
    this.process.once('error', () => (ended = true));
    await until('the engine answers', async () => ended || await answers(), { every: 200, timeout: 120_000 }).catch(() => (ended = true));
    if (!ended) return this;
    const why = readFileSync(join(this.folder, 'log'), 'utf8').trim().split('\n').at(-1);
    await this.end();
    return { reason: `this machine lets no container engine run: ${why}` };
  }

  docker(command, { args = [], ...options } = {}) {
    return run('docker', [...command.split(' '), ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  compose(project, args, options = {}) {
    const [program, ...words] = this.composeCommand;
    return run(program, [...words, '-p', project, ...args], { timeout: 300_000, ...options, env: { ...this.env, ...options.env } });
  }

  /** Compose 1 or 2 as [program, words...], whichever of them `engine.compose` uses; undefined where it cannot be had. */
  async findCompose(version, folder) {
    const fetchCompose = async () => { // Debian 13's, which is Compose 2
      await run('scripts/fetch-deb', [folder, 'trixie', 'docker-compose'], { timeout: 300_000 });
      await run('dpkg-deb', ['-x', join(folder, readdirSync(folder).find((name) => name.startsWith('docker-compose_'))), folder]);
      return [join(folder, 'usr/libexec/docker/cli-plugins/docker-compose')];
    };
    for (const find of [() => ['docker-compose'], () => ['docker', 'compose'], fetchCompose]) {
      try {
        const [program, ...words] = await find();
        const { stdout } = await run(program, [...words, 'version', '--short'], { env: this.env });
        if (stdout.replace(/^v/, '').startsWith(`${version}.`)) return [program, ...words];
      } catch { /* there is none of this kind here */ }
    }
  }

  async build(tag, file, { target, context = '.' } = {}) {
    await this.docker('build -q', { timeout: 600_000, args: ['-t', tag, '-f', file, ...(target ? ['--target', target] : []),
      '--build-arg', `DEBIAN_IMAGE=${BASE_IMAGE}`, context] });
  }

  /** Builds every image of the project, and the stand-ins for the official ones; once in a run of tests/run. */
  async buildImages() {
    const mark = SHARED && join(SHARED, 'images-are-built');
    if (mark && existsSync(mark)) return;
    const { stdout } = await this.docker('images -q', { args: [BASE_IMAGE] });
    if (!stdout.trim()) await run('tests/deploy/make_base', [BASE_IMAGE], { env: { ...this.env, TMPDIR: scratchFolder() }, timeout: 600_000 });
    const each = async (file, parts) => {
      for (const part of parts) await this.build(`${IMAGES}/${part}:local`, file, { target: part });
    };
    const standIns = async () => {
      const context = mkdtempSync(join(scratchFolder(), 'scrutin-stand-ins-'));
      for (const file of ['stand_ins.Dockerfile', 'make_cluster']) copyFileSync(join(ROOT, 'tests/deploy', file), join(context, file));
      // Not Debian's 2.10: with it, a broker that came back after an absence once went on without one message.
      const { code, out, stdout } = await run('scripts/fetch-go', ['nats-server'], { check: false, timeout: 600_000 });
      if (code === 0) copyFileSync(stdout.trim(), join(context, 'nats-server'));
      else console.log(`# Debian's nats-server stands in for the official one: ${out.trim()}`);
      for (const target of ['postgres', 'nats']) {
        await this.build(`${IMAGES}/${target}:local`, join(context, 'stand_ins.Dockerfile'), { target, context });
      }
      rmSync(context, { recursive: true });
      await this.build(`${IMAGES}/seed:local`, 'seed/Dockerfile', { context: 'seed' });
    };
    await Promise.all([each('Dockerfile', ['vote-api', 'result-api', 'worker']), each('web/Dockerfile', ['vote-ui', 'result-ui']), standIns()]);
    if (mark) writeFileSync(mark, '');
  }

  /** Ends the engine when it is this file's alone. */
  async stop() {
    if (!SHARED) await this.end();
  }

  async end() {
    if (!this.process) return;
    try {
      process.kill(this.process.pid, 'SIGTERM');
    } catch { /* it has ended */ }
    await Promise.race([this.gone, new Promise((done) => setTimeout(done, 60_000).unref())]);
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    this.process = undefined;
    // Where it could not end in order there are mounts left, and what is below them stays.
    for (const folder of [realpathSync(join(this.folder, 'data')), this.folder]) {
      try {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      } catch (error) {
        console.log(`# left behind: ${error.message}`);
      }
    }
  }
}

/** A .env of nobody's: the tests must not read that of the checkout. */
export function emptyEnvFile(folder) {
  const path = join(folder, 'empty.env');
  writeFileSync(path, '');
  return path;
}
