// Executes the commands of a document in one shell, and compares their output with the output in the document.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const MARK = '--- end of block';

/** The blocks of the document: the commands, and the output below them if there is any. */
function readBlocks(page) {
  const blocks = [];
  for (const [, language, text] of page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)) {
    if (language === 'sh') blocks.push({ typed: text, shown: '' });
    else blocks.at(-1).shown = text;
  }
  return blocks;
}

/** Whether a line equals the shown line, in which `…` matches any text. */
function fits(line, shown) {
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${shown.split('…').map(escape).join('.+')}$`).test(line);
}

const lines = (text) => text.replaceAll('\r\n', '\n').trim().split('\n');

export async function takeTour(page, { cwd, env }) {
  const blocks = readBlocks(page);
  assert.ok(blocks.length > 0);
  const shell = spawn('bash', ['-eu'], { cwd, env, timeout: 180_000 });
  let stdout = '';
  let stderr = '';
  shell.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
  shell.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  shell.stdin.end(blocks.map(({ typed }) => `${typed}\nprintf '\\n${MARK}\\n'\n`).join(''));
  const [code] = await once(shell, 'close');
  const answers = stdout.split(`${MARK}\n`);
  blocks.forEach(({ typed, shown }, i) => {
    const got = lines(answers[i] ?? '');
    const wanted = lines(shown);
    const same = got.length === wanted.length && wanted.every((line, n) => fits(got[n], line));
    if (!same) assert.equal(answers[i]?.trim(), shown.trim(), `after\n${typed}${stderr}`);
  });
  assert.equal(code, 0, stderr);
}
