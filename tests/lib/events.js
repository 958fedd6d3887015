// Reads a stream of server-sent events, over HTTP/1.1 or HTTP/2.
// SPDX-License-Identifier: MIT
import http from 'node:http';
import http2 from 'node:http2';
import { noteRequest } from './leaks.js';
import { until, within } from './wait.js';

export class EventStream {
  /** Opens a stream and waits for the head of the response. */
  static open(origin, path, { protocol = 'HTTP/1.1', lastEventId, headers: more = {} } = {}) {
    const stream = new EventStream();
    const headers = { accept: 'text/event-stream', ...more,
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }) };
    noteRequest({ path, headers });
    stream.events = []; // {id, event, data}
    stream.comments = 0;
    stream.isClosed = false;
    stream.seen = 0;
    let rest = '';
    const onText = (text) => {
      rest += text;
      const blocks = rest.split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) stream.take(block);
    };
    const opened = new Promise((done, failed) => {
      const onHead = (status, fields, body) => {
        if (status !== 200) failed(new Error(`${path}: ${status}`));
        stream.headers = fields;
        body.setEncoding('utf8').on('data', onText).on('error', () => {}).on('close', () => (stream.isClosed = true));
        done(stream);
      };
      if (protocol === 'HTTP/2') {
        const session = http2.connect(origin);
        session.on('error', failed);
        const request = session.request({ ':path': path, ...headers });
        request.on('error', failed);
        request.on('response', (fields) => onHead(fields[':status'], fields, request));
        stream.close = () => session.destroy();
      } else {
        const request = http.get(new URL(path, origin), { headers, agent: false }, (response) =>
          onHead(response.statusCode, response.headers, response));
        request.on('error', failed);
        stream.close = () => request.destroy();
      }
    });
    return within(30_000, `the event stream ${path} opens`, opened);
  }

  take(block) {
    const event = { data: '' };
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments++;
      const [, name, value] = line.match(/^(\w+): ?(.*)$/) ?? [];
      if (name === 'data') event.data += value;
      else if (name) event[name] = value;
    }
    if (event.data) this.events.push({ ...event, data: JSON.parse(event.data) });
  }

  /** Gives the next event, and waits for it. */
  next() {
    return this.nextWhere(() => true);
  }

  nextWhere(holds) {
    return until('an event comes', () => {
      while (this.seen < this.events.length) {
        const event = this.events[this.seen++];
        if (holds(event)) return event;
      }
      if (this.isClosed) throw new Error('the stream was closed');
      return null;
    }, { every: 5 });
  }
}
