// Attacks on the HTTP server while an honest client votes. The server cuts each attacker and counts the right reason. It
// acknowledges every honest ballot in time. The memory of vote-api stays below twice its idle size.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { metricValue } from '../lib/check.js';
import * as h2 from '../lib/frames.js';
import { RawConnection, block, field, frame } from '../lib/frames.js';
import { Instance, IS_SANITIZED, freePorts, programPath, runProgram, startProgram } from '../lib/instance.js';
import { request } from '../lib/http.js';
import { until, within } from '../lib/wait.js';

const VOTE = JSON.stringify({ selection: ['o1'] });
const REQUEST_AGE_MS = 4000;
const SLOWEST_MS = 10_000; // for one honest ballot; on an idle machine it takes a hundredth of that
const MEMORY_RATIO = 2;
const PATIENCE_MS = 30_000; // for events without a limit of time

let instance;
let poll;
let pid;
let idleKb;
let honest;

/** A figure of /proc/PID/status in kB. */
function memory(name, of = pid) {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${of}/status`, 'utf8'))[1]);
}

/** Casts one ballot after the other over one HTTP/2 connection, during all attacks. */
class HonestVoter {
  constructor(url, path) {
    this.session = http2.connect(url);
    this.session.on('error', (error) => { this.error = error; });
    this.path = path;
    this.votes = 0;
    this.slowest = 0;
    this.failures = [];
    this.running = this.run();
  }

  once() {
    return new Promise((resolve) => {
      const stream = this.session.request({ ':method': 'PUT', ':path': this.path, 'content-type': 'application/json' });
      let status;
      stream.on('response', (headers) => { status = headers[':status']; });
      stream.on('error', (error) => resolve(error.message));
      stream.on('close', () => resolve(status));
      stream.resume();
      stream.end(VOTE);
    });
  }

  async run() {
    while (!this.stopping) {
      const began = performance.now();
      const status = await this.once();
      this.slowest = Math.max(this.slowest, performance.now() - began);
      this.votes++;
      if (status !== 202) this.failures.push(status);
      await pause(5);
    }
  }

  async stop() {
    this.stopping = true;
    await this.running;
    this.session.destroy();
  }
}

before(async () => {
  // A busy disk may delay the broker. This is not tested here.
  instance = await Instance.start({ workers: 1, env: { REQUEST_AGE_MS: String(REQUEST_AGE_MS), ACK_TIMEOUT_MS: '3000' } });
  poll = await instance.createPoll({ n: 5 });
  pid = await instance.pid('vote-api');
  idleKb = memory('VmRSS');
  honest = new HonestVoter(instance.voteUrl, `/v1/polls/${poll.id}/ballot`);
  await until('the first ballots are in', () => honest.votes > 10);
});
after(async () => {
  await honest?.stop();
  await instance?.stop();
});

const ballotPath = () => `/v1/polls/${poll.id}/ballot`;
const JSON_TYPE = { 'content-type': 'application/json' };
const GET = block('GET', '/v1/polls');
const streamId = (i) => 2 * i + 1;

async function cuts(reason, url = instance.voteUrl) {
  return metricValue((await request(url, { path: '/metrics' })).text, `http_connections_cut_total{reason="${reason}"}`);
}

/** Runs one attack. The server must cut it for this reason. The honest client and the memory must stay within their limits. */
async function attack(reason, body, { settings } = {}) {
  const before = await cuts(reason);
  const votes = honest.votes;
  const connection = new RawConnection(instance.voteUrl, settings);
  await body(connection);
  await within(PATIENCE_MS, 'the connection is cut', connection.closed);
  await until('the cut is counted', async () => (await cuts(reason)) > before);
  await until('the honest client voted meanwhile', () => honest.votes > votes);
  check();
  return connection;
}

/** Checks what must hold after every attack. VmHWM is the peak, so no moment is missed. */
function check() {
  assert.deepEqual(honest.failures, []);
  assert.equal(honest.error, undefined);
  assert.ok(honest.slowest < SLOWEST_MS, `an honest ballot took ${honest.slowest.toFixed()} ms`);
  const peak = memory('VmHWM');
  if (!IS_SANITIZED) assert.ok(peak < MEMORY_RATIO * idleKb, `${peak} kB, idle ${idleKb} kB`);
}

// --- requests that are reset

const N = 5000;
const ballotHead = () => block('PUT', ballotPath(), JSON_TYPE);
const RESETS = {
  'RST_STREAM behind a question': (i) => [frame(h2.HEADERS, 5, streamId(i), GET), frame(h2.RST_STREAM, 0, streamId(i), h2.uint32(8))],
  'RST_STREAM behind a HEAD': (i) => [frame(h2.HEADERS, 5, streamId(i), block('HEAD', '/v1/polls')),
    frame(h2.RST_STREAM, 0, streamId(i), h2.uint32(8))],
  'RST_STREAM behind a ballot': (i) => [frame(h2.HEADERS, h2.END_HEADERS, streamId(i), ballotHead()),
    frame(h2.DATA, h2.END_STREAM, streamId(i), Buffer.from(VOTE)), frame(h2.RST_STREAM, 0, streamId(i), h2.uint32(8))],
  'RST_STREAM before the body': (i) => [frame(h2.HEADERS, h2.END_HEADERS, streamId(i), ballotHead()),
    frame(h2.RST_STREAM, 0, streamId(i), h2.uint32(8))],
  'WINDOW_UPDATE of 0': (i) => [frame(h2.HEADERS, 5, streamId(i), GET), frame(h2.WINDOW_UPDATE, 0, streamId(i), h2.uint32(0))],
  'WINDOW_UPDATE that overflows': (i) => [frame(h2.HEADERS, 5, streamId(i), GET),
    frame(h2.WINDOW_UPDATE, 0, streamId(i), h2.uint32(0x7fffffff))],
  'DATA behind the end of the stream': (i) => [frame(h2.HEADERS, 5, streamId(i), GET), frame(h2.DATA, 0, streamId(i), Buffer.from('x'))],
  'a body that is not as long as was said': (i) => [
    frame(h2.HEADERS, h2.END_HEADERS, streamId(i), block('PUT', ballotPath(), { ...JSON_TYPE, 'content-length': 99 })),
    frame(h2.DATA, h2.END_STREAM, streamId(i), Buffer.from(VOTE))],
  'requests without a path': (i) => [frame(h2.HEADERS, 5, streamId(i), field(':method', 'GET'))],
};
for (const [name, make] of Object.entries(RESETS)) {
  test(`resets: ${name}`, async () => {
    const answered = async () => metricValue((await request(instance.voteUrl, { path: '/metrics' })).text, 'http_requests_total{code="2xx"}');
    const before = await answered();
    const votes = honest.votes;
    await attack('resets', (connection) => connection.flood(N, (i) => Buffer.concat(make(i)), { piece: N }));
    const handled = (await answered()) - before - (honest.votes - votes);
    assert.ok(handled < 300, `${handled} requests were handled of ${N}`);
  });
}

test('few resets: the connection stays open', async () => {
  const connection = new RawConnection(instance.voteUrl);
  for (let i = 0; i < 100; i++) await connection.send(...RESETS['RST_STREAM behind a ballot'](i));
  await connection.send(frame(h2.HEADERS, 5, streamId(100), GET));
  await until('the next question is answered', () => connection.ended.has(streamId(100)));
  connection.end();
});

test('many requests on one connection, each answered: the connection stays open', async () => {
  const connection = new RawConnection(instance.voteUrl);
  await connection.send(frame(h2.WINDOW_UPDATE, 0, 0, h2.uint32(0x7fff0000 - 65535)));
  for (let i = 0; i < 1000; i += 50) {
    await connection.send(...Array.from({ length: 50 }, (_, j) => frame(h2.HEADERS, 5, streamId(i + j), GET)));
    await until('they are answered', () => connection.ended.has(streamId(i + 49)), { every: 1 });
  }
  assert.equal(connection.isClosed, false);
  connection.end();
});

// --- header blocks

const pseudo = block('GET', '/v1/polls');

test('headers: 12,000 references to a field of 4 KB, in one frame', async () => {
  const connection = await attack('headers', (raw) => raw.flood(100, (i) => (i === 0
    ? frame(h2.HEADERS, 5, 1, Buffer.concat([pseudo, field('x', 'v'.repeat(4000), { indexed: true })]))
    : frame(h2.HEADERS, 5, streamId(i), Buffer.concat([pseudo, Buffer.alloc(12_000, 0xbe)])))));
  if (connection.goaway) assert.equal(connection.goaway.code, 11, 'ENHANCE_YOUR_CALM');
});

test('headers: 101 fields are one too many', async () => {
  const connection = new RawConnection(instance.voteUrl);
  await connection.send(frame(h2.HEADERS, 5, 1, Buffer.concat([pseudo, ...Array.from({ length: 96 }, (_, i) => field(`x-${i}`, 'v'))])));
  await until('100 are answered', () => connection.ended.has(1));
  await connection.send(frame(h2.HEADERS, 5, 3, Buffer.concat([pseudo, ...Array.from({ length: 97 }, (_, i) => field(`x-${i}`, 'v'))])));
  await within(PATIENCE_MS, 'the connection ends', connection.closed);
  assert.deepEqual(connection.goaway, { code: 11, text: 'this connection sends too much' }, 'the words of the guard, not of libh2o');
});

// 36 MB in all. Without the guard, the server needed 3.4 GB.
test('headers: blocks of 400 KB over CONTINUATION', async () => {
  await attack('headers', (connection) => connection.flood(90, (i) => Buffer.concat([
    frame(h2.HEADERS, h2.END_STREAM, streamId(i), Buffer.concat([pseudo, field('x', 'v'.repeat(4000), { indexed: true })])),
    ...Array.from({ length: 24 }, (_, j) => frame(h2.CONTINUATION, j === 23 ? h2.END_HEADERS : 0, streamId(i), Buffer.alloc(16_000, 0xbe)))]),
  { piece: 1 }));
});

test('headers: CONTINUATION without end', async () => {
  await attack('headers', (connection) => connection.flood(10_000, (i) => (i === 0
    ? frame(h2.HEADERS, h2.END_STREAM, 1, pseudo) : frame(h2.CONTINUATION, 0, 1, Buffer.alloc(1000, 0xbe)))));
});

test('headers: trailers are limited, too', async () => {
  await attack('headers', (connection) => connection.send(frame(h2.HEADERS, h2.END_HEADERS, 1, ballotHead()),
    frame(h2.DATA, 0, 1, Buffer.from(VOTE)), frame(h2.HEADERS, 5, 1, Buffer.alloc(200, 0x82))));
});

// --- frames that are no requests

const FLOODS = {
  PING: () => frame(h2.PING, 0, 0, Buffer.alloc(8)),
  SETTINGS: () => frame(h2.SETTINGS, 0, 0, h2.setting(4, 65535)),
  PRIORITY: (i) => frame(h2.PRIORITY, 0, 1 + 2 * (i % 10), Buffer.concat([h2.uint32(0), Buffer.from([1])])),
  'RST_STREAM of closed streams': (i) => (i === 0 ? frame(h2.HEADERS, 5, 1, GET) : frame(h2.RST_STREAM, 0, 1, h2.uint32(8))),
  'empty DATA': (i) => (i === 0 ? frame(h2.HEADERS, h2.END_HEADERS, 1, ballotHead()) : frame(h2.DATA, 0, 1)),
  'empty CONTINUATION': (i) => (i === 0 ? frame(h2.HEADERS, h2.END_STREAM, 1, pseudo) : frame(h2.CONTINUATION, 0, 1)),
  'WINDOW_UPDATE of 1': () => frame(h2.WINDOW_UPDATE, 0, 0, h2.uint32(1)),
};
for (const [name, make] of Object.entries(FLOODS)) {
  test(`frames: ${name}`, async () => {
    await attack('frames', (connection) => connection.flood(100_000, make, { piece: 1000 }));
  });
}

// --- too many requests at once

test('150 streams at once: the first hundred count, the others are refused', async () => {
  const connection = new RawConnection(instance.voteUrl);
  await connection.send(...Array.from({ length: 150 }, (_, i) => frame(h2.HEADERS, h2.END_HEADERS, streamId(i), ballotHead())));
  await until('fifty are refused', () => connection.resets.size === 50);
  assert.ok([...connection.resets].every(([stream, code]) => stream > streamId(99) && code === h2.REFUSED_STREAM));
  await connection.send(...Array.from({ length: 100 }, (_, i) => frame(h2.DATA, h2.END_STREAM, streamId(i), Buffer.from(VOTE))));
  await until('a hundred are answered', () => connection.ended.size === 100);
  connection.end();
  check();
});

// --- slow bodies, and answers that nobody reads

test('slow: bodies byte by byte, unread answers', async () => {
  const before = await cuts('slow');
  const connections = [];
  // 90 bodies that come byte by byte. A complete request now and then keeps the connection from being idle.
  const dripping = new RawConnection(instance.voteUrl);
  connections.push(dripping);
  await dripping.send(...Array.from({ length: 90 }, (_, i) => frame(h2.HEADERS, h2.END_HEADERS, streamId(i), ballotHead())));
  const drip = (async () => {
    for (let i = 0; !dripping.isClosed; i++) {
      await dripping.send(frame(h2.DATA, 0, streamId(i % 90), Buffer.from(' ')), frame(h2.HEADERS, 5, streamId(100 + i), GET));
      await pause(100);
    }
  })();
  // answers with a flow-control window of 0
  const shut = new RawConnection(instance.voteUrl, h2.setting(4, 0));
  connections.push(shut);
  await shut.flood(100, (i) => frame(h2.HEADERS, 5, streamId(i), GET));
  // Nobody reads the answers from the socket. The server cuts it for that, or for the streams that it refuses then.
  const deaf = new RawConnection(instance.voteUrl, h2.setting(4, 0x7fffffff));
  connections.push(deaf);
  await deaf.send(frame(h2.WINDOW_UPDATE, 0, 0, h2.uint32(0x7fff0000 - 65535)));
  await until('the settings have come', () => deaf.received.has(h2.SETTINGS));
  deaf.socket.pause();
  const metricsBlock = block('GET', '/metrics');
  for (let i = 0; i < 3000 && !deaf.isClosed; i += 50) {
    await deaf.send(...Array.from({ length: 50 }, (_, j) => frame(h2.HEADERS, 5, streamId(i + j), metricsBlock)));
    await pause(5);
  }
  // the same over HTTP/1.1
  const { hostname, port } = new URL(instance.voteUrl);
  const old = net.connect(port, hostname);
  old.on('error', () => {});
  old.pause();
  old.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));

  await until('slow ones are cut', async () => (await cuts('slow')) >= before + 3);
  deaf.socket.resume();
  for (const connection of connections) await within(PATIENCE_MS, 'the connection ends', connection.closed);
  await drip;
  old.destroy();
  check();
});

// --- limits of connections, TLS, memory, on servers of their own

test('connections: five of one address, the sixth is closed; of its network half as many more', async () => {
  const child = await instance.spawn('vote-api', { MAX_CONNECTIONS_PER_ADDRESS: '5', TRUSTED_PROXIES: 'none' });
  // A connection of an earlier test counts until the server sees its end. It may take one of the five places.
  const open = [];
  while (open.length < 5) {
    open.push(await until('one more is open', async () => {
      const connection = new RawConnection(child.url);
      await until('it is open or closed', () => connection.received.has(h2.SETTINGS) || connection.isClosed);
      return !connection.isClosed && connection;
    }));
  }
  const sixth = new RawConnection(child.url);
  await within(PATIENCE_MS, 'the sixth is closed', sixth.closed);
  assert.equal(sixth.received.size, 0);
  const neighbours = [2, 3, 4, 5].map((n) => new RawConnection(child.url, undefined, `127.0.0.${n}`));
  await until('two of its network are open, and two are closed', () =>
    neighbours.filter((one) => one.received.has(h2.SETTINGS)).length === 2 && neighbours.filter((one) => one.isClosed).length === 2);
  const other = new RawConnection(child.url, undefined, '127.0.1.1');
  await until('another network has room', () => other.received.has(h2.SETTINGS));
  for (const connection of [open[0], other, ...neighbours]) connection.end();
  await until('there is room again', async () => (await request(child.url, { path: '/livez' })).status === 200);
  assert.ok((await cuts('address', child.url)) >= 1);
  for (const connection of open) connection.end();
});

test('connections: the limit of open files is a limit of connections; one more is closed at once', async () => {
  const port = await freePorts(1);
  const child = startProgram('/bin/sh', ['-c', 'ulimit -n 192 && exec "$0"', programPath('vote-api')],
    instance.serviceEnv('vote-api', { PORT: String(port) }));
  child.url = `http://127.0.0.1:${port}`;
  instance.children.add(child);
  await instance.ready({ urls: [child.url] });
  const sockets = Array.from({ length: 150 }, () => net.connect(port, '127.0.0.1').on('error', () => {}).resume());
  await until('those above 128 are closed', () => sockets.filter((socket) => socket.destroyed).length >= 22);
  for (const socket of sockets) socket.destroy();
  await until('there is room again', async () => (await cuts('limit', child.url)) >= 22);
  assert.match(child.output, /fewer connections than MAX_CONNECTIONS/);
});

test('connections: an old one is closed when it is idle', async () => {
  const child = await instance.spawn('vote-api', { CONNECTION_AGE_S: '1' });
  const connection = new RawConnection(child.url);
  await connection.send(frame(h2.HEADERS, 5, 1, GET));
  await within(PATIENCE_MS, 'the connection ends', connection.closed);
  assert.ok(connection.ended.has(1));
  await until('it is counted', async () => (await cuts('age', child.url)) >= 1);
});

test('TLS: the guard counts there, too', async () => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((file) => join(instance.folder, file));
  await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key,
    '-out', cert, '-subj', '/CN=localhost', '-days', '2'], { PATH: process.env.PATH });
  const child = await instance.spawn('vote-api', { TLS_CERT_FILE: cert, TLS_KEY_FILE: key }, { wait: false });
  const url = child.url.replace('http:', 'https:');
  const metrics = () => request(url, { path: '/metrics', tls: { rejectUnauthorized: false } }, 'HTTP/2');
  await until('it listens', async () => (await metrics()).status === 200);
  const resets = new RawConnection(url);
  await resets.flood(N, (i) => Buffer.concat(RESETS['RST_STREAM behind a question'](i)), { piece: N });
  await within(PATIENCE_MS, 'the connection is cut', resets.closed);
  const pings = new RawConnection(url);
  await pings.flood(100_000, FLOODS.PING, { piece: 1000 });
  await within(PATIENCE_MS, 'the connection is cut', pings.closed);
  for (const reason of ['resets', 'frames']) {
    await until(`the cut for ${reason} is counted`, async () =>
      metricValue((await metrics()).text, `http_connections_cut_total{reason="${reason}"}`) === 1);
  }
});

test('memory: bodies that never end, above the limit of all requests', async () => {
  const child = await instance.spawn('vote-api', { MAX_HELD_BYTES: String(2 << 20), HTTP_LOOPS: '1' });
  const idle = memory('VmRSS', child.pid);
  const connections = Array.from({ length: 8 }, () => new RawConnection(child.url));
  const head = block('POST', `/v1/polls/${poll.id}/ballots`, JSON_TYPE);
  await Promise.all(connections.map((connection) => connection.flood(40, (i) => Buffer.concat([
    frame(h2.HEADERS, h2.END_HEADERS, streamId(i), head),
    ...Array.from({ length: 12 }, () => frame(h2.DATA, 0, streamId(i), Buffer.alloc(16_000, 0x20)))]), { piece: 1 })));
  await until('they are cut', async () => (await cuts('input', child.url)) >= 7);
  const peak = memory('VmHWM', child.pid);
  if (!IS_SANITIZED) assert.ok(peak < MEMORY_RATIO * idle, `${peak} kB, idle ${idle} kB`);
  for (const connection of connections) connection.end();
});

test('the service still runs, and is the same process', async () => {
  assert.equal(await instance.pid('vote-api'), pid);
  await instance.ready();
  assert.ok(honest.votes > 100, `${honest.votes} honest ballots`);
  check();
  console.log(`# ${honest.votes} honest ballots, the slowest took ${honest.slowest.toFixed()} ms; `
    + `memory ${idleKb} kB idle, ${memory('VmHWM')} kB at most`);
});
