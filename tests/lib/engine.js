// A container engine for the tests, and its images, which are made once. It is the engine that runs, or a temporary one.
// SPDX-License-Identifier: MIT
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, realpathSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './instance.js';
import { until } from './wait.js';

/** Runs a program to its end. Gives {code, out, stdout}, where `out` has both streams. With `check`, an exit code that is not 0
 *  is an error. */
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
    child.stdin.on('error', () => {}); // the program may end without reading its input
    child.stdin.end();
  });
}

/** Nothing listens at this registry. So an engine that looks there for a newer image fails at once and takes its own. */
export const IMAGES = 'localhost:1/scrutin-test';
export const BASE_IMAGE = `${IMAGES}/debian:trixie-slim`;
/** Settings for compose.yaml and stack.yml: these images, and no more open files than this machine allows. */
export const engineSettings = {
  IMAGE_PREFIX: IMAGES, DEBIAN_IMAGE: BASE_IMAGE, NATS_IMAGE: `${IMAGES}/nats:local`, POSTGRES_IMAGE: `${IMAGES}/postgres:local`,
  NOFILE_LIMIT: /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1],
};

/** The files of a run share an engine, which tests/run ends. */
const SHARED = process.env.SCRUTIN_TEST_ROOT;

const GB = 1e9;

/** The folder where images are made fastest. That is memory if there is enough and it may contain devices, because packages wait
 *  for the disk after every file that they install. */
function scratchFolder() {
  const inMemory = '/dev/shm';
  const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readFileSync('/proc/self/mounts', 'utf8')) ?? [];
  if (!options || /\b(ro|nodev|noexec|nosuid)\b/.test(options)) return tmpdir();
  const { bavail, bsize } = statfsSync(inMemory);
  const available = Number(/^MemAvailable: +(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))[1]) * 1024;
  return bavail * bsize > 8 * GB && available > 12 * GB ? inMemory : tmpdir();
}

export class Engine {
  /** Gives an engine, or {reason} if there is none. Compose of version 1 or 2 is needed too. `isOwn` means that nobody else uses
   *  the engine and that its containers are processes of this machine. */
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
    if (await answers()) return this; // an earlier file of this run has started one
    mkdirSync(this.folder, { recursive: true });
    // tests/run ends the engine and finds the folder by this link.
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

  /** Finds Compose 1 or 2, as [program, words...]. Gives undefined if there is none and it cannot be fetched. */
  async findCompose(version, folder) {
    const fetchCompose = async () => { // Debian 13 has Compose 2
      await run('scripts/fetch-deb', [folder, 'trixie', 'docker-compose'], { timeout: 300_000 });
      await run('dpkg-deb', ['-x', join(folder, readdirSync(folder).find((name) => name.startsWith('docker-compose_'))), folder]);
      return [join(folder, 'usr/libexec/docker/cli-plugins/docker-compose')];
    };
    for (const find of [() => ['docker-compose'], () => ['docker', 'compose'], fetchCompose]) {
      try {
        const [program, ...words] = await find();
        const { stdout } = await run(program, [...words, 'version', '--short'], { env: this.env });
        if (stdout.replace(/^v/, '').startsWith(`${version}.`)) return [program, ...words];
      } catch { /* this machine does not have it */ }
    }
  }

  async build(tag, file, { target, context = '.' } = {}) {
    await this.docker('build -q', { timeout: 600_000, args: ['-t', tag, '-f', file, ...(target ? ['--target', target] : []),
      '--build-arg', `DEBIAN_IMAGE=${BASE_IMAGE}`, context] });
  }

  /** Builds all images of the project and the replacements for the official ones, once in a run of tests/run. */
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
      else console.log(`# Debian's nats-server replaces the official one: ${out.trim()}`);
      for (const target of ['postgres', 'nats']) {
        await this.build(`${IMAGES}/${target}:local`, join(context, 'stand_ins.Dockerfile'), { target, context });
      }
      rmSync(context, { recursive: true });
      await this.build(`${IMAGES}/seed:local`, 'seed/Dockerfile', { context: 'seed' });
    };
    await Promise.all([each('Dockerfile', ['vote-api', 'result-api', 'worker']), each('web/Dockerfile', ['vote-ui', 'result-ui']), standIns()]);
    if (mark) writeFileSync(mark, '');
  }

  /** Ends the engine if no other file shares it. */
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
    // If the engine did not end in order, it left mounts, and files below them cannot be removed.
    for (const folder of [realpathSync(join(this.folder, 'data')), this.folder]) {
      try {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      } catch (error) {
        console.log(`# left behind: ${error.message}`);
      }
    }
  }
}

/** Makes an empty .env, so that the tests do not read that of the checkout. */
export function emptyEnvFile(folder) {
  const path = join(folder, 'empty.env');
  writeFileSync(path, '');
  return path;
}
