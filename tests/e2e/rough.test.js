// The pages where things are not as they should be: no storage, a wrong clock, no clipboard, a view left half-way.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import { request } from '../lib/http.js';
import { freePorts } from '../lib/instance.js';
import { browser, counted, instance, openVote, sees, usePages } from '../lib/pages.js';
import { Proxy } from '../lib/proxy.js';
import { until } from '../lib/wait.js';

usePages();

const FRUIT = ['Apples', 'Pears', 'Plums'].map((label, i) => ({ id: `o${i}`, label }));
const button = (page, name) => page.getByRole('button', { name });

/** A device on which a script has run before any of the page's. */
async function deviceWith(script, argument) {
  const device = await browser.device();
  await device.addInitScript(script, argument);
  return device;
}

test('a half-filled ballot stays: over a skip link, a look elsewhere and back, a reload, and a vote in another tab', async () => {
  const { id } = await instance.createPoll({ method: 'approval', options: FRUIT });
  const page = await openVote(`/p/${id}`);
  const isTicked = async (name) => {
    const box = page.getByLabel(name);
    await box.waitFor({ state: 'attached' });
    return box.isChecked();
  };
  await page.getByLabel('Pears').check({ force: true });
  await page.locator('.skip').focus();
  await page.keyboard.press('Enter');
  await until('the content has the focus', () => page.evaluate(() => document.activeElement?.id === 'main'));
  assert.ok(await isTicked('Pears'), 'after the skip link');
  await page.getByRole('link', { name: 'Scrutin', exact: true }).click();
  await page.getByRole('heading', { name: 'Join a vote' }).waitFor();
  await page.goBack();
  assert.ok(await isTicked('Pears'), 'after a look elsewhere');
  await page.reload();
  assert.ok(await isTicked('Pears'), 'after a reload');
  assert.ok(!await isTicked('Plums'));
  await button(page, 'Submit vote').click();
  await counted(page);
  await page.reload();
  await page.locator('.choice', { hasText: 'Pears' }).waitFor(); // what was cast is no draft any more
  await button(page, 'Change my vote').click();
  await page.getByLabel('Plums').check({ force: true });
  await page.reload();
  assert.ok(await isTicked('Plums'), 'a change that was begun');
  const tab = await openVote(`/p/${id}`, { device: page.context() });
  await button(tab, 'Change my vote').click();
  await tab.getByLabel('Apples').check({ force: true });
  await button(tab, 'Submit vote').click();
  await counted(tab);
  await tab.close();
  assert.ok(await isTicked('Plums'), 'while another tab voted');
  await button(page, 'Keep my vote').click();
  await page.reload();
  await page.locator('.choice', { hasText: 'Pears' }).waitFor();
  await page.context().close();
});

test('a browser whose storage is full or forbidden votes once, however often it changes its mind', async () => {
  for (const [name, script] of [
    ['full', () => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }],
    ['forbidden', () => {
      for (const area of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, area, { get() { throw new DOMException('forbidden', 'SecurityError'); } });
      }
    }],
  ]) {
    const { id } = await instance.createPoll({ options: FRUIT });
    const page = await openVote(`/p/${id}`, { device: await deviceWith(script) });
    await button(page, 'Apples').click();
    await counted(page);
    await button(page, 'Change my vote').click();
    await button(page, 'Pears').click();
    const { total } = await until(`both ballots came in (${name})`, async () => {
      const { json } = await request(instance.resultUrl, { path: `/v1/polls/${id}/results` });
      return json.ledger.received === 2 && json;
    });
    assert.equal(total, 1, name);
    await page.locator('.choice', { hasText: 'Pears' }).waitFor();
    await page.context().close();
  }
});

test('a phone whose clock is wrong by a day goes by the server’s', async () => {
  const { id } = await instance.createPoll({ options: FRUIT, closes_at: new Date(Date.now() + 3_600_000).toISOString() });
  for (const days of [1, -1]) {
    const device = await deviceWith((ms) => {
      const Right = Date;
      window.Date = class extends Right {
        constructor(...parts) { super(...(parts.length ? parts : [Right.now() + ms])); }

        static now() { return Right.now() + ms; }
      };
    }, days * 86_400_000);
    const page = await openVote(`/p/${id}`, { device });
    await sees(page, /Closes in (\d\d minutes|1 hour) \(\d/); // the hour alone: it is today
    await page.goto(`${instance.resultPage}/p/${id}`);
    await sees(page, /Closes in (\d\d minutes|1 hour) \(\d/);
    await page.context().close();
  }
});

test('where the browser forbids to copy, the text is selected and the page says so', async () => {
  const { id, token } = await instance.createPoll({ options: FRUIT });
  const device = await deviceWith(() => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
    document.execCommand = () => window.mayCopy === true;
  });
  const page = await openVote(`/manage/${id}#${token}`, { device });
  const copy = button(page, 'Copy – Link for voters');
  await copy.click();
  await page.locator('.toast', { hasText: 'Your browser does not allow this page to copy.' }).waitFor();
  assert.match(await page.evaluate(() => String(getSelection())), new RegExp(`/p/${id}$`));
  await page.evaluate(() => { window.mayCopy = true; });
  await copy.click();
  await page.locator('.toast', { hasText: 'Copied' }).waitFor();
  await page.context().close();
});

test('an address that was cut off in the middle still leads to its view', async () => {
  for (const [path, text] of [['/receipt#%E0%A4%A', 'Unknown receipt.'], ['/manage/nowhere9#%E0%A4%A', 'There is no poll with this code.']]) {
    const page = await openVote(path);
    await sees(page, text);
    await page.context().close();
  }
});

test('a laptop that was closed and is opened again looks anew at once', async () => {
  const { id } = await instance.createPoll({ options: FRUIT });
  const page = await browser.open(`${instance.resultPage}/p/${id}/present`);
  await page.locator('.wait-count').waitFor();
  let streams = 0;
  page.on('request', (asked) => { streams += asked.url().endsWith('/results/stream'); });
  const wake = () => document.dispatchEvent(new Event('visibilitychange'));
  await page.evaluate(wake); // looked away for a moment: the stream is still good
  await page.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() + 3_600_000; // an hour by the wall's clock, none by that of timers
  });
  assert.equal(streams, 0);
  await page.evaluate(wake);
  await until('the stream was asked for again', () => streams > 0);
  await page.locator('.chip', { hasText: 'Live' }).waitFor();
  await page.context().close();
});

test('without a network the page opens again with the ballot that waits, and sends it once', async () => {
  const { id } = await instance.createPoll({ title: 'In the cellar', options: FRUIT });
  const to = { host: '127.0.0.1', port: Number(new URL(instance.votePage).port) };
  const port = await freePorts(1); // nobody else takes it while there is no network
  let network = await Proxy.start({ at: { host: '127.0.0.1', port }, to });
  const page = await browser.open(`http://127.0.0.1:${port}/p/${id}`, { serviceWorkers: 'allow' });
  await until('the page is kept', () => page.evaluate(async () =>
    navigator.serviceWorker.controller?.state === 'activated' && await caches.match('/') !== undefined));
  await button(page, 'Apples').waitFor();

  await network.stop();
  await button(page, 'Apples').click();
  await sees(page, 'No connection');
  await page.reload();
  await page.getByRole('heading', { name: 'In the cellar' }).waitFor();
  await page.locator('.choice', { hasText: 'Apples' }).waitFor();
  await sees(page, 'No connection');
  await page.goto(`http://127.0.0.1:${port}/`); // another of its addresses
  await page.getByRole('heading', { name: 'Join a vote' }).waitFor();
  await page.goto(`http://127.0.0.1:${port}/p/${id}`);

  network = await Proxy.start({ at: { host: '127.0.0.1', port }, to });
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await counted(page);
  const ledger = await until('it is in the result', async () => {
    const { json } = await request(instance.resultUrl, { path: `/v1/polls/${id}/results` });
    return json.total === 1 && json.ledger;
  });
  assert.equal(ledger.received, 1);

  network.hold('up'); // connected, and nothing arrives: the Wi-Fi of a full hall
  await page.reload({ timeout: 30_000 });
  await page.locator('.choice', { hasText: 'Apples' }).waitFor();
  network.cutAll();
  network.release('up');
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.getByText('Reconnecting').waitFor({ state: 'detached' });
  await page.context().close();
  await network.stop();
});

test('the worker keeps a new version of the page, drops the old one, and leaves everything else alone', async () => {
  const { id } = await instance.createPoll({ options: FRUIT });
  const page = await openVote(`/p/${id}`, { serviceWorkers: 'allow' });
  const keptPaths = () => page.evaluate(async () => (await (await caches.open('page')).keys()).map(({ url }) => new URL(url).pathname));
  const isControlled = () => page.evaluate(() => navigator.serviceWorker.controller?.state === 'activated');
  await until('the worker is there', isControlled);
  await page.evaluate(async () => { // as a version before this one would have left it
    const cache = await caches.open('page');
    await cache.put('/', new Response('<h1>old</h1>', { headers: { 'content-type': 'text/html' } }));
    await cache.put('/a/000000000000/app.js', new Response('old'));
  });
  await page.goto(`${instance.votePage}/docs`); // not the page's: the service's own answer
  assert.doesNotMatch(await page.content(), /<h1>old/);
  await until('the network went first', async () => { // unless it took three seconds
    await page.goto(`${instance.votePage}/p/${id}`);
    await button(page, 'Apples').waitFor({ timeout: 5000 });
    return true;
  });
  await button(page, 'Apples').click();
  await counted(page);
  const paths = await until('the old one is dropped', async () => {
    const kept = await keptPaths();
    return !kept.includes('/a/000000000000/app.js') && kept;
  });
  assert.ok(paths.length > 4);
  for (const path of paths) assert.match(path, /^\/(a\/[0-9a-f]{12}\/[\w.-]+)?$/); // no answer of the API, no poll, no ballot
  assert.match(await page.evaluate(async () => (await caches.match('/')).text()), /app\.js/);
  await page.context().close();
});

test('with the system’s own few colours one still sees what is chosen, and how long a bar is', async () => {
  const { id } = await instance.createPoll({ method: 'approval', options: FRUIT });
  const page = await openVote(`/p/${id}`, { forcedColors: 'active' });
  await page.getByLabel('Pears').check({ force: true });
  const marks = () => page.locator('.option .mark .icon').evaluateAll((icons) => icons.map((icon) => getComputedStyle(icon).visibility));
  assert.deepEqual(await marks(), ['hidden', 'visible', 'hidden']);
  await button(page, 'Submit vote').click();
  await counted(page);
  await page.goto(`${instance.resultPage}/p/${id}`);
  await page.locator('.bar.leads').waitFor();
  const [bar, track] = await page.evaluate(() => ['.bar.leads .track i', '.bar.leads .track'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor));
  assert.notEqual(bar, track);
  await page.context().close();
});

test('the pages had no error, broke no policy, and asked nobody else', () => browser.assertNoComplaint());
