// Takes pictures of every view of both pages at three widths, light and dark, with a temporary instance.
// SPDX-License-Identifier: MIT
// usage: node tests/screenshots.mjs FOLDER [NAME...]      (only views whose names begin with NAME)
//        node tests/screenshots.mjs --readme FOLDER       (the two pictures of the README)
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './lib/browser.js';
import { Instance } from './lib/instance.js';
import { makePolls, resultViews, voteViews } from './lib/views.js';

const SIZES = [[390, 844], [1280, 800], [3840, 2160]];
const isReadme = process.argv[2] === '--readme';
const [folder, ...wanted] = process.argv.slice(isReadme ? 3 : 2);

async function take(browser, instance, view, [width, height], colorScheme, name = `${view.site}-${view.name}-${width}-${colorScheme}`) {
  const url = { vote: instance.votePage, result: instance.resultPage }[view.site] + view.path;
  const page = await browser.open(url, { viewport: { width, height }, colorScheme });
  await view.act?.(page);
  await page.waitForLoadState('networkidle', { timeout: 1500 }).catch(() => {}); // an event stream never ends
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: width < 1000 && !isReadme });
  await page.context().close();
}

const browser = await Browser.start();
const instance = await Instance.start({ workers: 1,
  env: { PUBLIC_VOTE_URL: 'https://vote.example.org', PUBLIC_RESULT_URL: 'https://result.example.org' } });
try {
  mkdirSync(folder, { recursive: true });
  const polls = await makePolls(instance);
  await instance.settle();
  const views = [...voteViews(polls), ...resultViews(polls)]
    .filter(({ site, name }) => !wanted.length || wanted.some((start) => `${site}-${name}`.startsWith(start)));
  const called = (site, name) => views.find((view) => view.site === site && view.name === name);
  const jobs = isReadme ? [
    () => take(browser, instance, called('vote', 'plurality-cast'), [390, 778], 'light', 'vote'),
    () => take(browser, instance, called('result', 'present-plurality'), [1280, 720], 'dark', 'result'),
  ] : views.flatMap((view) => SIZES.flatMap((size) => ['light', 'dark'].map((scheme) => () => take(browser, instance, view, size, scheme))));
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) await job();
  }));
  browser.assertNoComplaint();
} finally {
  await browser.close();
  await instance.stop();
}
