// The documents name only files, headings and targets that exist, and their prose wraps at 100 columns.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../lib/instance.js';

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  .filter((file) => existsSync(join(ROOT, file)));
const documents = files.filter((file) => file.endsWith('.md'));
const names = new Set(files.map((file) => basename(file)));
/** Headers of libraries, and ours as they are included: `nats.h`, `base/map.h`. */
const included = new Set(execFileSync('git', ['grep', '-hoP', '^#include [<"]\\K[^>"]+'], { cwd: ROOT, encoding: 'utf8' }).split('\n')
  .flatMap((name) => [name, basename(name)]));
const read = (file) => readFileSync(join(ROOT, file), 'utf8');

/** The text without code blocks, and the fragment of each heading as GitHub makes it. */
const prose = (text) => text.replace(/^```.*?^```$/gms, '');
const headings = (file) => [...prose(read(file)).matchAll(/^#+ (.*)$/gm)]
  .map(([, heading]) => heading.toLowerCase().replace(/[^\p{L}\p{N}\- _]/gu, '').replace(/ /g, '-'));

test('there are documents to check', () => assert.ok(documents.length > 15));

for (const document of documents) {
  test(`${document}: each link leads to a file and a heading`, () => {
    for (const [, target, fragment] of prose(read(document)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)) {
      const file = target ? relative('.', join(dirname(document), target)) : document;
      assert.ok(existsSync(join(ROOT, file)), `${target} does not exist`);
      if (fragment && file.endsWith('.md')) assert.ok(headings(file).includes(fragment), `${file} has no heading #${fragment}`);
    }
  });

  test(`${document}: prose wraps at 100 columns`, () => {
    for (const line of prose(read(document)).split('\n')) {
      if (!/^\s*[|<]|^\S*$/.test(line) && !document.startsWith('.github/')) assert.ok([...line].length <= 100, line);
    }
  });

  test(`${document}: each source file that it names exists`, () => {
    for (const [, name] of prose(read(document)).matchAll(/`([\w./-]+\.(?:[ch]|m?js|py|sql|proto|template))`/g)) {
      if (included.has(name)) continue;
      if (name.includes('/')) assert.ok([name, join(dirname(document), name)].some((file) => existsSync(join(ROOT, file))), name);
      else assert.ok(names.has(name), name);
    }
  });
}

test('ARCHITECTURE: files that stand after a folder are in it', () => {
  let n = 0;
  for (const [, folder, list] of read('ARCHITECTURE.md').matchAll(/`([\w/-]+\/)`: ((?:`[\w.]+`(?: \([^)]*\))?,? ?)+)/g)) {
    for (const [, name] of list.matchAll(/`([\w.]+)`/g)) {
      assert.ok(existsSync(join(ROOT, folder, name)), `${folder}${name}`);
      n++;
    }
  }
  assert.ok(n > 30);
});

test('each `make` target that a document names exists', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z]+):/gm)].map(([, target]) => target));
  for (const document of documents) {
    for (const [, target] of read(document).matchAll(/(?:^|`)make ([a-z]+)/gm)) assert.ok(targets.has(target), `${document}: make ${target}`);
  }
});
