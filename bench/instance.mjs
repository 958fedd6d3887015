// An instance of the whole system with its own state folder and ports, and functions to observe it.
// SPDX-License-Identifier: MIT
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
export const buildDir = process.env.BUILD_DIR ?? `${root}/build`;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Runs a program and returns its standard output. Its standard error goes to ours. */
export function run(program, args, options = {}) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.on('error', failed);
    child.on('close', (code) => (code === 0 ? done(output) : failed(new Error(`${program} ended with ${code}: ${output}`))));
  });
}

/** One psql session for all queries, so that a query does not start a process. */
class Session {
  #waiting = [];
  #lines = [];

  constructor(env) {
    this.child = spawn('psql', ['-XqAt', '-F', '\t', '-v', 'ON_ERROR_STOP=1'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.on('close', () => this.#waiting.forEach(({ failed }) => failed(new Error('psql has ended'))));
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (line !== '--done--') return this.#lines.push(line);
      this.#waiting.shift().done(this.#lines.map((text) => text.split('\t')));
      this.#lines = [];
    });
  }

  query(sql) {
    return new Promise((done, failed) => {
      this.#waiting.push({ done, failed });
      this.child.stdin.write(`${sql};\n\\echo --done--\n`);
    });
  }

  close() {
    this.child.stdin.end();
  }
}

export class Instance {
  constructor({ stateDir, port, workers, settings }) {
    this.vote = `http://127.0.0.1:${port}`;
    this.votePort = port;
    this.result = `http://127.0.0.1:${port + 1}`;
    this.resultPort = port + 1;
    this.workers = workers;
    this.env = {
      ...process.env,
      ENV_FILE: '/dev/null',
      STATE_DIR: stateDir,
      VOTE_API_PORT: port,
      RESULT_API_PORT: port + 1,
      NATS_PORT: port + 2,
      VOTE_UI_PORT: port + 100,
      RESULT_UI_PORT: port + 101,
      UI_ADDRESS: '127.0.0.1',
      WORKER_PORT: port + 3,
      WORKERS: workers,
      ...settings,
    };
  }

  async start() {
    await run(`${root}/scripts/up`, ['--no-packages', '--no-build'], { env: this.env });
    const stateDir = this.env.STATE_DIR;
    const lines = readFileSync(`${stateDir}/env`, 'utf8').trim().split('\n');
    Object.assign(this.env, Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))));
    this.apiKey = readFileSync(this.env.API_KEY_FILE, 'utf8').trim();
    this.db = new Session(this.env);
    this.findProcesses();
  }

  findProcesses() {
    const names = ['vote-api', 'result-api', ...Array.from({ length: this.workers }, (_, i) => `worker:worker_${i}`), 'nats', 'postgres'];
    this.pids = Object.fromEntries(names.map((name) => [name.replace(/^.*:/, ''), Number(this.ctl('pid', name))]));
  }

  async withoutWorkers(work) {
    this.ctl('stop', 'worker:*');
    try {
      return await work();
    } finally {
      this.ctl('start', 'worker:*');
      this.findProcesses();
    }
  }

  /** Brings a new cluster to the state after an hour of work: its log reuses existing segments, so the disk is not busy
   * with filling new segments with zeroes. */
  async warmUp(segments) {
    await this.db.query(`DO $$ BEGIN FOR i IN 1..${segments} LOOP
      PERFORM pg_logical_emit_message(false, '', ''), pg_switch_wal(); END LOOP; END $$`);
    await this.db.query('CHECKPOINT');
  }

  ctl(...args) {
    return execFileSync(`${root}/scripts/ctl`, args, { env: this.env, encoding: 'utf8' }).trim();
  }

  async stop() {
    this.db?.close();
    await run(`${root}/scripts/down`, [], { env: this.env });
  }

  /** Stops everything and removes the ballots. */
  async remove() {
    const { STATE_DIR } = this.env;
    if (!existsSync(STATE_DIR)) return;
    await this.stop();
    rmSync(realpathSync(STATE_DIR), { recursive: true }); // the folder may be a link to one that user postgres can enter
    rmSync(STATE_DIR, { recursive: true, force: true });
  }

  /** Creates a poll of cats and dogs and waits until the database knows it. Returns its id and key. */
  async makePoll(title, revisable = false) {
    const options = [{ id: 'cats', label: 'Cats' }, { id: 'dogs', label: 'Dogs' }];
    const reply = await fetch(`${this.vote}/v1/polls`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.apiKey}` },
      body: JSON.stringify({ title, options, revisable }),
    });
    if (reply.status !== 201) throw new Error(`POST /v1/polls: ${reply.status} ${await reply.text()}`);
    const { id } = await reply.json();
    for (;;) {
      const rows = await this.db.query(`SELECT key FROM polls WHERE id = '${id}'`);
      if (rows.length) return { id, key: Number(rows[0][0]) };
      await sleep(50);
    }
  }

  /** The token of a new voter. */
  async makeVoter() {
    const reply = await fetch(`${this.vote}/v1/voters`, { method: 'POST' });
    if (reply.status !== 201) throw new Error(`POST /v1/voters: ${reply.status} ${await reply.text()}`);
    return (await reply.json()).token;
  }

  /** Adds ballots of invented voters to a poll, with the triggers on, until it has n. */
  async fill(poll, n) {
    for (;;) {
      const [[there]] = await this.db.query(`SELECT coalesce(sum(counted), 0) FROM ledger WHERE poll = ${poll.key}`);
      const more = Math.min(1e6, n - there);
      if (more <= 0) return;
      await this.db.query(`BEGIN;
        INSERT INTO ballots (poll, voter, precedence, cast_at, choices)
          SELECT ${poll.key}, gen_random_uuid() AS voter, 0, now(), (ARRAY['cats', 'dogs'])[1 + i % 2]
            FROM generate_series(1, ${more}) AS i ORDER BY voter;
        UPDATE ledger SET received = received + ${more} WHERE poll = ${poll.key} AND slot = 0;
        COMMIT`);
    }
  }

  /** How many ballots of a poll are committed. */
  async received(poll) {
    const [[n]] = await this.db.query(`SELECT coalesce(sum(received), 0) FROM ledger WHERE poll = ${poll.key}`);
    return Number(n);
  }

  /** Waits until n ballots of the poll are committed. */
  async drained(poll, n) {
    let before = -1;
    for (let since = Date.now(); ; await sleep(20)) {
      const received = await this.received(poll);
      if (received >= n) return;
      if (received !== before) [before, since] = [received, Date.now()];
      if (Date.now() - since > 60_000) throw new Error(`only ${received} of ${n} ballots are committed, and no more for a minute`);
    }
  }

  /** Resident bytes of each process. PostgreSQL is left out, because its shared memory would count many times. */
  memory() {
    const names = Object.keys(this.pids).filter((name) => name !== 'postgres');
    return Object.fromEntries(names.map((name) => {
      const status = readFileSync(`/proc/${this.pids[name]}/status`, 'utf8');
      return [name, Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024];
    }));
  }

  /** Seconds of CPU that each part has used since its start. */
  cpu() {
    return Object.fromEntries(Object.entries(this.pids).map(([name, pid]) => {
      return [name, [pid, ...children(pid)].reduce((sum, one) => sum + cpuSeconds(one), 0)];
    }));
  }
}

function children(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    // utime, stime, and those of children that have ended; USER_HZ is 100 on Linux
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    return 0; // ended meanwhile
  }
}
