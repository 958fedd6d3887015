// The README's configuration table against what the programs say of themselves.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ROOT, programPath } from '../lib/instance.js';

const programs = ['vote-api', 'worker', 'result-api', 'scrutin-setup'];

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

function ofReadme() {
  return readFileSync(`${ROOT}/README.md`, 'utf8').split('\n')
    .map((line) => /^\| `([A-Z][A-Z0-9_]+)` \| (?:`([^`]*)`|\((none)\)|(required)) \| ([a-z, -]+) \|/.exec(line))
    .filter(Boolean)
    .map(([, variable, value, none, required, of]) => ({ variable, fallback: value ?? none ?? required, of: of.split(', ') }));
}

for (const name of programs) {
  test(`README has every variable of ${name}, with its default, and no other`, () => {
    const said = ofHelp(name).map(({ variable, fallback }) => `${variable}=${fallback}`).sort();
    const written = ofReadme().filter(({ of }) => of.includes(name)).map(({ variable, fallback }) => `${variable}=${fallback}`).sort();
    assert.ok(said.length > 3);
    assert.deepEqual(written, said);
  });
}
