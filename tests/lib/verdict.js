// The verdict: holds what the voters were told against what the database has. Pure; nothing here asks a server.
// SPDX-License-Identifier: MIT
//
// A voter's operations are sequential: the next one is invoked when the last one has its fate. So the only concurrency
// is that of a ballot of unknown fate: it may have been recorded at any moment after it was invoked, or never.
//
// What may stand in the database for a voter, by the history alone:
//
//   poll may be revised    the last acknowledged ballot L, or an unknown one that was invoked after L.
//                          An unknown one from before L is possible only when the broker got it after L (a late
//                          packet of a connection that was given up); the stream then shows it behind L, and the
//                          history alone cannot tell, so it is counted as `late` and judgeStream decides.
//   first ballot is final  the first acknowledged ballot F, or an unknown one that was invoked before F. One that was
//                          invoked after F was acknowledged is behind F in the stream and can never count.
//   nothing acknowledged   nothing, or any unknown ballot.
//
// Never: a refused ballot, an acknowledged one that another acknowledged one replaces, a voter who never voted.
//
// The stream keeps every message, so it is the second witness: judgeStream wants every acknowledged ballot in it, in
// order and once, no refused one, an unknown one at most once, and the database equal to the stream replayed.
import { ACKNOWLEDGED, REFUSED, UNKNOWN } from './history.js';

const SHOWN = 20; // violations that are spelled out

/** What may stand for a voter: {sure: Set, late: Set, absent: whether nothing may stand}. */
export function legalOutcomes(ops, revisable) {
  const fates = ops.map((op) => op.fate);
  const anchor = revisable ? fates.lastIndexOf(ACKNOWLEDGED) : fates.indexOf(ACKNOWLEDGED);
  const sure = new Set();
  const late = new Set();
  ops.forEach((op, i) => {
    if (i === anchor) sure.add(op.selection);
    if (op.fate !== UNKNOWN) return;
    if (anchor < 0 || (revisable ? i > anchor : i < anchor)) sure.add(op.selection);
    else if (revisable) late.add(op.selection);
  });
  return { sure, late, absent: anchor < 0 };
}

/** Judges the rows of one poll by the history alone.
 *
 *  rows   Map from voter key to {choices, precedence}
 *  books  {received, counted, superseded, rejected, tally: Map choice → n}: the poll's ledger and tally
 *  others how many ballots somebody else has published, who is not in the history
 *
 *  Gives {violations, late, acknowledged, unknown, refused, unknownFound}. */
export function judge(history, rows, books, { revisable = true, others = 0 } = {}) {
  const violations = [];
  const known = new Map(history.voters.map((voter) => [voter.key, voter]));
  let late = 0;

  for (const voter of history.voters) {
    const row = rows.get(voter.key);
    const legal = legalOutcomes(voter.ops, revisable);
    if (!row) {
      if (!legal.absent) violations.push(`lost: voter ${voter.key} has no row, but ${describe(voter.ops)}`);
    } else if (!legal.sure.has(row.choices)) {
      if (legal.late.has(row.choices)) late++;
      else violations.push(`wrong: voter ${voter.key} has "${row.choices}", but ${describe(voter.ops)}`);
    }
  }
  for (const key of rows.keys()) {
    if (!known.has(key)) violations.push(`invented: voter ${key} has a row and never voted`);
  }

  const acknowledged = history.count(ACKNOWLEDGED);
  const unknown = history.count(UNKNOWN);
  const unknownFound = books.received - others - acknowledged;
  if (unknownFound < 0) violations.push(`received ${books.received} is less than ${acknowledged} acknowledged`);
  if (unknownFound > unknown) {
    violations.push(`received ${books.received} is more than ${acknowledged + others} acknowledged and ${unknown} unknown`);
  }
  violations.push(...judgeBooks(rows, books));
  return { violations, late, acknowledged, unknown, refused: history.count(REFUSED), unknownFound };
}

/** The tally and the ledger against a recount of the rows. */
export function judgeBooks(rows, books) {
  const violations = [];
  const recount = new Map();
  for (const { choices } of rows.values()) {
    for (const choice of choices.split(' ')) recount.set(choice, (recount.get(choice) ?? 0) + 1);
  }
  for (const choice of new Set([...recount.keys(), ...books.tally.keys()])) {
    const is = books.tally.get(choice) ?? 0;
    const should = recount.get(choice) ?? 0;
    if (is !== should) violations.push(`tally: ${choice} is ${is}, a recount gives ${should}`);
  }
  if (books.counted !== rows.size) violations.push(`ledger: counted ${books.counted}, but there are ${rows.size} ballots`);
  if (books.received !== books.counted + books.superseded + books.rejected) {
    violations.push(`ledger: received ${books.received} is not ${books.counted} counted + ${books.superseded} superseded`
      + ` + ${books.rejected} rejected`);
  }
  return violations;
}

/** Judges history and rows by the stream.
 *
 *  ballots  of the poll in the order of the stream: {voter, choices, ordinal (bigint), late: after a fence, does not count}
 *  since    per voter key the row that stood before these ballots, where there was one (a stream that was wiped) */
export function judgeStream(history, ballots, rows, books, { revisable = true, since = new Map(), receivedBefore = 0 } = {}) {
  const violations = [];
  const byVoter = new Map();
  for (const ballot of ballots) {
    if (!byVoter.has(ballot.voter)) byVoter.set(ballot.voter, []);
    byVoter.get(ballot.voter).push(ballot);
  }

  for (const voter of history.voters) {
    const found = byVoter.get(voter.key) ?? [];
    if (!explains(voter.ops, found.map((ballot) => ballot.choices))) {
      violations.push(`stream: voter ${voter.key} has ${found.map((ballot) => ballot.choices).join(', ') || 'nothing'}`
        + ` in the stream, but ${describe(voter.ops)}`);
    }
  }

  const expected = new Map(since);
  for (const ballot of ballots) {
    if (ballot.late) continue;
    const precedence = revisable ? ballot.ordinal : -ballot.ordinal;
    const standing = expected.get(ballot.voter);
    if (!standing || precedence > standing.precedence) expected.set(ballot.voter, { choices: ballot.choices, precedence });
  }
  for (const key of new Set([...expected.keys(), ...rows.keys()])) {
    const is = rows.get(key);
    const should = expected.get(key);
    if (is?.choices !== should?.choices || is?.precedence !== should?.precedence) {
      violations.push(`replay: voter ${key} has ${show(is)}, the stream replayed gives ${show(should)}`);
    }
  }
  const late = ballots.filter((ballot) => ballot.late).length;
  if (late > books.rejected) violations.push(`replay: ${late} ballots came after a fence, and ${books.rejected} are rejected`);
  if (books.received !== receivedBefore + ballots.length) {
    violations.push(`replay: received ${books.received}, the stream holds ${ballots.length} after ${receivedBefore}`);
  }
  return violations;
}

const show = (row) => (row ? `"${row.choices}" at ${row.precedence}` : 'nothing');

/** Whether a voter's operations explain what the stream holds of the voter: every acknowledged one is in it, in order;
 *  what else is there is an unknown one, each at most once and not before what was acknowledged ahead of it. */
export function explains(ops, found) {
  const acked = ops.flatMap((op, i) => (op.fate === ACKNOWLEDGED ? [i] : []));
  const unknown = ops.flatMap((op, i) => (op.fate === UNKNOWN ? [i] : []));
  const used = new Set();

  const match = (item, nextAcked) => {
    if (item === found.length) return nextAcked === acked.length;
    if (nextAcked < acked.length && ops[acked[nextAcked]].selection === found[item] && match(item + 1, nextAcked + 1)) {
      return true;
    }
    for (const i of unknown) {
      if (nextAcked < acked.length && i > acked[nextAcked]) break; // invoked after something that is still to come
      if (used.has(i) || ops[i].selection !== found[item]) continue;
      used.add(i);
      if (match(item + 1, nextAcked)) return true;
      used.delete(i);
    }
    return false;
  };
  return match(0, 0);
}

function describe(ops) {
  return `the history is ${ops.slice(-12).map((op) => `${op.selection} ${op.fate}${op.status ? ` ${op.status}` : ''}`).join(', ')}`;
}

/** Throws when there is a violation; says how many and the first ones. */
export function assertNone(violations, what = 'verdict') {
  if (violations.length === 0) return;
  const more = violations.length > SHOWN ? `\n  and ${violations.length - SHOWN} more` : '';
  throw new Error(`${what}: ${violations.length} violations\n  ${violations.slice(0, SHOWN).join('\n  ')}${more}`);
}
