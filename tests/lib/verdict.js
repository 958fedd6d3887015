// The verdict: compares the responses that the voters got with the content of the database. Pure: it asks no server.
// SPDX-License-Identifier: MIT
//
// The operations of a voter are sequential: the next one is invoked after the last one has its fate. So only a ballot of unknown
// fate is concurrent with others. It may have been recorded at any moment after it was invoked, or never.
//
// By the history alone, the database may have this ballot of a voter:
//
//   poll may be revised    the last acknowledged ballot L, or an unknown one that was invoked after L.
//                          An unknown one from before L is possible only if the broker got it after L (a late packet
//                          of an abandoned connection). Then it is after L in the stream. The history alone cannot
//                          tell this, so the ballot is counted as `late`, and judgeStream decides.
//   first ballot is final  the first acknowledged ballot F, or an unknown one that was invoked before F. A ballot that
//                          was invoked after F was acknowledged is after F in the stream and can never count.
//   nothing acknowledged   nothing, or any unknown ballot.
//
// It must never have a refused ballot, an acknowledged ballot that a later one replaced, or a voter who did not vote.
//
// The stream keeps every message, so it is a second record. judgeStream requires that it has every acknowledged ballot once and in
// order, no refused one, and each unknown one at most once. Replaying the stream must give the content of the database.
import { ACKNOWLEDGED, REFUSED, UNKNOWN } from './history.js';

const SHOWN = 20; // violations in the error message, at most

/** The ballots that the database may have of a voter: {sure: Set, late: Set, absent: whether it may have none}. */
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
 *  others the number of ballots of publishers that are not in the history
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

/** Compares the tally and the ledger with a recount of the rows. */
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
 *  since    for each voter key, the row from before these ballots, if the stream was wiped and there was a row */
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

/** Whether the operations of a voter explain the voter's ballots in the stream. Every acknowledged operation must be there, in
 *  order. All others must be unknown ones, each at most once, and after the acknowledged ones that were invoked earlier. */
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
      if (nextAcked < acked.length && i > acked[nextAcked]) break; // it must come after this acknowledged one
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

/** Throws if there is a violation. The error has the number of violations and the first ones. */
export function assertNone(violations, what = 'verdict') {
  if (violations.length === 0) return;
  const more = violations.length > SHOWN ? `\n  and ${violations.length - SHOWN} more` : '';
  throw new Error(`${what}: ${violations.length} violations\n  ${violations.slice(0, SHOWN).join('\n  ')}${more}`);
}
