// A stack on a Swarm of one node, for the tests: its containers, and the state of its brokers and its database.
// SPDX-License-Identifier: MIT
import { run } from './engine.js';
import { request } from './http.js';
import { until } from './wait.js';

const UPDATE_MS = 300_000; // enough for an update on a busy machine

export class Stack {
  /** `files` are those of `docker stack deploy`, `env` has the variables that they use. */
  constructor(engine, name, { files, env }) {
    Object.assign(this, { engine, name, files, env });
  }

  docker(command, ...args) {
    return this.engine.docker(command, { args, env: this.env, timeout: UPDATE_MS });
  }

  /** The lines that a docker command prints. */
  async lines(command, ...args) {
    return (await this.docker(command, ...args)).stdout.split('\n').filter(Boolean);
  }

  async deploy() {
    const { stdout } = await run('scripts/secrets', ['names'], { env: this.env });
    const names = Object.fromEntries([...stdout.matchAll(/^export (\w+)=(\w+)$/gm)].map(([, name, digest]) => [name, digest]));
    const files = this.files.flatMap((file) => ['-c', file]);
    await this.engine.docker('stack deploy', { args: ['--resolve-image', 'never', ...files, this.name], env: { ...this.env, ...names } });
  }

  /** The objects of this stack that a command lists (ps -aq, network ls -q, service ls -q, ...). */
  owned(command) {
    return this.lines(command, '--filter', `label=com.docker.stack.namespace=${this.name}`);
  }

  /** The running containers of a service. */
  containers(service) {
    return this.lines('ps -q', '--filter', `label=com.docker.swarm.service.name=${this.name}_${service}`);
  }

  /** The logs of all containers of a service, including those that have ended. `docker service logs` may wait for ever if a
   *  container was removed, so this does not use it. */
  async logs(service) {
    const all = await this.lines('ps -aq', '--filter', `label=com.docker.swarm.service.name=${this.name}_${service}`);
    return (await Promise.all(all.map(async (id) => (await this.docker('logs', id)).out))).join('');
  }

  async container(service) {
    const [id] = await this.containers(service);
    if (!id) throw new Error(`${service} does not run`);
    return id;
  }

  async inspect(service) {
    return JSON.parse((await this.docker('service inspect', `${this.name}_${service}`)).stdout)[0];
  }

  /** Waits until the last update of a service has ended, and gives its final state. */
  updated(service) {
    return until(`${service} is updated`, async () => {
      const { UpdateStatus: status } = await this.inspect(service);
      if (!/completed$/.test(status?.State)) throw new Error(JSON.stringify(status));
      return status.State;
    }, { timeout: UPDATE_MS, every: 250 });
  }

  /** The state of every broker that responds: {name: jsz}. */
  async brokers() {
    const answers = await Promise.all(['nats-1', 'nats-2', 'nats-3'].map(async (name) => {
      const [id] = await this.containers(name);
      if (!id) return [];
      const { code, stdout } = await this.engine.docker('exec', { check: false, timeout: 30_000,
        args: [id, 'wget', '-q', '-T', '20', '-O', '-', 'http://127.0.0.1:8222/jsz?streams=true&config=true'] }).catch(() => ({ code: 1 }));
      return code === 0 ? [[name, JSON.parse(stdout)]] : [];
    }));
    return Object.fromEntries(answers.flat());
  }

  /** The streams by the state of their leaders: {name: {leader, copies, current}}. */
  async streams() {
    const found = {};
    for (const [broker, { account_details: accounts = [] }] of Object.entries(await this.brokers())) {
      for (const { name, cluster, config } of accounts.flatMap((account) => account.stream_detail ?? [])) {
        if (cluster.leader !== broker) continue;
        const current = (cluster.replicas ?? []).filter((replica) => replica.current && !replica.offline).length + 1;
        found[name] = { leader: broker, copies: config.num_replicas, current };
      }
    }
    return found;
  }

  /** Waits until every stream has a leader, and all its copies are current. */
  replicated() {
    return until('every stream has three copies', async () => {
      const streams = await this.streams();
      const all = Object.values(streams);
      if (all.length < 4 || !all.every(({ copies, current }) => copies === 3 && current === 3)) throw new Error(JSON.stringify(streams));
      return streams;
    }, { timeout: 180_000, every: 500 });
  }

  /** The rows of a query as JSON. */
  async sql(query) {
    const { stdout } = await this.docker('exec', await this.container('db'), 'psql', '-XAtU', 'postgres', 'scrutin', '-c',
      `SELECT coalesce(json_agg(q), '[]') FROM (${query}) q`);
    return JSON.parse(stdout);
  }

  /** The rows and books of a poll, in the form that the verdict needs. */
  async books(poll) {
    const of = (table) => `FROM ${table} t JOIN polls ON polls.key = t.poll WHERE polls.id = '${poll}'`;
    const ballots = await this.sql(`SELECT voter::text, precedence::text, choices ${of('ballots')}`);
    const tally = await this.sql(`SELECT choice, sum(n) AS n ${of('tally')} GROUP BY choice`);
    const [ledger] = await this.sql(`SELECT sum(received) AS received, sum(counted) AS counted, sum(superseded) AS superseded,
      sum(rejected) AS rejected ${of('ledger')}`);
    return {
      rows: new Map(ballots.map((row) => [row.voter, { choices: row.choices, precedence: BigInt(row.precedence) }])),
      books: { ...ledger, tally: new Map(tally.map((row) => [row.choice, row.n])) },
    };
  }

  /** Runs the service `audit` once and gives its final state and its output. */
  async audit() {
    const service = `${this.name}_audit`;
    await this.docker('service scale --detach', `${service}=1`);
    const state = await until('the audit has ended', async () => {
      const [task] = await this.lines('service ps --format', '{{.CurrentState}} {{.Error}}', service);
      return /^(Complete|Failed|Rejected)/.test(task) && task;
    }, { timeout: 60_000, every: 250 });
    const out = await until('the audit is in the log', async () => {
      const log = await this.logs('audit');
      return /All is well|discrepanc|could not check/.test(log) && log;
    });
    await this.docker('service scale --detach', `${service}=0`);
    return { state, out };
  }

  /** Removes the stack and waits until the node has none of its objects. */
  async remove() {
    await this.docker('stack rm', this.name);
    await until('nothing is left', async () => {
      const left = (await Promise.all(['ps -aq', 'network ls -q', 'service ls -q', 'secret ls -q', 'config ls -q']
        .map((command) => this.owned(command)))).flat();
      if (left.length > 0) throw new Error(left.join(' '));
      return true;
    }, { timeout: 180_000, every: 250 });
  }
}

/** Waits until everything in the stream is applied. `origin` is the result page. */
export function applied(origin, poll) {
  return until('everything is applied', async () => {
    const { json } = await request(origin, { path: `/v1/polls/${poll}/results` });
    if (json.ledger?.pending !== 0) throw new Error(JSON.stringify(json.ledger));
    return json.ledger;
  }, { timeout: 120_000, every: 250 });
}
