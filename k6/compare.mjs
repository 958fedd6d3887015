// After a run: what k6 saw acknowledged beside what the database counts, by the ledger of the run's poll. Exit code 0 or 1.
// SPDX-License-Identifier: MIT
//
// usage: RESULT_URL=... node k6/compare.mjs SUMMARY
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** What is wrong, as sentences. Ballots of unknown fate (no answer, or 5xx) may be in the database or not. */
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

/** The ledger once nothing is pending. */
async function settledLedger(url, patience = 120_000) {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    const { ledger } = await answer.json();
    if (ledger.pending === 0) return ledger;
    if (Date.now() > deadline) throw new Error(`${url}: still pending after ${patience / 1000} s: ${JSON.stringify(ledger)}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

async function main([file]) {
  const { INSECURE, RESULT_URL } = process.env;
  if (INSECURE === '1') {
    process.removeAllListeners('warning'); // k6 ran with the same
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  }
  const summary = JSON.parse(readFileSync(file, 'utf8'));
  const ledger = await settledLedger(`${RESULT_URL}/v1/polls/${summary.poll}/results`);
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
