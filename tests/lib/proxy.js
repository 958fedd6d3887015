// A proxy for TCP or Unix sockets between a program and its server. It can hold back, cut or watch the data.
// SPDX-License-Identifier: MIT
import net from 'node:net';

export class Proxy {
  /** `to` and `at` are options of net.connect and server.listen: {port, host} or {path}. */
  static async start({ at, to }) {
    const proxy = new Proxy();
    proxy.to = to;
    proxy.pairs = new Set();
    proxy.isHeld = { up: false, down: false };
    proxy.onUp = null; // (chunk, pair) => 'cut' passes the chunk on and closes both sides, 'drop' closes them without it
    proxy.editUp = null; // (chunk, pair) => the bytes to pass on instead
    proxy.server = net.createServer((client) => proxy.join(client));
    await new Promise((done, failed) => {
      proxy.server.once('error', failed);
      proxy.server.listen(at, done);
    });
    return proxy;
  }

  get port() {
    return this.server.address().port;
  }

  join(client) {
    const server = net.connect(this.to);
    const pair = { client, server, held: { up: [], down: [] } };
    this.pairs.add(pair);
    const end = () => {
      client.destroy();
      server.destroy();
      this.pairs.delete(pair);
    };
    client.setNoDelay?.(true);
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => {
      const verdict = this.onUp?.(chunk, pair);
      if (verdict === 'drop') return end();
      if (verdict === 'cut') {
        server.removeAllListeners('data'); // so that nobody reads the reply
        server.resume();
        server.write(chunk);
        server.end();
        client.destroy();
        this.pairs.delete(pair);
        return undefined;
      }
      return this.pass('up', pair, this.editUp?.(chunk, pair) ?? chunk);
    });
    server.on('data', (chunk) => this.pass('down', pair, chunk));
  }

  pass(direction, pair, chunk) {
    if (this.isHeld[direction]) pair.held[direction].push(chunk);
    else (direction === 'up' ? pair.server : pair.client).write(chunk);
  }

  /** Holds back, from now on, the data that goes up (to the server) or down. */
  hold(direction) {
    this.isHeld[direction] = true;
  }

  /** Passes on the data that was held back. */
  release(direction) {
    this.isHeld[direction] = false;
    for (const pair of this.pairs) {
      for (const chunk of pair.held[direction].splice(0)) this.pass(direction, pair, chunk);
    }
  }

  cutAll() {
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
    this.pairs.clear();
  }

  async stop() {
    this.cutAll();
    await new Promise((done) => this.server.close(done));
  }
}
