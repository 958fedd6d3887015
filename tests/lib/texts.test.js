// The texts of the pages, without a browser: none is missing, none is unused, and each problem type has one.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './instance.js';

const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const filesIn = (folder) => readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.js')).map((name) => join(folder, name));

/** The code of a page, and the names of its texts in a language. */
function pageOf(page, language) {
  const texts = ['web', page].flatMap((folder) => filesIn(`${folder}/lang`)).filter((path) => path.endsWith(`${language}.js`));
  return {
    code: ['web', page].flatMap(filesIn).map(read).join('\n'),
    names: texts.flatMap((path) => [...read(path).matchAll(/^ {2}'?([\w.-]+)'?: /gm)].map(([, name]) => name)),
  };
}

for (const page of ['vote-ui', 'result-ui']) {
  test(`${page}: every text that the code names exists in both languages, once`, () => {
    for (const language of ['en', 'fr']) {
      const { code, names } = pageOf(page, language);
      assert.ok(names.length > 80);
      assert.deepEqual(names.filter((name, i) => names.indexOf(name) < i), []);
      const wanted = [...code.matchAll(/\bt\(\s*'([\w.-]+)'/g)].map(([, name]) => name);
      assert.ok(wanted.length > 30);
      const elsewhere = page === 'result-ui' ? ['copied', 'copy.failed'] : []; // only the vote page copies
      assert.deepEqual(wanted.filter((name) => !names.includes(name) && !elsewhere.includes(name)), []);
    }
  });

  test(`${page}: every text is used`, () => {
    const { code, names } = pageOf(page, 'en');
    const words = new Set([...code.matchAll(/'([\w.-]+)'/g)].map(([, word]) => word));
    const patterns = [...code.matchAll(/`([\w.-]*)\$\{[^}]*\}([\w.-]*)`/g)].filter(([, start, end]) => start || end);
    const isUsed = (name) => words.has(name) || patterns.some(([, start, end]) => name.startsWith(start) && name.endsWith(end))
      || words.has(name.replace(/\.(sure|until)$/, ''));
    const elsewhere = page === 'result-ui' ? ['copy', 'copied', 'cancel'] : ['close', 'votes'];
    assert.deepEqual(names.filter((name) => !isUsed(name) && !elsewhere.includes(name)), []);
  });
}

test('French texts have a space before : ; ! ? (the page makes it a no-break space), and no straight apostrophe', () => {
  const files = ['web', 'vote-ui', 'result-ui'].flatMap((folder) => filesIn(`${folder}/lang`)).filter((path) => path.endsWith('fr.js'));
  const texts = files.flatMap((path) => [...read(path).matchAll(/^ {2}'?[\w.-]+'?: (.+),$/gm)].map(([, text]) => text.replace(/\b(one|other): /g, '')));
  assert.ok(texts.length > 250);
  assert.deepEqual(texts.filter((text) => /[^ ][;!?]|[^ ]:( |')|[\p{L}]'[\p{L}]|"/u.test(text)), []);
});

// Only a fault of the page itself brings these; or, of invalid-field, a rule that the page does not know.
const SHOWN_WITH_DETAIL = ['bad-request', 'invalid-json', 'invalid-field', 'invalid-parameter', 'method-not-allowed', 'unsupported-media-type'];

/** The problem types that an operation documents in docs/openapi.yaml. */
function problemsOf(description, path, method) {
  const inPath = description.split(`\n  ${path}:\n`)[1].split(/\n {2}\S/)[0];
  const operation = `\n${inPath}`.split(`\n    ${method}:\n`)[1].split(/\n {4}\S/)[0];
  let [, list] = /x-problems: (?:&\w+ )?(\[[^]*?\]|\*\w+)/.exec(operation);
  if (list.startsWith('*')) [, list] = new RegExp(`&${list.slice(1)} (\\[[^]*?\\])`).exec(description);
  return list.match(/[a-z]+(-[a-z]+)*/g);
}

const OPERATIONS = {
  'vote-ui': [['/v1/polls', 'get'], ['/v1/polls', 'post'], ['/v1/polls/{poll}', 'get'], ['/v1/polls/{poll}', 'patch'], ['/v1/polls/{poll}', 'delete'],
    ['/v1/polls/{poll}/ballot', 'put'], ['/v1/polls/{poll}/codes', 'post'], ['/v1/polls/{poll}/results', 'get'], ['/v1/polls/{poll}/timeline.csv', 'get'],
    ['/v1/polls/{poll}/ballots.csv', 'get'], ['/v1/receipts', 'get'], ['/v1/voters', 'post'], ['/v1/voters/me', 'delete']],
  'result-ui': [['/v1/polls', 'get'], ['/v1/polls/{poll}', 'get'], ['/v1/polls/{poll}/results/stream', 'get'], ['/v1/polls/{poll}/timeline', 'get'],
    ['/v1/polls/{poll}/results.csv', 'get'], ['/v1/polls/{poll}/results.json', 'get']],
};

for (const [page, operations] of Object.entries(OPERATIONS)) {
  test(`${page}: every problem type that the page can meet has a text`, () => {
    const description = read('docs/openapi.yaml');
    const status = (type) => Number(new RegExp(`\\n  ${type}:\\n    status: (\\d+)`).exec(description)[1]);
    const types = new Set(['internal', 'overloaded', ...operations.flatMap(([path, method]) => problemsOf(description, path, method))]);
    if (page === 'vote-ui') for (const type of ['cross-site', 'payload-too-large']) types.add(type);
    assert.ok(types.size > 5);
    const { names } = pageOf(page, 'en');
    // Other failures of a server say what problem.unavailable says.
    const missing = [...types].filter((type) => !names.includes(`problem.${type}`) && !SHOWN_WITH_DETAIL.includes(type) && status(type) < 500);
    assert.deepEqual(missing, []);
  });
}
