// Attacks on the pages' nginx from one address, while somebody at another address votes: event streams, half-sent heads,
// bodies that drip, idle connections, over HTTP/1.1 and HTTP/2. The limits are lowered, so that dozens are thousands.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { Instance, PATIENT } from '../lib/instance.js';
import { Page } from '../lib/page.js';
import { request } from '../lib/http.js';
import { findLeaks } from '../lib/leaks.js';
import { metricValue } from '../lib/check.js';
import { until } from '../lib/wait.js';

const [ATTACKER, HONEST, PROXY] = ['127.0.0.2', '127.0.0.3', '127.0.0.9'];
const CONNECTIONS = 80; // an address may have half of each
const BODIES = 20;
const SUBSCRIBERS = 20; // of an address
const REQUESTS = 200;
const TLS = { rejectUnauthorized: false };

let instance;
let poll;
let api;
let results; // a result-api with few subscribers
let plain;
let secure;
let choice; // what everybody here votes for: no log may have it
before(async () => {
  instance = await Instance.start({ workers: 1, env: { ...PATIENT, REQUEST_AGE_MS: '3000' } });
  choice = `secret-choice-${Math.random().toString(36).slice(2, 8)}`;
  poll = await instance.createPoll({ options: [{ id: choice, label: 'A' }, { id: 'other', label: 'B' }] });
  results = await instance.spawn('result-api', { MAX_SUBSCRIBERS: String(3 * SUBSCRIBERS), MAX_SUBSCRIBERS_PER_ADDRESS: String(SUBSCRIBERS), HEARTBEAT_MS: '1000' });
  api = { result: results.url };
  const limits = { api, PAGE_MAX_CONNECTIONS: String(CONNECTIONS), PAGE_MAX_REQUESTS: String(REQUESTS), PAGE_MAX_BODIES: String(BODIES),
    PAGE_HEAD_S: '2' };
  plain = await Page.start(instance, 'plain', { ...limits, TRUSTED_PROXIES: PROXY });
  secure = await Page.start(instance, 'secure', { ...limits, tls: true });
});
after(async () => {
  await plain?.stop();
  await secure?.stop();
  await instance?.stop();
});

const HEAD = () => `PUT /v1/polls/${poll.id}/ballot HTTP/1.1\r\nHost: page\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
/** Casts a ballot through a page, on a connection of its own. */
const vote = (page, from, headers = {}, protocol = 'HTTP/1.1') => request(page.url, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`,
  headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ selection: [choice] }),
  tls: { ...TLS, localAddress: from } }, protocol);
async function assertVotes(page, from, headers) {
  for (const protocol of page === secure ? ['HTTP/1.1', 'HTTP/2'] : ['HTTP/1.1']) {
    const answer = await vote(page, from, headers, protocol);
    assert.equal(answer.status, 202, `${from}, ${protocol}: ${answer.status ?? answer.reset} ${answer.text}`);
  }
}

/** Connections of one address that say something and then wait. Each has `closed`, and `text`, what it was answered. */
class Crowd {
  constructor(page, from) {
    this.page = page;
    this.from = from;
    this.all = [];
  }

  async open(n, say = '') {
    const options = { host: '127.0.0.1', port: this.page.port, localAddress: this.from };
    await Promise.all(Array.from({ length: n }, () => new Promise((done) => {
      const socket = this.page === secure ? tls.connect({ ...options, ...TLS }) : net.connect(options);
      const one = { socket, closed: false, text: '' };
      this.all.push(one);
      socket.on(this.page === secure ? 'secureConnect' : 'connect', () => {
        if (say) socket.write(say);
        done();
      });
      socket.setEncoding('utf8').on('data', (text) => { one.text += text; }).on('error', () => {}).on('end', () => socket.destroy());
      socket.on('close', () => {
        one.closed = true;
        done();
      });
    })));
    return this;
  }

  write(text) {
    for (const { socket, closed } of this.all) if (!closed) socket.write(text);
  }

  get left() {
    return this.all.filter(({ closed }) => !closed).length;
  }

  close() {
    for (const { socket } of this.all) socket.destroy();
  }
}

/** Event streams of one address: on connections of their own, or all on one of HTTP/2. Gives how often each status came. */
async function follow(page, n, { from, headers = {}, session }) {
  const path = `/v1/polls/${poll.id}/results/stream`;
  const answers = await Promise.all(Array.from({ length: n }, () => new Promise((done) => {
    if (session) {
      const stream = session.request({ ':path': path });
      stream.on('error', () => {}).on('response', (head) => {
        let text = '';
        stream.setEncoding('utf8').on('data', (part) => { text += part; });
        if (head[':status'] === 200) done({ status: 200, close: () => stream.close() });
        else stream.on('end', () => done({ status: head[':status'], headers: head, text }));
      });
      return;
    }
    const lines = Object.entries({ host: 'page', accept: 'text/event-stream', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = net.connect({ host: '127.0.0.1', port: page.port, localAddress: from });
    let text = '';
    socket.on('error', () => {}).setEncoding('utf8').on('data', (part) => {
      text += part;
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
      if (/\r\n\r\n/.test(text)) done({ status, text, close: () => socket.destroy() });
    });
    socket.on('close', () => done({ status: 'closed' }));
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  })));
  const counts = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return { counts, refusal: answers.find(({ status }) => status === 429), close: () => answers.forEach((each) => each.close?.()) };
}
const subscribers = async () => metricValue((await request(results.url, { path: '/metrics' })).text, 'result_subscribers');
const nobodyFollows = () => until('all have left', async () => (await subscribers()) === 0);

test('event streams: one address gets half of them, others follow and everybody votes', async () => {
  const flood = await follow(plain, SUBSCRIBERS + 10, { from: ATTACKER });
  assert.deepEqual(flood.counts, { 200: SUBSCRIBERS, 429: 10 });
  assert.match(flood.refusal.text, /^retry-after: [1-9]/mi);
  assert.match(flood.refusal.text, /application\/problem\+json[\s\S]*\/problems\/too-many-requests/);
  const honest = await follow(plain, 1, { from: HONEST });
  assert.deepEqual(honest.counts, { 200: 1 });
  await assertVotes(plain, HONEST);
  await assertVotes(plain, ATTACKER); // somebody else who has the same address
  flood.close();
  honest.close();
  await nobodyFollows();
  const again = await follow(plain, SUBSCRIBERS, { from: ATTACKER });
  assert.deepEqual(again.counts, { 200: SUBSCRIBERS }, 'those who left take no room');
  again.close();
  await nobodyFollows();
});

test('event streams on one HTTP/2 connection are counted one by one', async () => {
  const session = http2.connect(secure.url, { ...TLS, localAddress: ATTACKER });
  try {
    const flood = await follow(secure, SUBSCRIBERS + 10, { session });
    assert.deepEqual(flood.counts, { 200: SUBSCRIBERS, 429: 10 });
    assert.ok(Number(flood.refusal.headers['retry-after']) > 0);
    await assertVotes(secure, HONEST);
    await assertVotes(secure, ATTACKER);
  } finally {
    session.destroy();
  }
  await nobodyFollows();
});

test('behind a proxy that is trusted, everybody is counted by the address that it names, IPv6 by /64', async () => {
  const forwarded = (address) => ({ from: PROXY, headers: { 'x-forwarded-for': address } });
  const floods = [];
  const follows = async (n, how, counts) => {
    floods.push(await follow(plain, n, how));
    assert.deepEqual(floods.at(-1).counts, counts, JSON.stringify(how));
  };
  await follows(SUBSCRIBERS / 2, forwarded('2001:db8::1'), { 200: SUBSCRIBERS / 2 });
  await follows(SUBSCRIBERS / 2, forwarded('2001:db8:0:0:ffff::2'), { 200: SUBSCRIBERS / 2 });
  await follows(1, forwarded('2001:0db8:0::3'), { 429: 1 });
  // Another /64 of the same customer gets half as much again, and no more.
  await follows(SUBSCRIBERS, forwarded('2001:db8:0:1::1'), { 200: SUBSCRIBERS / 2, 429: SUBSCRIBERS / 2 });
  await follows(1, forwarded('2001:db8:1::1'), { 200: 1 });
  await follows(1, forwarded('::ffff:198.51.100.7'), { 200: 1 });
  await follows(1, { from: ATTACKER, headers: { 'x-forwarded-for': '2001:db8::1' } }, { 200: 1 }); // its word counts for nothing
  floods.forEach((flood) => flood.close());
  await nobodyFollows();
  // nginx counts in the same way: here requests with a body.
  const head = (address) => HEAD().replace('\r\n', `\r\nX-Forwarded-For: ${address}\r\n`);
  const bodies = new Crowd(plain, PROXY);
  await bodies.open(BODIES / 4, head('2001:db8::1'));
  await bodies.open(BODIES / 4, head('2001:db8:0:0:ffff::2'));
  await until('another one of the /64 is refused', async () => (await vote(plain, PROXY, { 'x-forwarded-for': '2001:0db8::3' })).status === 429);
  await assertVotes(plain, PROXY, { 'x-forwarded-for': '2001:db8:0:1::1' });
  await bodies.open(BODIES / 4, head('2001:db8:0:1::1'));
  await until('another /64 of the /48 is refused', async () => (await vote(plain, PROXY, { 'x-forwarded-for': '2001:db8:0:2::1' })).status === 429);
  await assertVotes(plain, PROXY, { 'x-forwarded-for': '2001:db8:1::1' });
  bodies.close();
  // More connections than an address may have: they are everybody's.
  const crowd = await new Crowd(plain, PROXY).open(CONNECTIONS / 2 + 10);
  await assertVotes(plain, PROXY, { 'x-forwarded-for': '198.51.100.9' });
  assert.equal(crowd.left, CONNECTIONS / 2 + 10);
  crowd.close();
});

/** Opens as many as an address may have, and again those that were closed meanwhile, until one more is refused. */
const refused = (crowd, say) => until('one more is refused', async () => {
  await crowd.open(CONNECTIONS / 2 - crowd.left, say);
  return (await vote(crowd.page, crowd.from)).status === undefined;
});

for (const [name, page] of [['HTTP/1.1', () => plain], ['TLS', () => secure]]) {
  test(`half-sent heads over ${name}: one address gets half of the connections, and for seconds`, async () => {
    const crowd = new Crowd(page(), ATTACKER);
    try {
      await refused(crowd, 'GET / HTTP/1.1\r\nHost: page\r\nX-Long: ');
      await assertVotes(page(), HONEST);
      // A head that drips is no better than one that stands still.
      await until('all are cut', () => crowd.write('x') || crowd.left === 0, { every: 100 });
      await until('the address has room again', async () => (await vote(page(), ATTACKER)).status === 202);
    } finally {
      crowd.close();
    }
  });
}

test('idle connections: one address gets half of them', async () => {
  const crowd = new Crowd(plain, ATTACKER);
  try {
    await refused(crowd, 'GET /site.json HTTP/1.1\r\nHost: page\r\n\r\n');
    await until('each that is kept was answered', () => crowd.all.every(({ closed, text }) => closed || text.includes('200 OK')));
    assert.ok(crowd.left > 0);
    await assertVotes(plain, HONEST);
  } finally {
    crowd.close();
  }
});

async function dripOnConnections() {
  const crowd = await new Crowd(plain, ATTACKER).open(BODIES / 2, HEAD());
  try {
    const refused = await until('one more is refused', async () => {
      const answer = await vote(plain, ATTACKER);
      return answer.status === 429 && answer;
    });
    assert.equal(refused.headers['content-type'], 'application/problem+json');
    assert.equal(refused.json.type, '/problems/too-many-requests');
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.equal((await request(plain.url, { path: `/v1/polls/${poll.id}`, tls: { localAddress: ATTACKER } })).status, 200, 'reading goes on');
    await assertVotes(plain, HONEST);
    await until('all are cut', () => crowd.write(' ') || crowd.all.every(({ closed, text }) => closed || text !== ''), { every: 100 });
    await until('the address has room again', async () => (await vote(plain, ATTACKER)).status === 202);
  } finally {
    crowd.close();
  }
}

async function dripOnStreams() {
  const session = http2.connect(secure.url, { ...TLS, localAddress: ATTACKER });
  const statuses = [];
  const streams = Array.from({ length: BODIES / 2 + 5 }, () => {
    const stream = session.request({ ':method': 'PUT', ':path': `/v1/polls/${poll.id}/ballot`, 'content-type': 'application/json' });
    stream.on('error', () => {}).on('response', (head) => statuses.push(head[':status'])).resume();
    stream.write('{');
    return stream;
  });
  session.on('error', () => {});
  try {
    await until('those over the limit are refused', () => statuses.filter((status) => status === 429).length === 5);
    await assertVotes(secure, HONEST);
    await until('the others are cut', () => {
      for (const stream of streams) if (!stream.closed && !stream.destroyed) stream.write(' ');
      return session.destroyed || statuses.length === streams.length;
    }, { every: 100 });
    await until('the address has room again', async () => (await vote(secure, ATTACKER)).status === 202);
  } finally {
    session.destroy();
  }
}

test('bodies that drip, on connections or on one of HTTP/2: one address gets half of them, and each is cut in the end', () =>
  Promise.all([dripOnConnections(), dripOnStreams()]));

/** Sends bytes that are no good request, and waits until the page ends the connection. */
const sayTo = (page, bytes) => new Promise((done) => {
  const socket = net.connect({ host: '127.0.0.1', port: page.port, localAddress: ATTACKER });
  socket.on('connect', () => socket.end(bytes)).on('error', () => {}).on('close', done).resume();
});
const linesWith = (text, pattern) => text.split('\n').filter((line) => pattern.test(line)).length;

test('what goes wrong is in the logs, and never who it happened to, with which receipt or which choice', async () => {
  const cast = await vote(plain, ATTACKER);
  assert.equal((await vote(plain, HONEST)).status, 202);
  const headers = { cookie: cast.headers['set-cookie'][0].split(';')[0], referer: `http://page/p/${poll.id}?receipt=${cast.json.receipt}` };
  const read = (page) => ['HTTP/1.1', ...(page === secure ? ['HTTP/2'] : [])].flatMap((protocol) => [`/v1/receipts/${cast.json.receipt}`,
    `/v1/polls/${poll.id}/results?receipt=${cast.json.receipt}`].map((path) =>
    request(page.url, { path, headers, tls: { ...TLS, localAddress: ATTACKER } }, protocol)));

  // Both APIs away, and one that goes while it has a request.
  const nats = await instance.signal('nats', 'SIGSTOP');
  const waiting = vote(plain, ATTACKER, headers);
  await until('it waits', async () => metricValue((await request(instance.voteUrl, { path: '/metrics' })).text, 'http_requests_waiting') > 0);
  await instance.signal('vote-api', 'SIGKILL');
  process.kill(nats, 'SIGCONT');
  assert.equal((await waiting).status, 503);
  await instance.ctl('stop', 'vote-api');
  results.kill('SIGKILL');
  await results.ended;
  for (const page of [plain, secure]) {
    assert.equal((await vote(page, ATTACKER, headers)).status, 503);
    for (const answer of await Promise.all(read(page))) assert.equal(answer.status, 503);
  }
  await instance.ctl('start', 'vote-api');
  await instance.ready();

  // What is no request, or no TLS.
  const long = `GET /v1/receipts/${cast.json.receipt}?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: page\r\n\r\n`;
  const bytes = [long, `GARBAGE ${cast.json.receipt}\r\n\r\n`, `GET / HTTP/1.1\r\nHost: page\r\nBad Header: ${headers.cookie}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: page\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]), '\0\0'];
  for (const page of [plain, secure]) await Promise.all(bytes.map((each) => sayTo(page, each)));
  assert.equal((await request(plain.url, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`, body: JSON.stringify({ selection: [choice], x: 'x'.repeat(9000) }),
    headers: { ...headers, 'content-type': 'application/json' }, tls: { localAddress: ATTACKER } })).status, 413);

  // Errors of the database with rows and parameters in them, and a deadlock.
  await instance.settle();
  await assert.rejects(instance.sql('UPDATE ballots SET choices = NULL WHERE choices = $1', [choice]), /null value/);
  await assert.rejects(instance.sql(`SELECT 1 / (choices <> '${choice}')::int FROM ballots`), /division by zero/);
  await deadlock();

  // Something that the broker does not take.
  const { hostname, port, username, password } = new URL(instance.env.NATS_URL);
  await new Promise((done) => {
    const socket = net.connect(port, hostname).on('error', () => {}).on('close', done);
    socket.resume().write(`CONNECT ${JSON.stringify({ verbose: false, ...(username && { user: username, pass: password }) })}\r\nPUB ballots.${choice} 2000000\r\n${cast.json.receipt}`);
  });

  assert.ok(linesWith(plain.log(), /"request failed".*"status":503/) >= 3, plain.log());
  assert.ok(linesWith(secure.log(), /"request failed".*"status":503/) >= 5, secure.log());
  assert.ok(linesWith(instance.log('postgres'), /ERROR: .*(null value|division by zero|deadlock)/) >= 3);
  assert.ok(linesWith(instance.log('nats'), /[Mm]aximum [Pp]ayload/) >= 1);
  assert.deepEqual(instance.leaks(), []);
  for (const page of [plain, secure]) assert.deepEqual(findLeaks(page.logFile, page.log()), []);
});

/** Two transactions that wait for each other's ballot. */
async function deadlock() {
  const rows = await instance.sql('SELECT ctid::text AS at FROM ballots LIMIT 2');
  const clients = await Promise.all(rows.map(() => instance.db.connect()));
  const touch = (client, { at }) => client.query('UPDATE ballots SET choices = choices WHERE ctid = $1::tid', [at]);
  try {
    await Promise.all(clients.map((client) => client.query('BEGIN')));
    await touch(clients[0], rows[0]);
    await touch(clients[1], rows[1]);
    const ends = await Promise.allSettled([touch(clients[0], rows[1]), touch(clients[1], rows[0]).finally(() => clients[1].query('ROLLBACK'))]);
    assert.ok(ends.some(({ reason }) => reason?.code === '40P01'), JSON.stringify(ends));
  } finally {
    await Promise.allSettled(clients.map((client) => client.query('ROLLBACK')));
    clients.forEach((client) => client.release());
  }
}
