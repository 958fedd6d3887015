// What each user of the broker, of the machine and of the database may do, and that nobody may do more.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Instance } from '../lib/instance.js';
import { RawNats } from '../lib/raw_nats.js';
import { requestJson } from '../lib/http.js';
import { until } from '../lib/wait.js';

let instance;
before(async () => {
  instance = await Instance.start({ workers: 1 });
  instance.provokesViolations = true;
});
after(() => instance?.stop());

// --- the broker

const STREAMS = ['BALLOTS', 'DEAD_LETTERS', 'KV_polls', 'KV_codes'];
const ofStream = (stream) => [
  ...['INFO', 'CREATE', 'UPDATE', 'DELETE', 'PURGE', 'SNAPSHOT', 'RESTORE', 'MSG.GET', 'MSG.DELETE', 'LEADER.STEPDOWN', 'PEER.REMOVE']
    .map((what) => `$JS.API.STREAM.${what}.${stream}`),
  ...['CREATE', 'NAMES', 'LIST'].map((what) => `$JS.API.CONSUMER.${what}.${stream}`),
  ...['CREATE', 'DURABLE.CREATE', 'DELETE', 'INFO', 'MSG.NEXT', 'PAUSE', 'UNPIN', 'LEADER.STEPDOWN']
    .flatMap((what) => [`$JS.API.CONSUMER.${what}.${stream}.workers`, `$JS.API.CONSUMER.${what}.${stream}.other`]),
  `$JS.API.CONSUMER.CREATE.${stream}.workers.ballots.batch`, `$JS.API.CONSUMER.CREATE.${stream}.other.ballots.batch`,
  `$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.ballots.batch`, `$JS.FC.${stream}.workers.1`,
  `$JS.ACK.${stream}.workers.1.1.1.1.1`, `$JS.ACK.${stream}.other.1.1.1.1.1`, `$JS.ACK._.hash.${stream}.workers.1.1.1.1.1.x`,
];
const PUBLISHED = [...STREAMS.flatMap(ofStream), '$JS.API.INFO', '$JS.API.STREAM.NAMES', '$JS.API.STREAM.LIST', '$JS.API.ACCOUNT.PURGE.$G',
  '$JS.API.META.LEADER.STEPDOWN', '$JS.API.SERVER.REMOVE', '$SYS.REQ.SERVER.PING', '$SYS.REQ.ACCOUNT.$G.INFO', '$SYS.ACCOUNT.$G.x',
  '$JS.API.DIRECT.GET.KV_polls.$KV.polls.none', '$JS.API.DIRECT.GET.KV_codes.$KV.codes.none.1.1',
  'ballots.batch', 'ballots.fence', 'ballots.other', 'dead.ballots', 'dead.other', 'tally.changed', 'tally.other', 'stored.batch',
  'deliver.workers.1', '$KV.polls.none', '$KV.polls.none.more', '$KV.codes.none', '$KV.codes.none.1.1', '$KV.other.none',
  '_INBOX.vote-api.x', '_INBOX.worker.x', '_INBOX.result-api.x', '_INBOX.setup.x', '_INBOX.audit.x', '_INBOX.x', 'anything'];
const LISTENED = ['>', '*.>', '_INBOX.>', '_INBOX.*', '_INBOX.*.x', '_INBOX.x', ...['vote-api', 'worker', 'result-api', 'setup', 'audit', 'operator']
  .map((user) => `_INBOX.${user}.>`), '$JS.>', '$JS.API.>', '$JS.ACK.>', '$JS.EVENT.>', '$SYS.>', '$KV.>', '$KV.polls.>', '$KV.codes.>', 'ballots.>',
'ballots.batch', 'dead.>', 'tally.changed', 'tally.>', 'stored.>', 'deliver.>', 'deliver.workers.>', 'deliver.workers.1', 'deliver.workers.1 others',
'deliver.workers.1 workers'];

const bucketOf = (...streams) => streams.flatMap((stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.CONSUMER.CREATE.${stream}`]);
const pollReader = ['$JS.API.STREAM.MSG.GET.KV_polls', '$JS.API.DIRECT.GET.KV_polls.$KV.polls.none'];
const set = (stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.CREATE.${stream}`];
/** All that each user may do of these. */
const MAY = {
  'vote-api': {
    publish: ['ballots.batch', 'ballots.fence', '$JS.API.STREAM.INFO.BALLOTS', '$KV.polls.none', '$KV.codes.none.1.1', '$JS.API.STREAM.PURGE.KV_codes',
      ...bucketOf('KV_polls', 'KV_codes'), ...pollReader],
    listen: ['_INBOX.vote-api.>'],
  },
  worker: {
    publish: ['dead.ballots', 'tally.changed', '$JS.ACK.BALLOTS.workers.1.1.1.1.1', '$JS.API.STREAM.INFO.BALLOTS', '$JS.API.STREAM.MSG.GET.BALLOTS',
      '$JS.API.CONSUMER.INFO.BALLOTS.workers', '$JS.API.CONSUMER.CREATE.BALLOTS.workers', '$KV.polls.none', '$KV.codes.none.1.1',
      '$JS.API.STREAM.PURGE.KV_polls', // polls that nobody voted in, a day after their deletion
      ...bucketOf('KV_polls', 'KV_codes'), ...pollReader],
    listen: ['_INBOX.worker.>', 'deliver.workers.1 workers'],
  },
  'result-api': {
    publish: ['$JS.API.STREAM.INFO.BALLOTS', '$JS.API.STREAM.MSG.GET.BALLOTS', '$JS.API.CONSUMER.CREATE.KV_polls'],
    listen: ['_INBOX.result-api.>', 'tally.changed', 'stored.>'],
  },
  'scrutin-setup': {
    publish: [...STREAMS.flatMap(set), '$JS.API.STREAM.UPDATE.BALLOTS', '$JS.API.STREAM.UPDATE.DEAD_LETTERS',
      '$JS.API.CONSUMER.INFO.BALLOTS.workers', '$JS.API.CONSUMER.CREATE.BALLOTS.workers'],
    listen: ['_INBOX.setup.>'],
  },
  'scrutin-audit': {
    publish: ['$JS.API.STREAM.INFO.BALLOTS', '$JS.API.STREAM.MSG.GET.BALLOTS', '$JS.API.CONSUMER.INFO.BALLOTS.workers'],
    listen: ['_INBOX.audit.>', 'stored.>'],
  },
};

for (const [program, may] of Object.entries(MAY)) {
  test(`the broker's user of ${program}: what it may publish and hear, and nothing else`, async () => {
    const client = await RawNats.connect(instance.brokerUrl(program));
    try {
      const published = [], listened = [];
      for (const subject of PUBLISHED) if (await client.mayPublish(subject)) published.push(subject);
      for (const subject of LISTENED) if (await client.maySubscribe(...subject.split(' '))) listened.push(subject);
      assert.deepEqual(published.sort(), [...may.publish].sort());
      assert.deepEqual(listened.sort(), [...may.listen].sort());
    } finally {
      client.close();
    }
  });
}

test('nobody is let in without a password, or with that of another user', async () => {
  const url = new URL(instance.brokerUrl('vote-api'));
  for (const [user, password] of [['', ''], ['vote-api', ''], ['vote-api', 'x'], ['worker', url.password], ['operator', url.password], ['admin', 'admin'], ['nobody', '']]) {
    const other = new URL(url);
    [other.username, other.password] = [user, password];
    await assert.rejects(RawNats.connect(other.href), /Authorization Violation/, `${user}:${password}`);
  }
});

test('a user who may make a consumer of a bucket cannot have its messages taken for ballots', async () => {
  const jsm = await instance.jsm();
  const { config } = await jsm.consumers.info('BALLOTS', 'workers');
  const dead = async () => (await jsm.streams.info('DEAD_LETTERS')).state.messages;
  const poll = await instance.createPoll({ n: 2 });
  await until('the worker knows the poll', async () => (await instance.sql('SELECT 1 FROM polls WHERE id = $1', [poll.id])).length === 1);
  await instance.settle();
  const before = await dead();
  const [{ n }] = await instance.sql('SELECT count(*)::int AS n FROM applied_batches');
  const thief = await RawNats.connect(instance.brokerUrl('result-api'));
  try {
    const answer = await thief.ask('$JS.API.CONSUMER.CREATE.KV_polls', { stream_name: 'KV_polls', config: { deliver_subject: config.deliver_subject,
      deliver_group: 'workers', deliver_policy: 'all', ack_policy: 'none', mem_storage: true } });
    assert.equal(answer.error, undefined, JSON.stringify(answer));
    await until('the broker has delivered them', async () => (await jsm.consumers.info('KV_polls', answer.name)).delivered.consumer_seq > 0);
    const vote = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: ['o1'] }); // behind them on the worker's connection
    assert.equal(vote.status, 202, vote.text);
    await instance.settle();
    assert.deepEqual([...(await instance.books(poll.id)).books.tally], [['o1', 1]]);
    assert.equal(await dead(), before, 'none of them is a dead letter of BALLOTS');
    assert.equal((await instance.sql('SELECT count(*)::int AS n FROM applied_batches'))[0].n, n + 1);
  } finally {
    thief.close();
  }
});

// --- the machine

const isRoot = process.getuid() === 0;
const asRoot = { skip: isRoot ? false : 'only root can start programs as other users' };
/** Runs a command as a user of the machine. */
const as = (user, ...command) => spawnSync('runuser', ['-u', user, '--', ...command], { cwd: '/', encoding: 'utf8' });
const OWNERS = { postgres: 'postgres', nats: 'scrutin-nats', 'vote-api': 'scrutin-vote', 'worker:worker_0': 'scrutin-worker', 'result-api': 'scrutin-result' };
/** What each user reads of the state folder beside what all may read. */
const READS = {
  nobody: [], 'scrutin-web': [],
  'scrutin-vote': ['etc/vote-api/api-keys', 'etc/vote-api/nats-url', 'etc/vote-api/secret-keys'],
  'scrutin-worker': ['etc/worker/nats-url'],
  'scrutin-result': ['etc/result-api/nats-url', 'etc/result-api/secret-keys'],
  'scrutin-nats': ['etc/nats/nats.conf', 'etc/nats/passwords', 'etc/nats/users.conf'],
};
const FOR_ALL = /^(bin|pages)\/|^(postgresql|pg_hba|pg_ident)\.conf$/;

test('each program runs as a user of its own; as root only what starts them', asRoot, async () => {
  const owner = (pid) => spawnSync('ps', ['-o', 'user:32=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  for (const [program, user] of Object.entries(OWNERS)) assert.equal(owner(await instance.pid(program)), user, program);
  for (const page of ['vote-ui', 'result-ui']) {
    const children = spawnSync('pgrep', ['-P', String(await instance.pid(page))], { encoding: 'utf8' }).stdout.trim().split('\n');
    assert.ok(children.length > 0);
    for (const pid of children) assert.equal(owner(pid), 'scrutin-web', page);
  }
});

/** Every secret of the instance. */
const secrets = () => [...readFileSync(join(instance.realStateDir, 'nats-passwords'), 'utf8').matchAll(/"(\w+)"/g)].map((match) => match[1])
  .concat(instance.apiKey, instance.secretKeys.replace(/^.*:/, ''));

test('secrets stand on no command line', async () => {
  assert.equal(secrets().length, 8);
  const lines = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return ''; // it has ended
    }
  });
  for (const secret of secrets()) assert.ok(!lines.some((line) => line.includes(secret)));
});

/** Those of the state folder's files, or of all that is in it, that a user may read (-r) or write (-w). */
function reachable(user, what, ...kind) {
  const all = spawnSync('find', [instance.realStateDir, ...kind], { encoding: 'utf8', maxBuffer: 1e8 }).stdout;
  const filter = `while IFS= read -r file; do [ ${what} "$file" ] && echo "$file"; done; true`;
  const { stdout, status, stderr } = spawnSync('runuser', ['-u', user, '--', 'sh', '-c', filter], { cwd: '/', encoding: 'utf8', input: all, maxBuffer: 1e8 });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter(Boolean).map((file) => file.slice(instance.realStateDir.length + 1)).sort();
}

for (const [user, files] of Object.entries(READS)) {
  test(`${user} reads of the state folder only what is its own, and writes nothing that another one reads`, asRoot, () => {
    const read = reachable(user, '-r', '-type', 'f').filter((file) => !FOR_ALL.test(file) && !(user === 'scrutin-nats' && file.startsWith('nats/')));
    assert.deepEqual(read, files);
    const own = { 'scrutin-nats': /^nats(\/|$)/, 'scrutin-web': /^(vote|result)-ui\/(body|proxy|fastcgi|uwsgi|scgi)(\/|$)|^run\/(vote|result)-ui\/\w+\.sock$/,
      'scrutin-worker': /^run\/pg\/\.s/, 'scrutin-result': /^run\/pg\/\.s/ }[user] ?? /^$/;
    assert.deepEqual(reachable(user, '-w', '-not', '-type', 'l').filter((file) => !own.test(file)), []);
  });
}

test('the database lets each user in as its own role alone', asRoot, () => {
  const roles = ['postgres', 'scrutin_worker', 'scrutin_result'];
  for (const [user, own] of Object.entries({ nobody: [], 'scrutin-nats': [], 'scrutin-vote': [], 'scrutin-web': [],
    'scrutin-worker': ['scrutin_worker'], 'scrutin-result': ['scrutin_result'], postgres: ['postgres'] })) {
    const entered = roles.filter((role) => as(user, 'psql', '-XAtqw', '-h', instance.env.PGHOST, '-U', role, '-d', instance.env.PGDATABASE, '-c', 'SELECT 1')
      .stdout.trim() === '1');
    assert.deepEqual(entered, own, user);
  }
});
