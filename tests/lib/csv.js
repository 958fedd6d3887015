// Reads our CSV files (result-api/tally/csv.h) as a program should, and as a spreadsheet does.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './instance.js';

const PASSED_OVER = String.raw`(?:[^\S\t\r\n]|[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\p{Cf}|["'])`;
const GUARD = new RegExp(`(^|[;,\\t\\r\\n])(${PASSED_OVER}*)'(?=[=+\\-@\\t\\r\\n＝＋－＠﹦﹢﹣﹫−])`, 'gu');

/** The fields of each line (RFC 4180), without the apostrophes that keep spreadsheets from calculating. */
export function parseCsv(text) {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  const lines = [];
  let line = [];
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const found = field.exec(text);
    assert.ok(found, `no field at ${at}: ${text.slice(at, at + 40)}`);
    const [, quoted, plain, end] = found;
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"').replace(GUARD, '$1$2'));
    if (end === ',') continue;
    lines.push(line);
    line = [];
  }
  assert.deepEqual(line, [], 'the last line ends');
  return lines;
}

const FRENCH = 1036; // the language's number in Windows
const UTF8 = 76;

/** Opens files with LibreOffice in a French locale. Gives the formulas that it finds in each: `{name: [formula]}`.
 *  `separator` is the separator of fields that LibreOffice uses. */
export async function formulasOf(files, separator) {
  const folder = mkdtempSync(join(tmpdir(), 'scrutin-csv-'));
  try {
    mkdirSync(join(folder, 'out'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.csv`), text);
    // The fields: separator, quote, character set, first line, column formats, language, quoted fields as text, special numbers.
    const filter = `CSV:${separator.charCodeAt(0)},34,${UTF8},1,,${FRENCH},false,true`;
    await runProgram('soffice', [`-env:UserInstallation=file://${join(folder, 'profile')}`, '--headless', '--convert-to', 'fods',
      `--infilter=${filter}`, '--outdir', join(folder, 'out'), ...Object.keys(files).map((name) => join(folder, `${name}.csv`))],
    { PATH: process.env.PATH, HOME: folder, LANG: 'fr_FR.UTF-8' });
    return Object.fromEntries(Object.keys(files).map((name) =>
      [name, [...readFileSync(join(folder, 'out', `${name}.fods`), 'utf8').matchAll(/table:formula="([^"]*)"/g)].map(([, formula]) => formula)]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
