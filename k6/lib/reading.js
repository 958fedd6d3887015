// Requests of people who watch: results, results with an ETag, receipts, and event streams as far as k6 can read them.
// SPDX-License-Identifier: MIT
import http from 'k6/http';
import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { RESULT_URL, checkProtocol, named } from './target.js';

const events = new Counter('stream_events');
const held = new Counter('streams_ended');
const firstByte = new Trend('stream_first_byte', true);

let etag = ''; // of this virtual user

/** Reads results like a page: a full answer the first time, 304 when nothing has changed. */
export function readResults(poll) {
  const headers = etag ? { 'If-None-Match': etag } : {};
  const answer = http.get(`${RESULT_URL}/v1/polls/${poll}/results`,
    named('GET results', { headers, responseCallback: http.expectedStatuses(200, 304) }));
  checkProtocol(answer);
  check(answer, {
    'results are given': ({ status }) => status === 200 || status === 304,
    'ledger adds up': ({ status, body }) => status !== 200 || addsUp(JSON.parse(body).ledger),
  });
  if (answer.status === 200) etag = answer.headers.Etag || '';
}

const addsUp = ({ received, counted, superseded, rejected }) => received === counted + superseded + rejected;

export function readReceipt(receipt) {
  const answer = http.get(`${RESULT_URL}/v1/receipts`, named('GET receipt', { headers: { 'Scrutin-Receipt': receipt } }));
  check(answer, { 'receipt is known': ({ status }) => status === 200 });
}

/** Holds an event stream until the server ends it, then checks all its events. While the host of the journey hides the
 *  results, the right answer is 403. */
export function holdStream(poll) {
  const answer = http.get(`${RESULT_URL}/v1/polls/${poll}/results/stream`,
    named('GET stream', { timeout: '30s', headers: { Accept: 'text/event-stream' }, responseCallback: http.expectedStatuses(200, 403) }));
  checkProtocol(answer);
  check(answer, { 'stream is given, or hidden': ({ status }) => status === 200 || status === 403 });
  if (answer.status !== 200) return;
  const snapshots = (answer.body || '').split('\n').filter((line) => line.startsWith('data: '));
  firstByte.add(answer.timings.waiting);
  events.add(snapshots.length);
  held.add(1);
  const received = snapshots.map((line) => JSON.parse(line.slice(6)).ledger.received);
  check(received, {
    'stream has a snapshot': (list) => list.length > 0,
    'snapshots never go back': (list) => list.every((n, i) => i === 0 || n >= list[i - 1]),
  });
}
