// Subscribers: one that reads each event, and thousands that only hold a connection.
// SPDX-License-Identifier: MIT
import { get } from 'node:http';
import { connect } from 'node:net';
import { sleep } from './instance.mjs';

/** Calls onTotal(total) for every event of a poll's stream, until the returned function is called. */
function watchTotal(system, poll, onTotal) {
  const request = get(`${system.result}/v1/polls/${poll.id}/results/stream`, (reply) => {
    let text = '';
    reply.setEncoding('utf8').on('data', (chunk) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop();
      for (const line of lines) if (line.startsWith('data:')) onTotal(JSON.parse(line.slice(5)).total);
    });
  });
  request.on('error', () => {}); // closed by us
  return () => request.destroy();
}

/** Casts a ballot of a new voter every 20 ms in a poll of its own. Returns for each ballot how many ms passed from its
 * acknowledgement until the event stream included it. */
export async function followTotal(system, poll, seconds) {
  const acknowledged = [], updates = [];
  let seen;
  const stop = watchTotal(system, poll, (total) => {
    const now = performance.now();
    seen ??= total;
    for (; seen < total; seen++) updates.push(now);
  });
  while (seen === undefined) await sleep(10);

  const until = performance.now() + 1000 * seconds;
  while (performance.now() < until) {
    const reply = await fetch(`${system.vote}/v1/polls/${poll.id}/ballot`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"selection":["cats"]}',
    });
    acknowledged.push(performance.now());
    if (reply.status !== 202) throw new Error(`probe: ${reply.status} ${await reply.text()}`);
    await reply.arrayBuffer();
    await sleep(20);
  }
  for (const limit = Date.now() + 10_000; updates.length < acknowledged.length; await sleep(10)) {
    if (Date.now() > limit) throw new Error(`the event stream shows ${updates.length} of ${acknowledged.length} probes`);
  }
  stop();
  return acknowledged.map((time, i) => updates[i] - time);
}

/** Opens n event streams and waits until each had its first event. */
export async function subscribe(system, poll, n) {
  const sockets = [];
  let ready = 0;
  const open = () => new Promise((done, failed) => {
    const socket = connect(system.resultPort, '127.0.0.1');
    sockets.push(socket);
    socket.write(`GET /v1/polls/${poll.id}/results/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`);
    socket.once('data', (data) => (data.includes(' 200 ') ? done((ready += 1)) : failed(new Error(String(data)))));
    socket.on('data', () => {});
    socket.on('error', failed);
  });
  for (let i = 0; i < n; i += 100) await Promise.all(Array.from({ length: Math.min(100, n - i) }, open));
  return { count: ready, close: () => sockets.forEach((socket) => socket.destroy()) };
}
