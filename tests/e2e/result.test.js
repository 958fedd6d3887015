// The result page in a real browser: live bars, every method, the presenter's screen, breaks of the stream.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import { assertAccessible } from '../lib/browser.js';
import { EventStream } from '../lib/events.js';
import { request, requestJson } from '../lib/http.js';
import { browser, instance, usePages } from '../lib/pages.js';
import { makePolls, resultViews } from '../lib/views.js';
import { until } from '../lib/wait.js';

usePages();
let voters = 0;

/** Ballots of as many new voters, by the bulk route. */
async function cast(poll, ...selections) {
  const ballots = selections.map((selection) => ({ voter: `v${voters++}`, selection }));
  const { status, text } = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots },
    { authorization: `Bearer ${instance.apiKey}` });
  assert.equal(status, 202, text);
}
const times = (n, selection) => Array.from({ length: n }, () => selection);
const manage = (poll, body) => requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, body, { authorization: `Bearer ${poll.token}` });
const address = (poll, rest = '') => `${instance.resultPage}/p/${poll.id}${rest}`;

/** Name and figure of each bar, as they stand. */
const barsOf = (page) => page.locator('.bars').first().locator('.bar').evaluateAll((bars) => bars.map((bar) =>
  [bar.querySelector('.name').firstChild.nextSibling?.textContent ?? bar.querySelector('.name').textContent, bar.querySelector('.figure').textContent]));
const names = async (page) => (await barsOf(page)).map(([name]) => name.trim());
const totalShown = async (page) => Number((await page.locator('.total b, .screen-count b').first().textContent()).replace(/\D/g, ''));
const shows = (page, total) => until(`the page shows ${total} ballots`, async () => (await totalShown(page)) === total);
const stateShown = (page) => page.locator('[data-state]').first().getAttribute('data-state');

test('bars follow the ballots, keep their order until asked to sort, and end as final', async () => {
  const poll = await instance.createPoll({ title: 'Pets', options: [{ id: 'a', label: 'Cats' }, { id: 'b', label: 'Dogs' }, { id: 'c', label: 'Owls' }] });
  const page = await browser.open(address(poll));
  await shows(page, 0);
  await until('the page is live', async () => (await stateShown(page)) === 'live');
  await cast(poll, ...times(2, ['a']), ...times(5, ['b']), ['c']);
  await shows(page, 8);
  assert.deepEqual(await barsOf(page), [['Cats', '25%'], ['Dogs', '63%'], ['Owls', '13%']]);
  assert.equal(await page.locator('.bar.leads .name').textContent(), 'Dogs');
  await page.getByRole('button', { name: 'Sort by result' }).click();
  assert.deepEqual(await names(page), ['Dogs', 'Cats', 'Owls']);
  await cast(poll, ...times(4, ['c']));
  await shows(page, 12);
  assert.deepEqual(await names(page), ['Dogs', 'Owls', 'Cats']);
  await page.getByRole('button', { name: 'Original order' }).click();
  assert.deepEqual(await names(page), ['Cats', 'Dogs', 'Owls']);

  await page.getByText('As a table').first().click();
  assert.deepEqual(await page.locator('table').first().locator('tbody tr').allInnerTexts(), ['Cats\t17%\t2', 'Dogs\t42%\t5', 'Owls\t42%\t5']);
  await until('the ledger has it all', async () =>
    /^Received 12 .* Counted 12 .* Superseded 0 .* Pending 0 /.test((await page.locator('.ledger').innerText()).replace(/\s+/g, ' ')));
  await assertAccessible(page);

  await manage(poll, { state: 'closed' });
  await until('the page says final', async () => (await stateShown(page)) === 'final');
  await page.getByText('Tied: Dogs and Owls (12 votes).').waitFor({ state: 'attached' }); // what those who listen hear
  await page.context().close();
});

test('the turnout has columns, a peak and a table; files can be saved', async () => {
  const poll = await instance.createPoll({ n: 2 });
  await cast(poll, ...times(30, ['o0']));
  const page = await browser.open(address(poll));
  await page.locator('.turnout').waitFor();
  await until('all are in it', async () => /at most 30/.test(await page.locator('.turnout').getAttribute('aria-label')));
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'results.csv' }).click()]);
  assert.equal(download.suggestedFilename(), `${poll.id}-results.csv`);
  await page.context().close();
});

test('hidden results open to a receipt, to the manage link, and to all at the end', async () => {
  const poll = await instance.createPoll({ title: 'Secret until the end', n: 2, results_visibility: 'after_close' });
  const voted = await instance.createPoll({ title: 'First vote', n: 2, results_visibility: 'after_vote' });
  await cast(poll, ...times(3, ['o0']));
  const page = await browser.open(address(poll));
  await page.getByText('The results will be shown when the poll has closed.').waitFor();
  await page.getByRole('heading', { name: 'Secret until the end' }).waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /\d%|votes|ballots/);
  await assertAccessible(page);

  const creator = await browser.open(address(poll, `#manage=${poll.token}`));
  await shows(creator, 3);
  assert.equal(new URL(creator.url()).hash, '', 'the token does not stay in the address');
  await creator.reload();
  await shows(creator, 3);

  const voter = await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${voted.id}/ballot`, { selection: ['o1'] });
  const proof = await browser.open(address(voted, `#receipt=${voter.json.receipt}`));
  await shows(proof, 1);
  await page.goto(address(voted));
  await page.getByText('Vote to see the results.').waitFor();

  await page.goto(address(poll));
  await page.getByText('The results will be shown when the poll has closed.').waitFor();
  await manage(poll, { state: 'closed' });
  await until('the result opens by itself', async () => (await totalShown(page)) === 3, { timeout: 30_000 });
  await Promise.all([page, creator, proof].map((one) => one.context().close()));
});

test('ranked: every round, step by step', async () => {
  const poll = await instance.createPoll({ method: 'ranked', options: ['Ann', 'Bob', 'Cyd'].map((label, i) => ({ id: 'abc'[i], label })) });
  await cast(poll, ...times(4, ['a']), ...times(3, ['b']), ...times(2, ['c', 'b']));
  const page = await browser.open(address(poll));
  await shows(page, 9);
  const runoff = page.locator('section', { hasText: 'Instant runoff' });
  assert.match(await runoff.innerText(), /Round 2 of 2[\s\S]*Bob has more than half of the votes and wins/);
  await runoff.getByRole('button', { name: 'Previous round' }).click();
  assert.match(await runoff.innerText(), /Round 1 of 2[\s\S]*Cyd has the fewest votes and is eliminated/);
  assert.deepEqual(await runoff.locator('.figure').allTextContents(), ['4', '3', '2']);
  await runoff.getByRole('button', { name: 'Next round' }).click();
  assert.deepEqual(await runoff.locator('.figure').allTextContents(), ['4', '5', 'out']);
  await runoff.getByText('As a table').click();
  assert.deepEqual(await runoff.locator('tbody tr').allInnerTexts(), ['Ann\t4\t4', 'Bob\t3\t5', 'Cyd\t2\t–', 'No choices left\t0\t0']);
  await page.goto(address(poll, '/present'));
  await page.locator('.screen .bar').first().waitFor();
  await page.keyboard.press('r');
  assert.match(await page.locator('.round').innerText(), /Round 1 of 2\s+Cyd has the fewest votes and is eliminated/);
  await page.keyboard.press('ArrowRight');
  assert.match(await page.locator('.round').innerText(), /Round 2 of 2\s+Bob has more than half of the votes and wins/);
  assert.deepEqual(await page.locator('.screen .figure').allTextContents(), ['4', '5', 'out']);
  await page.keyboard.press('r');
  assert.equal(await page.locator('.round').count(), 0);
  await assertAccessible(page);
  await page.context().close();
});

test('approval and score: shares of the ballots, means and distributions', async () => {
  const approval = await instance.createPoll({ method: 'approval', n: 3 });
  await cast(approval, ['o0', 'o1'], ['o0'], ['o0', 'o2'], ['o1']);
  const score = await instance.createPoll({ method: 'score', n: 2 });
  await cast(score, { o0: 5, o1: 1 }, { o0: 4 }, { o0: 0 });
  const page = await browser.open(address(approval));
  await shows(page, 4);
  assert.deepEqual((await barsOf(page)).map(([, figure]) => figure), ['75%', '50%', '25%']);
  await page.goto(address(score));
  await shows(page, 3);
  assert.deepEqual((await barsOf(page)).map(([, figure]) => figure), ['3.00', '1.00']);
  assert.deepEqual(await page.locator('.scores').first().locator('.unseen').allTextContents(),
    ['0 of 5 stars: 1 vote', '1 of 5 stars: 0 votes', '2 of 5 stars: 0 votes', '3 of 5 stars: 0 votes', '4 of 5 stars: 1 vote', '5 of 5 stars: 1 vote']);
  await assertAccessible(page);
  await page.context().close();
});

test('the presenter leads by keys: waiting with a code, reveal, table, join, help, leave', async () => {
  const poll = await instance.createPoll({ title: 'On stage', n: 2 });
  const page = await browser.open(address(poll, '/present'), { viewport: { width: 1280, height: 720 } });
  await page.locator('.wait-code').waitFor();
  assert.equal(await page.locator('.wait-code').textContent(), poll.id);
  assert.match(await page.locator('.wait-count').innerText(), /^0\s/);
  await page.locator('.wait-qr .qr').waitFor();
  await assertAccessible(page);
  await cast(poll, ...times(3, ['o1']));
  await page.locator('.screen-chart').waitFor(); // the first ballot brings the bars
  await shows(page, 3);
  await page.keyboard.press('h');
  assert.match(await page.locator('.wait-count').innerText(), /^3\s/);
  await page.keyboard.press('h');
  await page.keyboard.press('t');
  assert.match(await page.locator('.screen-chart table').innerText(), /Option 1\s+100%\s+3/);
  await page.keyboard.press('t');
  assert.equal(await page.locator('.join-panel').count(), 1);
  await page.keyboard.press('j');
  assert.equal(await page.locator('.join-panel').count(), 0);
  await page.keyboard.press('?');
  assert.match(await page.getByRole('dialog').innerText(), /Hide or show the results/);
  await assertAccessible(page);
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.keyboard.press('f');
  await page.waitForFunction(() => document.fullscreenElement !== null);
  await page.keyboard.press('f');
  await page.waitForFunction(() => document.fullscreenElement === null);
  await page.keyboard.press('Escape');
  await page.waitForURL(address(poll));
  await page.context().close();
});

test('the big screen can be read from the last row, however many the options and however long the words', async () => {
  const page = await browser.open(`${instance.resultPage}/`, { viewport: { width: 1280, height: 720 } });
  for (const [n, words, shown] of [[2, '', 2], [9, '', 9], [16, 'that is rather long for a screen', 16], [30, 'that is rather long for a screen', 16], [100, '', 16]]) {
    const poll = await instance.createPoll({ title: n === 2 ? `${'A question of the utmost length '.repeat(6)}?` : 'Short?',
      options: Array.from({ length: n }, (_, i) => ({ id: `o${i}`, label: `Option ${i + 1} ${words}` })) });
    await cast(poll, [`o${n - 1}`]);
    await page.goto(address(poll, '/present'));
    await page.locator('.screen .bar').nth(shown - 1).waitFor();
    const look = () => page.evaluate(() => {
      const [chart, title, keys] = ['.screen-chart', 'h1', '.screen-keys'].map((one) => document.querySelector(one));
      const size = (one) => parseFloat(getComputedStyle(one).fontSize);
      return { names: Math.min(...[...document.querySelectorAll('.screen .name')].map(size)), title: size(title), isCut: title.scrollHeight > title.clientHeight + 4,
        low: Math.max(...[...chart.querySelectorAll('.bar, .more')].map((one) => one.getBoundingClientRect().bottom)) - keys.getBoundingClientRect().top };
    });
    await until(`${n} options can be read`, async () => { // sizes come a frame after the bars
      const seen = await look();
      if (!(seen.names >= 15 && seen.title >= 22 && !seen.isCut && seen.low <= 0)) throw new Error(JSON.stringify(seen));
      return true;
    });
    assert.equal(await page.locator('.screen .bar').count(), shown);
    assert.equal(await page.locator('.more').count(), n > shown ? 1 : 0);
    await page.locator('.bar.leads').waitFor(); // who leads is never among those left out
  }
  await page.context().close();
});

test('the stream breaks and comes back: the page says so, and no count ever goes down', async () => {
  const poll = await instance.createPoll({ n: 2 });
  await cast(poll, ...times(5, ['o0']));
  const page = await browser.open(address(poll));
  await shows(page, 5);
  await page.evaluate(() => {
    window.totals = [];
    new MutationObserver(() => window.totals.push(Number(document.querySelector('.total b')?.textContent.replace(/\D/g, '') ?? -1)))
      .observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await instance.ctl('stop', 'result-api');
  await until('the page says that it reconnects', async () => (await stateShown(page)) === 'reconnecting');
  assert.equal(await totalShown(page), 5);
  await cast(poll, ...times(4, ['o1']));
  await instance.ctl('start', 'result-api');
  await shows(page, 9);
  await until('the page is live again', async () => (await stateShown(page)) === 'live');
  const totals = await page.evaluate(() => window.totals);
  assert.deepEqual(totals, totals.toSorted((a, b) => a - b));
  await page.context().close();
});

test('a snapshot that is older than the one shown, as from an instance that is behind, changes nothing', async () => {
  const poll = await instance.createPoll({ n: 2 });
  const results = async (total) => until(`${total} ballots count`, async () => {
    const { text, json } = await request(instance.resultUrl, { path: `/v1/polls/${poll.id}/results` });
    return json.total === total && { text, id: json.version };
  });
  await cast(poll, ...times(3, ['o0']));
  const older = await results(3);
  await cast(poll, ...times(4, ['o1']));
  const newer = await results(7);
  assert.ok(newer.id > older.id);
  const device = await browser.device();
  await device.route('**/results/stream', (route) => route.abort());
  await device.route('**/results/stream', (route) => route.fulfill({ contentType: 'text/event-stream',
    body: [newer, older].map(({ id, text }) => `id: ${id}\ndata: ${text}\n\n`).join('') }), { times: 1 }); // goes before the other
  const page = await browser.open(address(poll), { device });
  await until('both were read, and the stream is over', async () => (await stateShown(page)) === 'reconnecting');
  assert.equal(await totalShown(page), 7);
  await page.context().close();
});

test('hostile titles are text; no poll, no ballot and a language have their words', async () => {
  const title = `<img src=x onerror="document.title='pwned'"> مرحبا 🎉 ${'long '.repeat(20)}`;
  const poll = await instance.createPoll({ title, options: [{ id: 'a', label: '<script>alert(1)</script>' }, { id: 'b', label: 'x'.repeat(100) }] });
  for (const width of [390, 1280]) {
    const page = await browser.open(address(poll), { viewport: { width, height: 800 } });
    await shows(page, 0);
    assert.equal((await page.locator('h1').textContent()).trim(), title.trim());
    assert.equal((await names(page))[0], '<script>alert(1)</script>');
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `no sideways scrolling at ${width}`);
    assert.match(await page.locator('main').innerText(), /No votes yet/);
    await page.context().close();
  }
  const french = await browser.open(address(poll), { locale: 'fr-FR', colorScheme: 'dark' });
  await shows(french, 0);
  assert.match(await french.locator('main').innerText(), /Aucun vote pour l’instant/);
  assert.equal(await french.locator('html').getAttribute('lang'), 'fr');
  await assertAccessible(french);
  await french.getByRole('button', { name: 'EN', exact: true }).click();
  await french.getByText('No votes yet. They will appear').waitFor();
  await french.goto(`${instance.resultPage}/p/nosuchpoll?lang=fr`);
  await french.getByText('Scrutin introuvable').waitFor();
  await assertAccessible(french);
  await french.goto(`${instance.resultPage}/`);
  await french.locator('.poll-card').first().waitFor();
  await assertAccessible(french);
  await french.context().close();
});

test('every view is accessible, in both languages and colours, and none scrolls sideways', async () => {
  const views = resultViews(await makePolls(instance));
  const look = async (view, width, colorScheme, locale) => {
    const page = await browser.open(instance.resultPage + view.path, { viewport: { width, height: 800 }, colorScheme, locale });
    await view.act(page);
    await assertAccessible(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view.name} at ${width}`);
    await page.context().close();
  };
  for (const view of views) await Promise.all([look(view, 390, 'dark', 'en-GB'), look(view, 1280, 'light', 'fr-FR')]);
});

test('500 streams beside it while ballots pour in: updates arrive, and no task of the page takes 50 ms', { timeout: 240_000 }, async () => {
  const poll = await instance.createPoll({ n: 10 });
  const streams = await Promise.all(Array.from({ length: 500 }, () => EventStream.open(instance.resultPage, `/v1/polls/${poll.id}/results/stream`)));
  const page = await browser.open(address(poll), { viewport: { width: 1280, height: 720 } });
  await shows(page, 0);
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const complete = new Promise((done) => session.on('Tracing.tracingComplete', done));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline'] } });
  let seen = 0, last = 0;
  const began = performance.now();
  while (seen < 20 && performance.now() - began < 60_000) {
    await cast(poll, ...Array.from({ length: 200 }, (_, i) => [`o${i % 10}`]));
    const now = await totalShown(page);
    if (now > last) seen++;
    assert.ok(now >= last);
    last = now;
  }
  await session.send('Tracing.end');
  await complete;
  for (const stream of streams) stream.close();
  assert.ok(seen >= 20, `${seen} updates were seen`);
  // CPU time, not the clock's: a busy machine makes every task long, and says nothing of the page.
  const renderer = new Set(events.filter((event) => event.name === 'thread_name' && event.args.name === 'CrRendererMain').map((event) => `${event.pid}.${event.tid}`));
  const tasks = events.filter((event) => event.name === 'RunTask' && event.tdur !== undefined && renderer.has(`${event.pid}.${event.tid}`));
  assert.ok(tasks.length > 50, `${tasks.length} tasks in the trace`);
  const longest = Math.max(...tasks.map((task) => task.tdur / 1000));
  console.log(`# ${seen} updates, ${tasks.length} tasks, the longest took ${longest.toFixed(1)} ms of CPU`);
  assert.ok(longest < 50, `the longest task took ${longest} ms`);
  await page.context().close();
});

test('a page is at most 30 KB on its way, asks no stranger, and never complained', async () => {
  const page = await browser.open(`${instance.resultPage}/p/demo/present`, { locale: 'fr-FR' });
  await page.locator('.wait-qr .qr').waitFor();
  const bytes = await page.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter((entry) => !/\/v1\/|site\.json/.test(entry.name)).reduce((sum, entry) => sum + entry.encodedBodySize, 0));
  assert.ok(bytes > 5000 && bytes <= 30 * 1024, `${bytes} bytes`);
  browser.assertNoComplaint();
});
