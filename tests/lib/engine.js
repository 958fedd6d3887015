// A container engine for the tests: the one that runs, or one of our own, which goes away with them.
// SPDX-License-Identifier: MIT
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './instance.js';
import { until } from './wait.js';

/** Runs a program to its end: {code, out}, both streams in one text. With `check`, a bad exit code is an error. */
export function run(program, args, { env = {}, timeout = 60_000, check = true } = {}) {
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

export class Engine {
  /** An engine, or {reason} why there is none. Compose of either kind is needed too. */
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
    this.folder = mkdtempSync(join(process.env.SCRUTIN_TEST_ROOT ?? tmpdir(), 'engine-'));
    this.env.DOCKER_HOST = `unix://${this.folder}/socket`;
    const log = openSync(join(this.folder, 'log'), 'w');
    this.process = spawn('/usr/sbin/dockerd', ['--data-root', join(this.folder, 'data'), '--exec-root', join(this.folder, 'exec'),
      '--pidfile', join(this.folder, 'pid'), '-H', this.env.DOCKER_HOST], { stdio: ['ignore', log, log], detached: true });
    let ended = false;
    this.gone = new Promise((done) => this.process.once('exit', () => done(ended = true)));
    this.process.once('error', () => (ended = true));
    const answers = async () => ended || (await this.docker('version', { check: false })).code === 0;
    await until('the engine answers', answers, { every: 200 }).catch(() => (ended = true));
    if (!ended) return this;
    const why = readFileSync(join(this.folder, 'log'), 'utf8').trim().split('\n').at(-1);
    await this.stop();
    return { reason: `this machine lets no container engine run: ${why}` };
  }

  docker(command, { args = [], ...options } = {}) {
    return run('docker', [...command.split(' '), ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  compose(project, args, options = {}) {
    const [program, ...words] = this.composeCommand;
    return run(program, [...words, '-p', project, ...args], { timeout: 180_000, ...options, env: { ...this.env, ...options.env } });
  }

  async build(tag, file, { target, args = {}, context = '.' } = {}) {
    await this.docker('build -q', { timeout: 600_000, args: ['-t', tag, '-f', file, ...(target ? ['--target', target] : []),
      ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]), context] });
  }

  async stop() {
    if (!this.process) return;
    try {
      process.kill(this.process.pid, 'SIGTERM');
    } catch { /* it has ended */ }
    await Promise.race([this.gone, new Promise((done) => setTimeout(done, 20_000).unref())]);
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    this.process = undefined;
  }
}

/** A .env of nobody's: the tests must not read that of the checkout. */
export function emptyEnvFile(folder) {
  const path = join(folder, 'empty.env');
  writeFileSync(path, '');
  return path;
}
