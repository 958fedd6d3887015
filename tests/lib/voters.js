// The load: many voters, each with one ballot at a time, over HTTP/2 or HTTP/1.1. It records the fate of every ballot.
// SPDX-License-Identifier: MIT
import http from 'node:http';
import http2 from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { ACKNOWLEDGED, History, REFUSED, UNKNOWN, fateOf } from './history.js';
import { voterKey } from './identity.js';
import { noteSource } from './leaks.js';

const RETRY_MS = 20; // between two attempts to connect

/** HTTP/2 with prior knowledge on a few sessions. A session that breaks is opened again. */
class Http2Transport {
  constructor(origin, sessions, timeout) {
    this.origin = origin;
    this.timeout = timeout;
    this.slots = Array.from({ length: sessions }, () => ({ session: null, streams: 0 }));
    this.next = 0;
    this.closed = false;
    this.flights = new Set(); // in the order of their deadlines
    this.sweep = setInterval(() => {
      for (const flight of this.flights) {
        if (flight.deadline > performance.now()) break;
        this.flights.delete(flight);
        flight.giveUp();
      }
    }, 200);
    for (const slot of this.slots) this.connect(slot);
  }

  connect(slot) {
    if (this.closed) return;
    const session = http2.connect(this.origin);
    const reopen = () => {
      if (slot.session === session) slot.session = null;
      if (slot.opening === session) {
        slot.opening = null;
        const timer = setTimeout(() => this.connect(slot), RETRY_MS);
        timer.unref();
      }
    };
    slot.opening = session;
    session.on('error', () => {});
    session.on('connect', () => {
      slot.session = session;
      slot.max = session.remoteSettings?.maxConcurrentStreams ?? 100;
    });
    session.on('remoteSettings', (settings) => {
      slot.max = Math.min(settings.maxConcurrentStreams ?? 100, 1000);
    });
    session.on('goaway', () => {
      if (slot.session === session) slot.session = null; // requests in flight may still get a response
      session.close();
    });
    session.on('close', reopen);
  }

  /** Whether a request could be sent now. */
  ready() {
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[(this.next + i) % this.slots.length];
      if (slot.session && !slot.session.closed && !slot.session.destroyed && slot.streams < (slot.max ?? 100)) {
        this.next = (this.next + i) % this.slots.length;
        return true;
      }
    }
    return false;
  }

  /** Calls done(status, body text, why) exactly once. */
  send(method, path, headers, body, keepBody, done) {
    const slot = this.slots[this.next];
    this.next = (this.next + 1) % this.slots.length;
    let stream;
    try {
      stream = slot.session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === null });
    } catch (error) {
      done(undefined, '', error.code ?? error.message);
      return;
    }
    slot.streams++;
    let status;
    let text = '';
    let why;
    let isDone = false;
    const flight = { deadline: performance.now() + this.timeout, giveUp: () => {
      why = 'client time-out';
      stream.close(http2.constants.NGHTTP2_CANCEL);
    } };
    this.flights.add(flight); // they share a timer: a timer for each would cost a tenth of the rate
    const finish = () => {
      if (isDone) return;
      isDone = true;
      this.flights.delete(flight);
      slot.streams--;
      done(status, text, why);
    };
    stream.on('response', (fields) => {
      status = fields[':status'];
      if (keepBody || status >= 400) {
        stream.setEncoding('utf8');
        stream.on('data', (chunk) => (text += chunk));
      } else {
        stream.resume();
      }
    });
    stream.on('end', () => {
      if (status !== undefined) finish();
    });
    stream.on('error', (error) => {
      why ??= error.code ?? error.message;
    });
    stream.on('close', () => {
      // RFC 9113, 8.7: the request was not processed.
      if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) why = 'REFUSED_STREAM';
      if (!isDone && status === undefined) why ??= `closed ${stream.rstCode}`;
      finish();
    });
    if (body !== null) stream.end(body);
  }

  close() {
    this.closed = true;
    clearInterval(this.sweep);
    for (const slot of this.slots) {
      slot.opening?.destroy();
      slot.session?.destroy();
    }
  }
}

/** HTTP/1.1 with persistent connections. */
class Http1Transport {
  constructor(origin, connections, timeout) {
    const url = new URL(origin);
    this.where = { host: url.hostname, port: url.port };
    this.timeout = timeout;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: connections });
    this.notBefore = 0; // the time of the next attempt after a refused connection
    this.free = connections;
  }

  ready() {
    return this.free > 0 && performance.now() >= this.notBefore;
  }

  send(method, path, headers, body, keepBody, done) {
    this.free--;
    const all = body === null ? headers : { ...headers, 'content-length': Buffer.byteLength(body) };
    const req = http.request({ ...this.where, method, path, headers: all, agent: this.agent });
    const timer = setTimeout(() => req.destroy(new Error('client time-out')), this.timeout);
    let isDone = false;
    const finish = (status, text, why) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      this.free++;
      done(status, text, why);
    };
    req.on('response', (res) => {
      let text = '';
      if (keepBody || res.statusCode >= 400) {
        res.setEncoding('utf8');
        res.on('data', (chunk) => (text += chunk));
      } else {
        res.resume();
      }
      res.on('end', () => finish(res.statusCode, text));
      res.on('error', (error) => finish(undefined, '', error.code ?? error.message));
      res.on('close', () => finish(undefined, '', 'closed'));
    });
    req.on('error', (error) => {
      if (error.code === 'ECONNREFUSED') this.notBefore = performance.now() + RETRY_MS;
      finish(undefined, '', error.code ?? error.message);
    });
    req.end(body ?? undefined);
  }

  close() {
    this.agent.destroy();
  }
}

/** Errors that guarantee that the request never left the client. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'REFUSED_STREAM', 'ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

/** A load on one poll.
 *
 *  origin      of vote-api
 *  poll        id
 *  options     ids; each ballot of a voter chooses another option than the one before
 *  protocol    'HTTP/2' or 'HTTP/1.1'
 *  connections sessions or connections
 *  inFlight    maximum of ballots without a response
 *  rate        maximum of ballots a second (0: no maximum)
 *  receipts    whether each operation keeps its receipt */
export class Voters {
  constructor({ origin, poll, options, instance, protocol = 'HTTP/2', connections = 4, inFlight = 256, rate = 0, timeout = 15_000,
    receipts = false, random = Math.random, history = new History(poll) }) {
    Object.assign(this, { origin, poll, options, instance, inFlight, rate, receipts, random, history });
    this.transport = protocol === 'HTTP/2' ? new Http2Transport(origin, connections, timeout)
      : new Http1Transport(origin, connections, timeout);
    this.path = `/v1/polls/${poll}/ballot`;
    this.bodies = new Map(options.map((id) => [id, Buffer.from(JSON.stringify({ selection: [id] }))]));
    this.pending = 0;
    this.idle = []; // voters without a ballot in flight
    this.isStopping = true;
    this.answered = 0;
    this.acknowledged = 0;
    noteSource(() => this.secrets());
  }

  /** Yields the secrets of this load, which must be in no log. */
  * secrets() {
    for (const { token, ops } of this.history.voters) {
      yield ['a token', token];
      for (const { receipt } of ops) if (receipt) yield ['a receipt', receipt];
    }
  }

  /** Sends one request and gives {status, text, why}. */
  ask(method, path, headers, body) {
    return new Promise((resolve) => {
      const attempt = () => {
        if (!this.transport.ready()) {
          setTimeout(attempt, 5);
          return;
        }
        this.transport.send(method, path, headers, body, true, (status, text, why) => resolve({ status, text, why }));
      };
      attempt();
    });
  }

  /** Registers n new voters with POST /v1/voters and gives them. With `idle`, they take part in the load. */
  async register(n, { idle = true } = {}) {
    const first = this.history.voters.length;
    const one = async () => {
      const { status, text, why } = await this.ask('POST', '/v1/voters', {}, null);
      if (status !== 201) throw new Error(`POST /v1/voters: ${status} ${text} ${why ?? ''}`);
      const { token } = JSON.parse(text);
      const voter = this.history.addVoter(voterKey(this.instance.secretKeys, this.poll, token), token);
      voter.left = 0;
      voter.headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      if (idle) this.idle.push(voter);
      else voter.isReserved = true;
    };
    for (let left = n; left > 0; left -= 200) {
      await Promise.all(Array.from({ length: Math.min(left, 200) }, one));
    }
    return this.history.voters.slice(first);
  }

  nextSelection(voter) {
    const n = this.options.length;
    const last = voter.lastOption ?? Math.floor(this.random() * n);
    voter.lastOption = (last + 1 + Math.floor(this.random() * Math.min(3, n - 1))) % n;
    return this.options[voter.lastOption];
  }

  cast(voter) {
    const selection = this.nextSelection(voter);
    const op = History.begin(voter, selection);
    this.pending++;
    this.transport.send('PUT', this.path, voter.headers, this.bodies.get(selection), this.receipts,
      (status, text, why) => {
        this.pending--;
        this.answered++;
        op.status = status;
        op.why = why;
        let type;
        if (status >= 400) {
          try {
            type = JSON.parse(text).type;
          } catch {
            type = 'no problem+json';
          }
          op.why = type;
        }
        op.fate = status === undefined && NEVER_SENT.has(why) ? REFUSED : fateOf(status, type);
        if (op.fate === ACKNOWLEDGED) {
          this.acknowledged++;
          op.why = undefined;
          if (this.receipts) op.receipt = JSON.parse(text).receipt;
        }
        voter.left--;
        if (voter.left > 0) this.idle.push(voter);
        else if (voter.left === 0) this.finished++;
        // After a failure, the next ballot waits for the timer, so that a broken service does not get a flood of requests.
        if (op.fate === ACKNOWLEDGED) this.pump();
      });
  }

  /** Removes a random voter from the idle ones and gives it. */
  takeIdle() {
    const at = Math.floor(this.random() * this.idle.length);
    const voter = this.idle[at];
    const last = this.idle.pop();
    if (at < this.idle.length) this.idle[at] = last;
    return voter;
  }

  pump() {
    if (this.isStopping) return;
    if (this.rate) {
      const now = performance.now();
      this.allowance = Math.min(this.allowance + (now - this.allowedAt) * this.rate / 1000, this.rate / 20 + 1);
      this.allowedAt = now;
    }
    while (this.idle.length > 0 && this.pending < this.inFlight && (!this.rate || this.allowance >= 1)
      && this.transport.ready()) {
      this.allowance -= 1;
      this.cast(this.takeIdle());
    }
  }

  run(left) {
    if (!this.isStopping) throw new Error('the load runs already');
    this.isStopping = false;
    this.finished = 0;
    this.allowance = 0;
    this.allowedAt = performance.now();
    this.idle = this.history.voters.filter((voter) => !voter.isReserved);
    this.expected = this.idle.length;
    for (const voter of this.idle) voter.left = left;
    this.timer = setInterval(() => this.pump(), 5);
    this.pump();
  }

  /** Lets every voter cast n ballots. Returns when all have a fate. */
  async castEach(n) {
    this.run(n);
    while (this.finished < this.expected) await pause(5);
    this.isStopping = true;
    clearInterval(this.timer);
  }

  /** Casts ballots of random voters until stop(). */
  start() {
    this.run(Infinity);
  }

  /** Casts no more ballots. Returns when all ballots in flight have a fate. */
  async stop() {
    this.isStopping = true;
    clearInterval(this.timer);
    while (this.pending > 0) await pause(5);
  }

  async close() {
    await this.stop();
    this.transport.close();
  }
}

export { ACKNOWLEDGED, REFUSED, UNKNOWN };
