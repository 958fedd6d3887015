// Writes HTTP/2 frames by hand (RFC 9113, RFC 7541), for clients that violate the protocol, which a library would refuse to do.
// SPDX-License-Identifier: MIT
import net from 'node:net';
import tls from 'node:tls';

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export const REFUSED_STREAM = 7;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, 9);
  return bytes;
}

export function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A setting: its number and its value. */
export function setting(id, value) {
  return Buffer.concat([Buffer.from([0, id]), uint32(value)]);
}

function hpackInt(value, prefixBits, first) {
  const max = 2 ** prefixBits - 1;
  if (value < max) return Buffer.from([first | value]);
  const bytes = [first | max];
  for (value -= max; value >= 128; value = Math.floor(value / 128)) bytes.push(128 | (value % 128));
  return Buffer.from([...bytes, value]);
}

const hpackString = (text) => Buffer.concat([hpackInt(Buffer.byteLength(text), 7, 0), Buffer.from(text)]);

/** A literal field. With `indexed`, it is also added to the dynamic table. */
export function field(name, value, { indexed = false } = {}) {
  return Buffer.concat([Buffer.from([indexed ? 0x40 : 0]), hpackString(name), hpackString(value)]);
}

/** A header block of fields, each a name and a value. */
export const fields = (all) => Buffer.concat(all.map(([name, value]) => field(name, String(value))));

/** The header block of a request. */
export function block(method, path, headers = {}) {
  return fields(Object.entries({ ':method': method, ':scheme': 'http', ':authority': 'localhost', ':path': path, ...headers }));
}

/** A connection. It counts the received frames by type, and keeps the streams that the server reset and its GOAWAY. */
export class RawConnection {
  constructor(url, settings = Buffer.alloc(0), localAddress = undefined) {
    const { protocol, hostname: host, port } = new URL(url);
    this.received = new Map();
    this.resets = new Map(); // stream → error code
    this.ended = new Set(); // streams with a complete response
    this.text = ''; // the bodies of all responses, joined
    this.isClosed = false;
    this.pending = Buffer.alloc(0);
    this.socket = protocol === 'https:' ? tls.connect({ host, port, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : net.connect({ host, port, localAddress });
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => this.take(bytes));
    this.closed = new Promise((done) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        done();
      });
    });
    this.socket.on('end', () => this.socket.destroy());
    this.socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, settings)]));
  }

  take(bytes) {
    this.pending = Buffer.concat([this.pending, bytes]);
    for (;;) {
      if (this.pending.length < 9) return;
      const length = this.pending.readUIntBE(0, 3);
      if (this.pending.length < 9 + length) return;
      const [type, flags, stream] = [this.pending[3], this.pending[4], this.pending.readUInt32BE(5)];
      const payload = this.pending.subarray(9, 9 + length);
      this.received.set(type, (this.received.get(type) ?? 0) + 1);
      if (type === RST_STREAM) this.resets.set(stream, payload.readUInt32BE(0));
      if (type === GOAWAY) this.goaway = { code: payload.readUInt32BE(4), text: payload.subarray(8).toString() };
      if (type === DATA) this.text += payload.toString();
      if ((type === HEADERS || type === DATA) && flags & END_STREAM) this.ended.add(stream);
      this.pending = this.pending.subarray(9 + length);
    }
  }

  /** Writes, and waits until the kernel has taken it or the connection is closed. */
  send(...parts) {
    return Promise.race([this.closed, new Promise((done) => this.socket.write(Buffer.concat(parts), () => done()))]);
  }

  /** Sends make(0), make(1), ... in groups, until n are sent or the server has closed the connection. Gives the number sent. */
  async flood(n, make, { piece = 100 } = {}) {
    let i = 0;
    while (i < n && !this.isClosed) {
      const parts = [];
      for (let j = 0; j < piece && i < n; j++) parts.push(make(i++));
      await this.send(...parts);
    }
    return i;
  }

  end() {
    this.socket.destroy();
  }
}
