// Where the system under test is, what the run makes there, and how each request is tagged.
// SPDX-License-Identifier: MIT
import http from 'k6/http';
import { check, fail } from 'k6';

export const VOTE_URL = (__ENV.VOTE_URL || 'https://127.0.0.1:8081').replace(/\/$/, '');
export const RESULT_URL = (__ENV.RESULT_URL || 'https://127.0.0.1:8082').replace(/\/$/, '');
export const API_KEY = __ENV.API_KEY || '';
export const OPTIONS = ['a', 'b', 'c', 'd'];

const JSON_TYPE = { 'Content-Type': 'application/json' };
const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

/** Parameters of a request: the route as its name, so that ids make no series of their own. */
export function named(name, more = {}) {
  return { timeout: '10s', ...more, tags: { name, ...more.tags } };
}

export function sendJson(method, url, name, value, token, more = {}) {
  return http.request(method, url, JSON.stringify(value), named(name, { ...more, headers: { ...JSON_TYPE, ...bearer(token), ...more.headers } }));
}

/** The protocol of an answer: through TLS it must be HTTP/2. */
export function checkProtocol(answer) {
  if (answer.status === 0 || !answer.url.startsWith('https:')) return;
  check(answer, { 'HTTP/2 through TLS': ({ proto }) => proto === 'HTTP/2.0' });
}

/** Makes the poll of this run; what setup() gives to all iterations and to the summary. */
export function makePoll(title, more = {}) {
  const answer = sendJson('POST', `${VOTE_URL}/v1/polls`, 'POST polls', { title, options: OPTIONS.map((id) => ({ id, label: id.toUpperCase() })), ...more }, API_KEY);
  if (answer.status !== 201) fail(`POST ${VOTE_URL}/v1/polls: ${answer.status} ${answer.error || ''} ${answer.body || ''}`);
  const { id, manage_token: token } = answer.json();
  return { poll: id, token };
}

export function changePoll({ poll, token }, change) {
  return sendJson('PATCH', `${VOTE_URL}/v1/polls/${poll}`, 'PATCH poll', change, token);
}
