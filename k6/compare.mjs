// Compares the ballots that k6 saw acknowledged with the ledger of the run's poll, after the run. Exit code 0 or 1.
// SPDX-License-Identifier: MIT
//
// usage: RESULT_URL=... [SETTLE_S=15] node k6/compare.mjs SUMMARY
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Returns what is wrong, as sentences. Unknown ballots (no answer, or 5xx) may be in the database or not. */
export function compare({ ballots, voters }, ledger) {
  const wrong = [];
  const within = (what, n, { sent, acknowledged, refused }) => {
    const most = sent - refused;
    if (n < acknowledged) wrong.push(`${what}: ${n}, which is ${acknowledged - n} fewer than the ${acknowledged} acknowledged`);
    if (n > most) wrong.push(`${what}: ${n}, which is ${n - most} more than the ${most} that can have arrived`);
  };
  within('received', ledger.received, ballots);
  within('counted', ledger.counted, voters);
  if (ledger.rejected !== 0) wrong.push(`rejected: ${ledger.rejected}, and all were valid`);
  if (ledger.received !== ledger.counted + ledger.superseded + ledger.rejected) wrong.push(`the ledger does not add up: ${JSON.stringify(ledger)}`);
  if (ballots.acknowledged === 0) wrong.push('not one ballot was acknowledged');
  return wrong;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function readLedger(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()).ledger;
}

/** Returns the ledger as soon as nothing is pending and nothing is wrong. Otherwise it waits until the ledger has not
 *  changed for `settle` seconds, because result-api may learn of the last ballots later than k6. */
async function settledLedger(url, summary, { settle = 15, patience = 120 } = {}) {
  const began = Date.now();
  let last, since = began, trouble;
  while (Date.now() - began < patience * 1000) {
    try {
      const ledger = await readLedger(url);
      if (ledger.pending === 0 && compare(summary, ledger).length === 0) return ledger;
      if (JSON.stringify(ledger) !== JSON.stringify(last)) [last, since] = [ledger, Date.now()];
      if (ledger.pending === 0 && Date.now() - since >= settle * 1000) return ledger;
    } catch (error) {
      trouble = error; // a busy server may say 503
    }
    await pause(200);
  }
  throw new Error(`${url}: not settled after ${patience} s: ${last ? JSON.stringify(last) : trouble?.message}`);
}

async function main([file]) {
  const { INSECURE, RESULT_URL, SETTLE_S } = process.env;
  if (INSECURE === '1') {
    process.removeAllListeners('warning'); // k6 ran with the same setting
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  }
  const summary = JSON.parse(readFileSync(file, 'utf8'));
  const ledger = await settledLedger(`${RESULT_URL}/v1/polls/${summary.poll}/results`, summary, { settle: SETTLE_S });
  const wrong = compare(summary, ledger);
  const { sent, acknowledged, refused } = summary.ballots;
  console.log(`  acknowledged ${acknowledged}, of unknown fate ${sent - acknowledged - refused}; in the database ${JSON.stringify(ledger)}: ${wrong.length === 0 ? 'equal' : 'NOT EQUAL'}`);
  for (const sentence of wrong) console.error(`  ${sentence}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`  could not compare: ${error.message}`);
    process.exitCode = 1;
  });
}
