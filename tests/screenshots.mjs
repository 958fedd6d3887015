// Takes a picture of every view of both pages at three widths, light and dark, of an instance of its own.
// SPDX-License-Identifier: MIT
// usage: node tests/screenshots.mjs FOLDER [NAME...]      (only views whose name begins so)
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './lib/browser.js';
import { Instance } from './lib/instance.js';
import { makePolls, resultViews, voteViews } from './lib/views.js';

const SIZES = [[390, 844], [1280, 800], [3840, 2160]];
const [folder, ...wanted] = process.argv.slice(2);

async function take(browser, instance, view, [width, height], colorScheme) {
  const name = `${view.site}-${view.name}`;
  const url = { vote: instance.votePage, result: instance.resultPage }[view.site] + view.path;
  const page = await browser.open(url, { viewport: { width, height }, colorScheme });
  await view.act?.(page);
  await page.waitForLoadState('networkidle', { timeout: 1500 }).catch(() => {}); // an event stream never ends
  await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: width < 1000 });
  await page.context().close();
}

const browser = await Browser.start();
const instance = await Instance.start({ workers: 1 });
try {
  mkdirSync(folder, { recursive: true });
  const polls = await makePolls(instance);
  await instance.settle();
  const views = [...voteViews(polls), ...resultViews(polls)]
    .filter(({ site, name }) => !wanted.length || wanted.some((start) => `${site}-${name}`.startsWith(start)));
  const jobs = views.flatMap((view) => SIZES.flatMap((size) => ['light', 'dark'].map((scheme) => () => take(browser, instance, view, size, scheme))));
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) await job();
  }));
  browser.assertNoComplaint();
} finally {
  await browser.close();
  await instance.stop();
}
