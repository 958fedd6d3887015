// A minimal NATS client that sends nothing by itself. With it, tests try the permissions of a user one by one.
// SPDX-License-Identifier: MIT
import { once } from 'node:events';
import net from 'node:net';

const PATIENCE_MS = 30_000;

export class RawNats {
  /** Connects as the user in the URL, or without a user. If the broker refuses, the error has its message. */
  static async connect(url) {
    const { hostname, port, username, password } = new URL(url);
    const client = new RawNats();
    client.text = Buffer.alloc(0);
    client.errors = []; // the broker's errors since they were last read
    client.messages = []; // {subject, reply, head, data}
    client.pongs = 0;
    client.number = 0;
    client.inbox = `_INBOX.${username}.test${Math.random().toString(36).slice(2)}`;
    client.socket = net.connect(Number(port), hostname);
    client.ended = new Promise((done) => client.socket.once('close', done));
    client.socket.on('error', () => {}).on('data', (chunk) => client.read(chunk));
    await Promise.race([once(client.socket, 'connect'), client.ended]);
    const login = username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {};
    client.send(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, headers: true, no_responders: true, ...login })}\r\n`);
    const [refusal] = await client.settle();
    if (refusal) throw new Error(refusal);
    return client;
  }

  send(...parts) {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  read(chunk) {
    this.text = Buffer.concat([this.text, chunk]);
    for (let end; (end = this.text.indexOf('\r\n')) >= 0;) {
      const words = this.text.subarray(0, end).toString().split(' ');
      let rest = end + 2;
      if (/^H?MSG$/.test(words[0])) {
        const total = Number(words.at(-1)), head = words[0] === 'HMSG' ? Number(words.at(-2)) : 0;
        if (this.text.length < rest + total + 2) return;
        const [subject, , reply] = words.slice(1, words.length - (head ? 2 : 1));
        const body = this.text.subarray(rest, rest + total);
        this.messages.push({ subject, reply, head: body.subarray(0, head).toString(), data: Buffer.from(body.subarray(head)) });
        rest += total + 2;
        this.onMessage?.();
      } else if (words[0] === '-ERR') {
        this.errors.push(words.slice(1).join(' '));
      } else if (words[0] === 'PONG') {
        this.pongs++;
      } else if (words[0] === 'PING') {
        this.send('PONG\r\n');
      }
      this.text = this.text.subarray(rest);
    }
  }

  /** Waits until the broker has processed everything that was sent. Gives its errors. */
  async settle() {
    const wanted = this.pongs + 1;
    this.send('PING\r\n');
    while (this.pongs < wanted && !this.socket.destroyed) await Promise.race([once(this.socket, 'data'), this.ended]);
    return this.errors.splice(0);
  }

  publish(subject, data = '', reply = '') {
    this.send(`PUB ${subject} ${reply ? `${reply} ` : ''}${Buffer.byteLength(data)}\r\n`, data, '\r\n');
  }

  subscribe(subject, queue = '') {
    this.send(`SUB ${subject} ${queue ? `${queue} ` : ''}${++this.number}\r\n`);
  }

  /** Whether the broker allows this user a publication or a subscription. */
  async mayPublish(subject, data) {
    this.publish(subject, data);
    return (await this.settle()).length === 0;
  }

  async maySubscribe(subject, queue) {
    this.subscribe(subject, queue);
    return (await this.settle()).length === 0;
  }

  /** Sends a request to JetStream and gives the response, or {refused} if the user may not send it. */
  async ask(subject, question = {}) {
    const reply = `${this.inbox}.${++this.number}`;
    this.subscribe(reply);
    this.publish(subject, JSON.stringify(question), reply);
    const refused = await this.settle();
    if (refused.length) return { refused: refused.join() };
    return JSON.parse((await this.next(reply)).data.toString() || '{}');
  }

  /** The next message on a subject. */
  async next(subject) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const at = this.messages.findIndex((message) => message.subject === subject);
      if (at >= 0) return this.messages.splice(at, 1)[0];
      if (Date.now() > deadline || this.socket.destroyed) throw new Error(`no message on ${subject}`);
      await new Promise((done) => {
        const timer = setTimeout(done, 1000);
        this.onMessage = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }

  close() {
    this.socket.destroy();
  }
}
