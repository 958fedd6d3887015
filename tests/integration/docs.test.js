// The tables of docs/CONFIGURATION.md and docs/LIMITS.md against what the programs and their headers say.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BUILD_DIR, ROOT, programPath } from '../lib/instance.js';

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

/** What a constant of a header is, or a setting by default: in each program that has it. */
function limitsOf(name) {
  const settings = ofConfiguration().filter(({ variable }) => variable === name);
  if (settings.length > 0) return settings.map(({ fallback }) => fallback);
  const files = execFileSync('git', ['ls-files', '--', '*.h'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    const found = new RegExp(`^#define ${name} (\\(?[0-9* ]+\\)?)`, 'm').exec(readFileSync(`${ROOT}/${file}`, 'utf8'));
    if (found) return [found[1].replace(/[() ]/g, '').split('*').reduce((product, n) => product * Number(n), 1)];
  }
  throw new Error(`${name} is neither a setting nor a constant`);
}

test('LIMITS names each limit as it is', () => {
  const page = readFileSync(`${ROOT}/docs/LIMITS.md`, 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)`(?: \(fixed\))? \| ([^|]+) \| [a-z, -]+ \| .+ \|$/gm)];
  assert.ok(rows.length > 50);
  const english = (n) => Number(n).toLocaleString('en-US');
  for (const [, name, said] of rows) {
    const limit = limitsOf(name);
    const wanted = limit.map((value) => {
      const [quota, window] = String(value).split('/').map(Number);
      if (window) return `${english(quota)} at once, ${quota >= window ? `${english(quota / window)} a second` : `1 in ${window / quota} s`}`;
      if (name === 'BALLOTS_MAX_BYTES') return `${value / 2 ** 30} GiB`;
      if (name === 'MAX_HELD_BYTES') return `${value / 2 ** 20} MiB`;
      if (name.endsWith('_BODY_MAX')) return `${value / 2 ** 10} KiB`;
      if (name.endsWith('_MS')) return `${value / 1000} s`;
      if (name.endsWith('_S')) return `${english(value)} s`;
      return english(value);
    });
    // A longer unit may stand behind it: "86,400 s (1 day)".
    assert.ok(wanted.includes(said.replace(/ \([0-9.]+ days?\)$| %$/, '')), `${name} is ${wanted.join(' or ')}, LIMITS says ${said}`);
  }
});

test('LIMITS has every setting that is a quota or a maximum', () => {
  const page = readFileSync(`${ROOT}/docs/LIMITS.md`, 'utf8');
  const names = ofConfiguration().map(({ variable }) => variable).filter((name) => /^LIMIT_|^(?:PAGE_)?MAX_|_MAX$/.test(name));
  assert.ok(names.length > 20);
  for (const name of names) assert.match(page, new RegExp(`^\\| \`${name}\` \\|`, 'm'), name);
});

test('both pages are what docs/tables.py writes from the programs', () => {
  execFileSync(`${ROOT}/docs/tables.py`, ['--check', BUILD_DIR], { encoding: 'utf8' });
});
