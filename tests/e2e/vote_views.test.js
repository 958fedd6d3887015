// Every view of the vote page: accessible, in both languages, by keyboard alone, quiet, and small.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import { assertAccessible } from '../lib/browser.js';
import { request } from '../lib/http.js';
import { browser, counted, instance, openVote, usePages } from '../lib/pages.js';
import { makePolls, voteViews } from '../lib/views.js';
import { until } from '../lib/wait.js';

let polls;
usePages(async () => {
  polls = await makePolls(instance);
});

/** Runs jobs, three at a time. */
async function each(jobs, run) {
  const left = [...jobs];
  await Promise.all([1, 2, 3].map(async () => {
    for (let job = left.shift(); job; job = left.shift()) await run(job);
  }));
}

/** Looks of the page: between them both languages, both themes, a phone and a large screen. */
const LOOKS = [
  { name: 'light, English, phone', locale: 'en-GB', colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { name: 'dark, French, screen', locale: 'fr-FR', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
];

for (const { name, ...look } of LOOKS) {
  test(`axe finds nothing in any view, no sentence is missing, nothing is too wide: ${name}`, async () => {
    await each(voteViews(polls), async (view) => {
      const page = await openVote(view.path, look);
      try {
        await page.locator('main h1').waitFor();
        await view.act?.(page);
        await assertAccessible(page);
        assert.equal(await page.getAttribute('html', 'lang'), look.locale.slice(0, 2));
        const text = await page.locator('body').innerText();
        assert.doesNotMatch(text, /(^|\s)[a-z]+(-[a-z]+)*(\.[a-z-]+)+(\s|$)|\{\w+\}|undefined|NaN/, view.name);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${overflow} pixels too wide`);
      } catch (error) {
        error.message = `${view.name}: ${error.message}`;
        throw error;
      }
      await page.context().close();
    });
  });
}

test('the language is the browser’s, can be switched, is kept, and ?lang= goes before', async () => {
  const page = await openVote('/', { locale: 'fr-CA' });
  await page.getByRole('heading', { name: 'Participer à un vote' }).waitFor();
  await page.getByRole('button', { name: 'EN', exact: true }).click();
  await page.getByRole('heading', { name: 'Join a vote' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Join a vote' }).waitFor();
  await page.goto(`${instance.votePage}/new?lang=fr`);
  await page.getByRole('heading', { name: 'Créer un scrutin' }).waitFor();
  await page.getByRole('link', { name: 'Scrutin', exact: true }).click();
  await page.getByRole('heading', { name: 'Participer à un vote' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('lang'), 'fr');
  await page.context().close();
});

test('the theme is the system’s, can be chosen, and is kept', async () => {
  const page = await openVote('/', { colorScheme: 'dark' });
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await background();
  await page.getByRole('button', { name: 'Theme: system' }).click();
  const light = await background();
  assert.notEqual(light, dark);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await background(), light);
  await page.context().close();
});

/** Presses Tab until the focus is on what the selector means. */
async function tabTo(page, selector) {
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`Tab never reaches ${selector}`);
}

test('keyboard alone: join, rank, move, cast, change, and back', async () => {
  const page = await openVote('/', { viewport: { width: 1280, height: 800 } });
  await tabTo(page, '#code');
  await page.keyboard.type(polls.ranked.id);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/p/${polls.ranked.id}`);
  for (let n = 0; n < 3; n++) {
    await page.locator('.option').first().waitFor();
    await tabTo(page, 'button.option');
    await page.keyboard.press('Enter');
  }
  const order = () => page.locator('.slot .text').allTextContents();
  const [first, second, third] = await order();
  await tabTo(page, '.slot:nth-child(3) .grip');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Home');
  assert.deepEqual(await order(), [third, first, second]);
  await page.keyboard.press('ArrowDown');
  assert.deepEqual(await order(), [first, third, second]);
  await tabTo(page, '.cast .button');
  await page.keyboard.press('Enter');
  await counted(page);
  await tabTo(page, '.actions button');
  await page.keyboard.press('Enter');
  await page.locator('.slot').first().waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Join a vote' }).waitFor();
  await page.context().close();
});

test('the page speaks at most every five seconds, and says the newest', async () => {
  const page = await openVote(`/p/${polls.approval.id}`);
  await page.evaluate(() => {
    window.spoken = [];
    new MutationObserver(() => window.spoken.push([performance.now(), document.getElementById('spoken').textContent]))
      .observe(document.getElementById('spoken'), { childList: true, characterData: true, subtree: true });
  });
  for (const n of [0, 1, 2, 3, 4]) await page.locator('.option').nth(n).click({ force: true }); // two more than there may be
  await page.getByRole('button', { name: 'Submit vote' }).click();
  await counted(page);
  const spoken = await until('it has spoken twice, and said that', async () => {
    const said = await page.evaluate(() => window.spoken);
    return said.length >= 2 && said.at(-1)[1] === 'Your vote has been counted. Thank you!' && said;
  });
  for (let i = 1; i < spoken.length; i++) assert.ok(spoken[i][0] - spoken[i - 1][0] >= 4990, JSON.stringify(spoken));
  await page.context().close();
});

for (const [who, names] of [['voters', /^(home|plurality|score|receipt|nothing-here)$/], ['organisers', /^(create|manage)$/]]) {
  test(`all that ${who} load is at most 30 KB compressed`, async () => {
    const page = await openVote('/p/a/b/c', { locale: 'fr-FR' }); // the longer of the two languages
    const sizes = new Map();
    const looks = [];
    const look = async (response) => {
      const path = new URL(response.url()).pathname;
      if (!path.startsWith('/v1/')) sizes.set(path.startsWith('/a/') ? path : '/', Number((await response.allHeaders())['content-length']));
    };
    page.on('response', (response) => looks.push(look(response)));
    for (const view of voteViews(polls).filter(({ name }) => names.test(name))) {
      await page.goto('about:blank'); // or another address that differs behind # alone would load nothing
      await page.goto(instance.votePage + view.path, { waitUntil: 'networkidle' });
      await Promise.all(looks);
    }
    if (who === 'voters') sizes.set('/sw.js', Number((await request(instance.votePage, { path: '/sw.js', headers: { 'accept-encoding': 'gzip' } })).headers['content-length']));
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    assert.ok(sizes.size >= 6 && total > 10_000 && total <= 30 * 1024, `${total} bytes: ${JSON.stringify([...sizes])}`);
    await page.context().close();
  });
}

test('the page had no error, broke no policy, and asked nobody else', () => browser.assertNoComplaint());
