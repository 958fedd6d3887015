// Tests of leaks.js: it finds the secrets in logs, and nothing else.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import { findLeaks, noteAnswer, noteRequest } from './leaks.js';

const RECEIPT = 'k1.AAAABBBBCCCCDDDDEEEE_-0123456789';

noteRequest({ path: `/v1/receipts/${RECEIPT}`, localAddress: '127.0.0.77',
  headers: { authorization: 'Bearer k1.tokenTOKENtokenTOKEN', 'x-forwarded-for': '2001:db8::5, 198.51.100.77' },
  body: JSON.stringify({ ballots: [{ voter: 'somebody@a-gateway.example', selection: { 'my-dear-choice': 5 } }] }) });
noteAnswer({ headers: { 'set-cookie': ['voter_id=k1.cookieCOOKIEcookie; HttpOnly'] },
  text: '{"manage_token":"manageMANAGEmanage","codes":["ABCD-EFGH-2345"]}' });

for (const line of [
  'client: 192.0.2.1, server: _', 'GET /x?receipt=a', 'request: "GET / HTTP/1.1"', 'DETAIL:  Failing row contains (1)', 'nats://me:secret@host:4222',
  'tokenTOKENtokenTOKEN', 'x=cookieCOOKIEcookie;', 'manageMANAGEmanage', 'the code ABCD-EFGH-2345', '(my-dear-choice)', 'AAAABBBBCCCCDDDDEEEE_-0123456789',
  'from 127.0.0.77:4711', 'from [2001:db8::5]:1', 'from 198.51.100.77',
]) {
  test(`finds: ${line}`, () => assert.equal(findLeaks('log', `one\n${line}\nthree`).length, 1));
}

for (const line of [
  '', 'connect() to 127.0.0.1:8081', '{"event":"requests limited","client":"198.51.100.77"}', '2026-01-31T12:00:00.123Z started', 'my-dear-choices',
]) {
  test(`lets pass: ${line}`, () => assert.deepEqual(findLeaks('log', line), []));
}
