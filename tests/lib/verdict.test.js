// Tests of verdict.js: it accepts correct databases, and finds each kind of error.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import { ACKNOWLEDGED, History, REFUSED, UNKNOWN, fateOf } from './history.js';
import { assertNone, explains, judge, judgeStream, legalOutcomes } from './verdict.js';

const FATES = { A: ACKNOWLEDGED, R: REFUSED, U: UNKNOWN };

/** Parses 'a:A b:U', for example: a was acknowledged, then b had an unknown fate. */
const opsOf = (text) =>
  text.split(' ').filter(Boolean).map((word) => ({ selection: word.split(':')[0], fate: FATES[word.split(':')[1]] }));

/** Makes a history with one voter for each line of ops, rows by voter, and books that agree with the rows. */
function world(lines, stored, { received } = {}) {
  const history = new History('poll');
  lines.forEach((line, i) => {
    history.addVoter(`v${i}`, '').ops.push(...opsOf(line));
  });
  const rows = new Map(Object.entries(stored).map(([key, choices]) => [key, { choices, precedence: 1n }]));
  const tally = new Map();
  for (const { choices } of rows.values()) tally.set(choices, (tally.get(choices) ?? 0) + 1);
  const total = received ?? history.count(ACKNOWLEDGED);
  return { history, rows, books: { received: total, counted: rows.size, superseded: total - rows.size, rejected: 0, tally } };
}

const outcomes = (line, revisable) => {
  const { sure, late, absent } = legalOutcomes(opsOf(line), revisable);
  return { sure: [...sure].join(''), late: [...late].join(''), absent };
};

test('a revisable poll: what may stand', () => {
  assert.deepEqual(outcomes('a:A b:A', true), { sure: 'b', late: '', absent: false });
  assert.deepEqual(outcomes('a:A b:U', true), { sure: 'ab', late: '', absent: false });
  assert.deepEqual(outcomes('a:U b:A', true), { sure: 'b', late: 'a', absent: false });
  assert.deepEqual(outcomes('a:A b:R', true), { sure: 'a', late: '', absent: false });
  assert.deepEqual(outcomes('a:U b:R', true), { sure: 'a', late: '', absent: true });
  assert.deepEqual(outcomes('', true), { sure: '', late: '', absent: true });
});

test('first ballot final: what may stand', () => {
  assert.deepEqual(outcomes('a:A b:A', false), { sure: 'a', late: '', absent: false });
  assert.deepEqual(outcomes('a:U b:A c:U', false), { sure: 'ab', late: '', absent: false });
  assert.deepEqual(outcomes('a:R b:A', false), { sure: 'b', late: '', absent: false });
  assert.deepEqual(outcomes('a:U b:U', false), { sure: 'ab', late: '', absent: true });
});

test('the fate of an answer', () => {
  assert.equal(fateOf(202), ACKNOWLEDGED);
  assert.equal(fateOf(400, '/problems/invalid-json'), REFUSED);
  assert.equal(fateOf(409, '/problems/poll-closed'), REFUSED);
  assert.equal(fateOf(503, '/problems/not-recorded'), UNKNOWN);
  assert.equal(fateOf(503, '/problems/stream-full'), REFUSED);
  assert.equal(fateOf(500, '/problems/internal'), UNKNOWN);
  assert.equal(fateOf(undefined), UNKNOWN);
});

const RIGHT = [
  ['revised, last one stands', ['a:A b:A', 'a:A'], { v0: 'b', v1: 'a' }],
  ['an unknown one was recorded', ['a:A b:U'], { v0: 'b' }, { received: 2 }],
  ['an unknown one was not recorded', ['a:A b:U'], { v0: 'a' }, { received: 1 }],
  ['nothing acknowledged, nothing there', ['a:U', 'a:R'], {}, { received: 0 }],
];
for (const [name, lines, stored, more] of RIGHT) {
  test(`passes: ${name}`, () => {
    const { history, rows, books } = world(lines, stored, more);
    assert.deepEqual(judge(history, rows, books).violations, []);
  });
}

const WRONG = [
  ['a lost ballot', /^lost: voter v1/, ['a:A', 'b:A'], { v0: 'a' }, { received: 1 }],
  ['an earlier ballot stands', /^wrong: voter v0 has "a"/, ['a:A b:A'], { v0: 'a' }],
  ['a refused ballot counts', /^wrong: voter v0 has "b"/, ['a:A b:R'], { v0: 'b' }],
  ['a selection nobody made', /^wrong: voter v0 has "z"/, ['a:A'], { v0: 'z' }],
  ['a voter who never voted', /^invented: voter v9/, ['a:A'], { v0: 'a', v9: 'a' }],
  ['more received than sent', /received 3 is more than 1 acknowledged and 1 unknown/, ['a:A b:U'], { v0: 'a' }, { received: 3 }],
  ['less received than acknowledged', /received 1 is less than 2/, ['a:A b:A'], { v0: 'b' }, { received: 1 }],
];
for (const [name, pattern, lines, stored, more] of WRONG) {
  test(`finds: ${name}`, () => {
    const { history, rows, books } = world(lines, stored, more);
    const { violations } = judge(history, rows, books);
    assert.ok(violations.some((violation) => pattern.test(violation)), violations.join('\n') || 'found nothing');
    assert.throws(() => assertNone(violations));
  });
}

test('finds: a tally that counts a ballot twice, and a ledger that does not add up', () => {
  const { history, rows, books } = world(['a:A', 'b:A'], { v0: 'a', v1: 'b' });
  books.tally.set('a', 2);
  assert.match(judge(history, rows, books).violations.join(), /tally: a is 2, a recount gives 1/);
  books.tally.set('a', 1);
  books.superseded = 1;
  assert.match(judge(history, rows, books).violations.join(), /received 2 is not 2 counted \+ 1 superseded/);
  books.superseded = 0;
  books.counted = 1;
  assert.match(judge(history, rows, books).violations.join(), /counted 1, but there are 2 ballots/);
});

test('first ballot final: an acknowledged later one must not stand', () => {
  const { history, rows, books } = world(['a:A b:A'], { v0: 'b' });
  assert.match(judge(history, rows, books, { revisable: false }).violations.join(), /wrong: voter v0/);
  rows.get('v0').choices = 'a';
  books.tally = new Map([['a', 1]]);
  assert.deepEqual(judge(history, rows, books, { revisable: false }).violations, []);
});

test('what explains the ballots of a voter in the stream', () => {
  assert.ok(explains(opsOf('a:A b:A'), ['a', 'b']));
  assert.ok(!explains(opsOf('a:A b:A'), ['b', 'a']), 'order');
  assert.ok(!explains(opsOf('a:A b:A'), ['a', 'b', 'b']), 'doubled');
  assert.ok(!explains(opsOf('a:A b:A'), ['b']), 'lost');
  assert.ok(explains(opsOf('a:A b:U c:A'), ['a', 'c']), 'an unknown one that is not there');
  assert.ok(explains(opsOf('a:A b:U c:A'), ['a', 'b', 'c']), 'an unknown one in its place');
  assert.ok(explains(opsOf('a:A b:U c:A'), ['a', 'c', 'b']), 'an unknown one that came late');
  assert.ok(!explains(opsOf('a:A b:U c:A'), ['b', 'a', 'c']), 'an unknown one before it was cast');
  assert.ok(!explains(opsOf('a:A b:U c:A'), ['a', 'b', 'c', 'b']), 'an unknown one twice');
  assert.ok(!explains(opsOf('a:A b:R'), ['a', 'b']), 'a refused one');
  assert.ok(explains(opsOf('a:U a:A'), ['a']), 'either of two that look the same');
  assert.ok(explains(opsOf('a:U a:A a:U'), ['a', 'a', 'a']));
});

test('the replayed stream decides whether a late ballot may stand', () => {
  const { history, rows, books } = world(['a:U b:A'], { v0: 'a' }, { received: 2 });
  assert.equal(judge(history, rows, books).late, 1);
  assert.deepEqual(judge(history, rows, books).violations, []);
  const late = [{ voter: 'v0', choices: 'b', ordinal: 1n }, { voter: 'v0', choices: 'a', ordinal: 2n }];
  rows.get('v0').precedence = 2n;
  assert.deepEqual(judgeStream(history, late, rows, books), []);
  const early = [{ voter: 'v0', choices: 'a', ordinal: 1n }, { voter: 'v0', choices: 'b', ordinal: 2n }];
  assert.match(judgeStream(history, early, rows, books).join(), /replay: voter v0 has "a" at 2, the stream replayed gives "b"/);
});

test('the replayed stream finds a row with the wrong precedence and a ledger that received too much', () => {
  const { history, rows, books } = world(['a:A'], { v0: 'a' }, { received: 2 });
  books.superseded = 1;
  const violations = judgeStream(history, [{ voter: 'v0', choices: 'a', ordinal: 5n }], rows, books).join();
  assert.match(violations, /has "a" at 1, the stream replayed gives "a" at 5/);
  assert.match(violations, /received 2, the stream holds 1/);
});
