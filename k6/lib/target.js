// The address of the system under test, the poll of the run, and the tags of each request.
// SPDX-License-Identifier: MIT
import http from 'k6/http';
import { check, fail, sleep } from 'k6';

export const VOTE_URL = (__ENV.VOTE_URL || 'https://127.0.0.1:8081').replace(/\/$/, '');
export const RESULT_URL = (__ENV.RESULT_URL || 'https://127.0.0.1:8082').replace(/\/$/, '');
export const API_KEY = __ENV.API_KEY || (__ENV.API_KEY_FILE ? open(__ENV.API_KEY_FILE).trim() : '');
export const OPTIONS = ['a', 'b', 'c', 'd'];

const JSON_TYPE = { 'Content-Type': 'application/json' };
const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

/** Parameters of a request. Its name is the route, so that ids do not create series of their own. */
export function named(name, more = {}) {
  return { timeout: '10s', ...more, tags: { name, ...more.tags } };
}

export function sendJson(method, url, name, value, token, more = {}) {
  return http.request(method, url, JSON.stringify(value), named(name, { ...more, headers: { ...JSON_TYPE, ...bearer(token), ...more.headers } }));
}

/** Checks the protocol of an answer: with TLS it must be HTTP/2. */
export function checkProtocol(answer) {
  if (answer.status === 0 || !answer.url.startsWith('https:')) return;
  check(answer, { 'HTTP/2 through TLS': ({ proto }) => proto === 'HTTP/2.0' });
}

/** Creates the poll of this run. setup() gives the result to all iterations and to the summary. */
export function makePoll(title, more = {}) {
  const answer = sendJson('POST', `${VOTE_URL}/v1/polls`, 'POST polls', { title, options: OPTIONS.map((id) => ({ id, label: id.toUpperCase() })), ...more }, API_KEY);
  if (answer.status !== 201) fail(`POST ${VOTE_URL}/v1/polls: ${answer.status} ${answer.error || ''} ${answer.body || ''}`);
  const { id, manage_token: token } = answer.json();
  awaitPoll(id);
  return { poll: id, token };
}

/** Waits until result-api knows the poll. The broker tells it a moment after vote-api has created the poll. */
function awaitPoll(id) {
  const url = `${RESULT_URL}/v1/polls/${id}/results`;
  const mayBeUnknown = { responseCallback: http.expectedStatuses(200, 404, 503) };
  for (let tries = 0; http.get(url, named('await poll', mayBeUnknown)).status !== 200; tries++) {
    if (tries === 100) fail(`${url}: result-api does not know the poll that vote-api has just made`);
    sleep(0.2);
  }
}

export function changePoll({ poll, token }, change) {
  return sendJson('PATCH', `${VOTE_URL}/v1/polls/${poll}`, 'PATCH poll', change, token);
}
