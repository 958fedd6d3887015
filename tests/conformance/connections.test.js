// Malformed requests, and clients that leave. A malformed HTTP/2 request is reset and reaches no handler. When a follower
// of an event stream leaves, its place is free within seconds, also behind a proxy. A ballot counts although its sender
// has left.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricValue } from '../lib/check.js';
import { EventStream } from '../lib/events.js';
import * as h2 from '../lib/frames.js';
import { RawConnection, fields, frame } from '../lib/frames.js';
import { BUILD_DIR, IS_SANITIZED, Instance, NGINX_USER, ROOT, freePorts, runProgram, startProgram } from '../lib/instance.js';
import { request } from '../lib/http.js';
import { until, within } from '../lib/wait.js';

const FOLLOWERS = 100;
const SOON = { timeout: 20_000 }; // the next heartbeat and every deadline come after ten minutes
const NEVER_MS = '600000';
const UNVERIFIED = { rejectUnauthorized: false };
const VOTE = JSON.stringify({ selection: ['o1'] });

let instance;
let poll;
let path;
let secure; // result-api with TLS
let page; // the result page's nginx with TLS and HTTP/2
let stopPage;

const ask = (url, path) => request(url, { path, tls: UNVERIFIED }, url.startsWith('https:') ? 'HTTP/2' : 'HTTP/1.1');
const metric = async (name, url = instance.resultUrl) => metricValue((await ask(url, '/metrics')).text, name);
const followers = (url) => metric('result_subscribers', url);

async function startPage(folder, cert, key) {
  const port = await freePorts(1);
  const address = (url) => new URL(url).host;
  await runProgram(join(ROOT, 'web/nginx/configure'), [folder], { PATH: process.env.PATH, PAGE: 'result-ui', LISTEN: `127.0.0.1:${port}`,
    ROOT: join(BUILD_DIR, 'pages/result-ui'), VOTE_API: address(instance.voteUrl), RESULT_API: address(instance.resultUrl),
    PAGE_TLS_CERT_FILE: cert, PAGE_TLS_KEY_FILE: key, ACCESS_LOG: join(folder, 'access.log'), NGINX_USER });
  const nginx = startProgram('/bin/sh', ['-c', 'exec nginx -e stderr -c "$0"', join(folder, 'nginx.conf')], { PATH: `${process.env.PATH}:/usr/sbin` });
  stopPage = async () => {
    nginx.kill('SIGTERM');
    await nginx.ended;
  };
  page = `https://127.0.0.1:${port}`;
  await until('nginx listens', async () => (await ask(page, '/')).status === 200);
}

before(async () => {
  instance = await Instance.start({ workers: 1, env: { HEARTBEAT_MS: NEVER_MS, DEADLINE_MS: NEVER_MS, ACK_TIMEOUT_MS: '20000', WAIT_MS: '60000' } });
  poll = await instance.createPoll({ n: 5 });
  path = `/v1/polls/${poll.id}/results/stream`;
  const folder = join(instance.folder, 'tls');
  mkdirSync(folder);
  chmodSync(folder, 0o700);
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key,
    '-out', cert, '-days', '1', '-subj', '/CN=localhost'], { PATH: process.env.PATH });
  secure = await instance.spawn('result-api', { TLS_CERT_FILE: cert, TLS_KEY_FILE: key }, { wait: false });
  secure.url = secure.url.replace('http:', 'https:');
  await until('result-api listens', async () => (await ask(secure.url, '/readyz')).status === 200);
  await startPage(folder, cert, key);
});
after(async () => {
  await stopPage?.();
  await instance?.stop();
});

// --- malformed requests of HTTP/2 (RFC 9113, 8.1.1 to 8.3.1)

const PROTOCOL_ERROR = 1;
const GET = { ':method': 'GET', ':scheme': 'http', ':authority': 'localhost', ':path': '/livez' };
const get = (changes, last = []) => [...Object.entries({ ...GET, ...changes }).filter(([, value]) => value !== undefined), ...last];
const BALLOT = { ':method': 'PUT', ':path': '/v1/polls/demo/ballot', 'content-type': 'application/json' };

const MALFORMED = {
  'an empty path': get({ ':path': '' }),
  'a path without a slash': get({ ':path': 'livez' }),
  'a path that is a whole address': get({ ':path': 'http://localhost/livez' }),
  'a path that is only a query': get({ ':path': '?a=b' }),
  'a path that is *': get({ ':path': '*' }),
  'a path with a blank': get({ ':path': '/livez HTTP/1.1' }),
  'a path with a fragment': get({ ':path': '/livez#a' }),
  'a path with a control character': get({ ':path': '/livez\r\nX: y' }),
  'no path': get({ ':path': undefined }),
  'an empty method': get({ ':method': '' }),
  'a method with a blank': get({ ':method': 'GET /' }),
  'no method': get({ ':method': undefined }),
  'no scheme': get({ ':scheme': undefined }),
  'an empty authority': get({ ':authority': '' }),
  'an authority with a user': get({ ':authority': 'user@localhost' }),
  'an authority with a path': get({ ':authority': 'localhost/v1' }),
  'a method twice': get({}, [[':method', 'GET']]),
  'a path twice': get({}, [[':path', '/readyz']]),
  'an authority twice': get({}, [[':authority', 'localhost']]),
  'a scheme twice': get({}, [[':scheme', 'http']]),
  'a pseudo-header field behind a regular one': [...get({ ':path': undefined }), ['accept', '*/*'], [':path', '/livez']],
  'a pseudo-header field that is unknown': get({}, [[':host', 'localhost']]),
  'a pseudo-header field of answers': get({}, [[':status', '200']]),
  'connection': get({ connection: 'close' }),
  'keep-alive': get({ 'keep-alive': 'timeout=5' }),
  'proxy-connection': get({ 'proxy-connection': 'close' }),
  'transfer-encoding': get({ 'transfer-encoding': 'chunked' }),
  'upgrade': get({ upgrade: 'h2c' }),
  'te other than trailers': get({ te: 'gzip' }),
  'a name in upper case': get({ Accept: '*/*' }),
  'a name with a blank': get({ 'a b': 'c' }),
  'a name with a colon in it': get({ 'a:b': 'c' }),
  'a name that is empty': get({}, [['', 'a']]),
  'a value with a line feed': get({ x: 'a\nb' }),
  'a value with NUL': get({ x: 'a\0b' }),
  'a value with a blank before it': get({ x: ' a' }),
  'a value with a tab behind it': get({ x: 'a\t' }),
  'a content-length that is no number': get({ 'content-length': 'x' }),
};
const WELL_FORMED = {
  'te: trailers': get({ te: 'trailers' }),
  'no authority': get({ ':authority': undefined }),
  'an empty value': get({ x: '' }),
  'a query with what browsers leave as it is': get({ ':path': '/livez?a|b^{"}' }),
  'a method that nobody knows': get({ ':method': 'get' }),
  '* for OPTIONS': get({ ':method': 'OPTIONS', ':path': '*' }),
  'a content-length of 0': get({ 'content-length': 0 }),
};

/** Sends frames on stream 1 and returns what the server did: "answered", "reset N", "goaway N" or "closed". */
async function outcome(url, ...frames) {
  const connection = new RawConnection(url);
  await connection.send(...frames);
  const what = await until('the request has an end', () => (connection.goaway && `goaway ${connection.goaway.code}`)
    || (connection.resets.has(1) && `reset ${connection.resets.get(1)}`) || (connection.ended.has(1) && 'answered')
    || (connection.isClosed && 'closed'), { every: 2 });
  if (what !== 'closed' && !connection.goaway) { // the connection is still usable
    await connection.send(frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, 3, fields(get({}))));
    await until('the next request is answered', () => connection.ended.has(3), { every: 2 });
  }
  connection.end();
  return what;
}
const urls = () => [instance.voteUrl, secure.url];
const REFUSED = [`reset ${PROTOCOL_ERROR}`, `goaway ${PROTOCOL_ERROR}`]; // a server may treat a stream error as a connection error (RFC 9113, 5.4.2)

for (const [name, request] of Object.entries(MALFORMED)) {
  test(`malformed: ${name}`, async () => {
    for (const url of urls()) assert.ok(REFUSED.includes(await outcome(url, frame(h2.HEADERS, 5, 1, fields(request)))), url);
  });
}
for (const [name, request] of Object.entries(WELL_FORMED)) {
  test(`well-formed: ${name}`, async () => {
    for (const url of urls()) assert.equal(await outcome(url, frame(h2.HEADERS, 5, 1, fields(request))), 'answered', url);
  });
}

test('a body that is not as long as its content-length is never taken', async () => {
  const demo = `/v1/polls/${poll.id}/ballot`;
  const put = (length) => frame(h2.HEADERS, h2.END_HEADERS, 1, fields(get({ ...BALLOT, ':path': demo, 'content-length': length })));
  const body = (text, flags = h2.END_STREAM) => frame(h2.DATA, flags, 1, Buffer.from(text));
  const before = await metric('ballots_total{result="acknowledged"}', instance.voteUrl);
  assert.ok(REFUSED.includes(await outcome(instance.voteUrl, put(VOTE.length + 1), body(VOTE))));
  assert.ok(REFUSED.includes(await outcome(instance.voteUrl, put(VOTE.length - 1), body(VOTE))));
  assert.ok(REFUSED.includes(await outcome(instance.voteUrl, put(VOTE.length), body(VOTE, 0), body(' '))));
  const connection = new RawConnection(instance.voteUrl); // its header block ends the stream
  await connection.send(frame(h2.HEADERS, 5, 1, fields(get({ ...BALLOT, ':path': demo, 'content-length': VOTE.length }))));
  await until('it is refused', () => connection.ended.has(1) || connection.resets.has(1));
  assert.match(connection.text, /Content-Length/);
  connection.end();
  assert.equal(await metric('ballots_total{result="acknowledged"}', instance.voteUrl), before);
});

test('trailers are no headers: a token among them counts for nothing, malformed ones end the connection', async () => {
  const head = frame(h2.HEADERS, h2.END_HEADERS, 1, fields(get({ ...BALLOT, ':method': 'POST', ':path': `/v1/polls/${poll.id}/ballots` })));
  const body = frame(h2.DATA, 0, 1, Buffer.from('{"ballots":[]}'));
  const connection = new RawConnection(instance.voteUrl);
  await connection.send(head, body, frame(h2.HEADERS, 5, 1, fields([['authorization', `Bearer ${instance.apiKey}`]])));
  await until('it is answered', () => connection.ended.has(1));
  assert.match(connection.text, /"status":401/);
  connection.end();
  for (const trailer of [[':path', '/'], ['a b', 'c'], ['Upper', 'c'], ['connection', 'close']]) {
    assert.equal(await outcome(instance.voteUrl, head, body, frame(h2.HEADERS, 5, 1, fields([trailer]))), `goaway ${PROTOCOL_ERROR}`, trailer[0]);
  }
});

/** Sends these bytes and returns the answer, up to the end of the connection. */
async function exchange(url, bytes, options) {
  const { socket } = connect(url, options);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.write(bytes);
  await within(20_000, 'the connection is closed', new Promise((done) => socket.on('close', done).on('end', () => socket.destroy())));
  return text;
}

test('a connection that begins with another protocol is closed at once, without an answer', async () => {
  const cut = () => metric('http_connections_cut_total{reason="preface"}', instance.voteUrl);
  const before = await cut();
  const foreign = ['INVALID CONNECTION PREFACE\r\n\r\n', 'OPTIONS sip:a@b SIP/2.0\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nXX', 'PRI * HTTP/2.1\r\n'];
  for (const bytes of foreign) assert.equal(await exchange(instance.voteUrl, bytes), '', bytes);
  assert.equal(await cut(), before + foreign.length);
  const agreed = { ALPNProtocols: ['h2'] };
  for (const bytes of ['GET /livez HTTP/1.1\r\n', 'PRI * HTTP/1']) assert.equal(await exchange(secure.url, bytes, agreed), '', bytes);
  for (const bytes of ['GET /livez\r\n\r\n', 'GET / HTTP/3.7\r\n\r\n']) { // a client of HTTP/1 gets an answer
    assert.match(await exchange(instance.voteUrl, bytes), /^HTTP\/1\.1 400 /, bytes);
  }
});

// --- ways to follow and to leave

const head = (host) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`;

function connect(url, options = { ALPNProtocols: ['http/1.1'] }) {
  const { protocol, hostname, port, host } = new URL(url);
  const socket = protocol === 'https:' ? tls.connect({ host: hostname, port, ...UNVERIFIED, ...options })
    : net.connect({ host: hostname, port, allowHalfOpen: true });
  socket.on('error', () => {}).resume();
  return { socket, host };
}

/** Opens connections with one follower each; `behind` is sent after the request. */
function overHttp1(n, url, leave, behind = '') {
  const sockets = Array.from({ length: n }, () => {
    const { socket, host } = connect(url);
    socket.write(head(host) + behind);
    return socket;
  });
  return { leave: () => sockets.forEach(leave), end: () => sockets.forEach((socket) => socket.destroy()) };
}

/** Opens connections with twenty followers each. */
function overHttp2(n, url, leave) {
  const sessions = Array.from({ length: n / 20 }, () => {
    const session = http2.connect(url, UNVERIFIED).on('error', () => {});
    session.streams = Array.from({ length: 20 }, () => session.request({ ':path': path }).on('error', () => {}).resume());
    return session;
  });
  return { leave: () => sessions.forEach(leave), end: () => sessions.forEach((session) => session.destroy()) };
}

const close = (connection) => connection.destroy();
const reset = (socket) => socket.resetAndDestroy();
const halfClose = (socket) => socket.end();
const cancel = (session) => session.streams.forEach((stream) => stream.close(http2.constants.NGHTTP2_CANCEL));
const WAYS = {
  'HTTP/1.1': () => overHttp1(FOLLOWERS, instance.resultUrl, close),
  'HTTP/1.1, with a reset': () => overHttp1(FOLLOWERS, instance.resultUrl, reset),
  'HTTP/1.1, behind a further request': () => overHttp1(FOLLOWERS, instance.resultUrl, close, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'),
  'HTTP/1.1, half-closed': () => overHttp1(FOLLOWERS, instance.resultUrl, halfClose),
  'HTTP/1.1 over TLS': () => overHttp1(FOLLOWERS, secure.url, close),
  'HTTP/1.1 over TLS, half-closed': () => overHttp1(FOLLOWERS, secure.url, halfClose),
  'HTTP/2, stream by stream': () => overHttp2(FOLLOWERS, instance.resultUrl, cancel),
  'HTTP/2, with the connection': () => overHttp2(FOLLOWERS, instance.resultUrl, close),
  'HTTP/2 over TLS, with the connection': () => overHttp2(FOLLOWERS, secure.url, close),
  'HTTP/1.1 through nginx': () => overHttp1(FOLLOWERS, instance.resultPage, close),
  'HTTP/2 through nginx, stream by stream': () => overHttp2(FOLLOWERS, page, cancel),
  'HTTP/2 through nginx, with the connection': () => overHttp2(FOLLOWERS, page, close),
};

test('the memory of followers who left comes back', { skip: IS_SANITIZED && 'a sanitizer keeps what is freed' }, async () => {
  const pid = await instance.pid('result-api');
  const kilobytes = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  const before = kilobytes();
  const all = overHttp1(1000, instance.resultUrl, close);
  await until('all follow', async () => (await followers()) === 1000);
  const with1000 = kilobytes();
  assert.ok(with1000 > before + 4000, `${before} kB, ${with1000} kB with followers`);
  all.leave();
  await until('most of it is back', () => kilobytes() < before + (with1000 - before) / 2); // no request meanwhile, so that the loop is idle
});

for (const [name, follow] of Object.entries(WAYS)) {
  test(`followers who leave: ${name}`, async () => {
    const url = name.includes('over TLS') ? secure.url : instance.resultUrl;
    const connections = await metric('http_connections', url);
    const all = follow();
    await until('all follow', async () => (await followers(url)) === FOLLOWERS);
    all.leave();
    await until('none counts any more', async () => (await followers(url)) === 0, SOON);
    all.end();
    await until('their connections are gone', async () => (await metric('http_connections', url)) <= connections + 1, SOON);
  });
}

test('the connection of a follower who stays is not closed', async () => {
  const stays = await EventStream.open(instance.resultUrl, path);
  await stays.next();
  const others = overHttp1(10, instance.resultUrl, close);
  await until('all follow', async () => (await followers()) === 11);
  others.leave();
  await until('the others are gone', async () => (await followers()) === 1, SOON);
  const answer = await request(instance.voteUrl, { method: 'PUT', path: `/v1/polls/${poll.id}/ballot`, headers: { 'content-type': 'application/json' }, body: VOTE });
  assert.equal(answer.status, 202, answer.text);
  await stays.nextWhere(({ data }) => data.total === 1);
  stays.close();
});

test('a client that half-closes its connection after its request is answered', async () => {
  const { hostname, port, host } = new URL(instance.resultUrl);
  const text = await within(30_000, 'the answer comes', new Promise((done, failed) => {
    const socket = net.connect({ host: hostname, port, allowHalfOpen: true }, () => socket.end(`GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    let all = '';
    socket.on('data', (chunk) => (all += chunk)).on('end', () => done(all)).on('error', failed);
  }));
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*\{"live":true\}$/);
});

// --- requests that wait

const abandoned = (url) => metric('http_requests_abandoned_total', url);
const waiting = (url) => metric('http_requests_waiting', url);

/** Sends n requests over HTTP/1.1 that wait for their answer. Returns a function that closes their connections. */
async function wait(url, n, text) {
  const before = await waiting(url);
  const sockets = Array.from({ length: n }, () => {
    const { socket } = connect(url);
    socket.write(text);
    return socket;
  });
  await until('they wait', async () => (await waiting(url)) >= before + n);
  return () => sockets.forEach((socket) => socket.destroy());
}

test('ballots whose senders left before the acknowledgement count, and their requests are gone before it comes', async () => {
  const other = await instance.createPoll({ n: 5 });
  const before = await abandoned(instance.voteUrl);
  const { host } = new URL(instance.voteUrl);
  const nats = await instance.signal('nats', 'SIGSTOP');
  try {
    const leave = await wait(instance.voteUrl, 50,
      `PUT /v1/polls/${other.id}/ballot HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${VOTE.length}\r\n\r\n${VOTE}`);
    leave();
    await until('vote-api has seen them leave', async () => (await abandoned(instance.voteUrl)) === before + 50, SOON);
  } finally {
    process.kill(nats, 'SIGCONT');
  }
  await until('all of them count', async () => (await instance.books(other.id)).books.counted === 50);
  await until('none waits any more', async () => (await waiting(instance.voteUrl)) === 0);
});

test('requests for results that wait for the database make room when their clients leave', async () => {
  const other = await instance.createPoll({ n: 5 });
  const before = await abandoned(instance.resultUrl);
  const { host } = new URL(instance.resultUrl);
  const lock = await instance.db.connect();
  try {
    await lock.query('BEGIN; LOCK TABLE polls, tally, ledger IN ACCESS EXCLUSIVE MODE');
    const leave = await wait(instance.resultUrl, 50, `GET /v1/polls/${other.id}/results HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    leave();
    await until('result-api has seen them leave', async () => (await abandoned(instance.resultUrl)) === before + 50, SOON);
    await until('they make room', async () => (await waiting(instance.resultUrl)) === 0, SOON);
  } finally {
    await lock.query('ROLLBACK');
    lock.release();
  }
});

test('after all this every service is ready, and no sanitizer reported anything', async () => {
  await instance.ready();
  assert.deepEqual(instance.sanitizerFindings(), []);
});
