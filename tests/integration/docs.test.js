// The tables of docs/CONFIGURATION.md and docs/LIMITS.md against what the programs say of themselves.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ROOT, programPath } from '../lib/instance.js';

const programs = ['vote-api', 'worker', 'result-api', 'scrutin-setup', 'scrutin-audit'];

/** The variables of --help with their defaults: `  NAME  sentence` and, below it, `[type; default: value]`. */
function ofHelp(name) {
  const text = execFileSync(programPath(name), ['--help'], { encoding: 'utf8' });
  const rows = [];
  for (const line of text.split('\n')) {
    const variable = /^ {2}([A-Z][A-Z0-9_]+) {2}/.exec(line);
    const fallback = /\[.*(?:default: (.*)|(required))\]$/.exec(line);
    if (variable) rows.push({ variable: variable[1] });
    else if (fallback) rows.at(-1).fallback = fallback[2] ?? fallback[1];
  }
  return rows;
}

function ofConfiguration() {
  return readFileSync(`${ROOT}/docs/CONFIGURATION.md`, 'utf8').split('\n')
    .map((line) => /^\| `([A-Z][A-Z0-9_]+)` \| (?:`([^`]*)`|\((none)\)|(required)) \| ([a-z, -]+) \|/.exec(line))
    .filter(Boolean)
    .map(([, variable, value, none, required, of]) => ({ variable, fallback: value ?? none ?? required, of: of.split(', ') }));
}

for (const name of programs) {
  test(`CONFIGURATION has every variable of ${name}, with its default, and no other`, () => {
    const said = ofHelp(name).map(({ variable, fallback }) => `${variable}=${fallback}`).sort();
    const written = ofConfiguration().filter(({ of }) => of.includes(name)).map(({ variable, fallback }) => `${variable}=${fallback}`).sort();
    assert.ok(said.length > 3);
    assert.deepEqual(written, said);
  });
}

/** What a constant of a header or a setting is: its number, in thousands as people write them. */
function limitOf(name) {
  const setting = ofConfiguration().find(({ variable }) => variable === name);
  if (setting) return setting.fallback;
  const files = execFileSync('git', ['ls-files', '--', '*.h'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    const found = new RegExp(`^#define ${name} (\\(?[0-9* ]+\\)?)`, 'm').exec(readFileSync(`${ROOT}/${file}`, 'utf8'));
    if (found) return found[1].replace(/[() ]/g, '').split('*').reduce((product, n) => product * Number(n), 1);
  }
  throw new Error(`${name} is neither a setting nor a constant`);
}

test('LIMITS names each limit as it is', () => {
  const section = readFileSync(`${ROOT}/docs/LIMITS.md`, 'utf8');
  const rows = [...section.matchAll(/^\| ([^|]+) \| ([^|]+) \| (`[^|]+) \| [^|]+ \|$/gm)];
  assert.ok(rows.length > 20);
  const english = (n) => Number(n).toLocaleString('en-US');
  for (const [, , said, names] of rows) {
    for (const [, name] of names.matchAll(/`(\w+)`/g)) {
      const limit = limitOf(name);
      const [quota, window] = String(limit).split('/').map(Number);
      if (window && quota >= window) assert.equal(said, `${english(quota)} at once, ${english(quota / window)} a second`);
      else if (window) assert.equal(said, `${english(quota)} at once, 1 in ${window / quota} s`);
      else if (name === 'BALLOTS_MAX_BYTES') assert.ok(said.includes(`${limit / 2 ** 30} GiB`), said);
      else if (name === 'MAX_HELD_BYTES') assert.equal(said, `${limit / 2 ** 20} MiB`);
      else if (name === 'BALLOTS_MAX_AGE_S') assert.ok(said.includes(`${limit / 86_400} days`), said);
      else if (name.endsWith('_MS')) assert.equal(said, `${limit / 1000} s`);
      else assert.ok(said.split(' ').includes(english(limit)), `${name} is ${english(limit)}, LIMITS says ${said}`);
    }
  }
});
