// The vote page in a real browser against everything: create, vote on two devices, revise, close, for every method.
// SPDX-License-Identifier: MIT
import test, { describe } from 'node:test';
import assert from 'node:assert/strict';
import { request, requestJson } from '../lib/http.js';
import { browser, counted, instance, openVote, sees, usePages } from '../lib/pages.js';
import { until } from '../lib/wait.js';

usePages();

const PHONE = { viewport: { width: 390, height: 844 } };
const button = (page, name) => page.getByRole('button', { name });
const open = (path, options = PHONE) => openVote(path, options);
const results = async (poll) => (await request(instance.resultUrl, { path: `/v1/polls/${poll}/results` })).json;
const resultsWhen = (what, poll, holds) => until(what, async () => {
  const got = await results(poll);
  if (holds(got)) return got;
  throw new Error(JSON.stringify(got));
});
const countsOf = ({ results: rows }) => rows.map((row) => row.count);

/** Makes a poll on the page as an organiser does, and gives its code. */
async function createOnPage(page, { title, options, method, fill = async () => {} }) {
  await page.goto(`${instance.votePage}/new`);
  await page.getByLabel('Question').fill(title);
  await page.getByRole('textbox', { name: 'Option 1' }).fill(options[0]);
  for (const option of options.slice(1)) {
    await page.keyboard.press('Enter');
    await page.keyboard.type(option);
  }
  await page.getByRole('radio', { name: method }).check();
  await fill();
  await button(page, 'Create and open').click();
  await page.waitForURL(/\/manage\/\w+$/);
  await page.getByRole('heading', { name: 'Share' }).waitFor();
  return new URL(page.url()).pathname.split('/').pop();
}

const OPTIONS = ['Sea', 'Mountains', 'City'];

/** For each method: how one votes, how one changes one's mind, and what the result then says. */
const METHODS = [
  { method: 'One choice',
    first: async (page) => button(page, 'Sea').click(),
    second: async (page) => button(page, 'City').click(),
    check: (got) => assert.deepEqual(countsOf(got), [1, 0, 1]) },
  { method: 'Several choices',
    first: async (page) => {
      await page.getByLabel('Sea').check({ force: true });
      await page.getByLabel('City').check({ force: true });
      await button(page, 'Submit vote').click();
    },
    second: async (page) => {
      await page.getByLabel('Sea').uncheck({ force: true });
      await button(page, 'Submit vote').click();
    },
    check: (got) => assert.deepEqual(countsOf(got), [1, 0, 2]) },
  { method: 'Ranking',
    first: async (page) => {
      await button(page, 'City').click();
      await button(page, 'Sea').click();
      await button(page, 'Submit vote').click();
    },
    second: async (page) => {
      await button(page, 'Sea: move up').click();
      await button(page, 'Submit vote').click();
    },
    check: (got) => assert.deepEqual(countsOf(got), [1, 0, 1]) },
  { method: 'Star rating',
    first: async (page) => {
      await page.getByRole('group', { name: 'Sea' }).getByLabel('5 stars').check({ force: true });
      await page.getByRole('group', { name: 'City' }).getByLabel('0 stars').check({ force: true });
      await button(page, 'Submit vote').click();
    },
    second: async (page) => {
      await page.getByRole('group', { name: 'Sea' }).getByLabel('1 star', { exact: true }).check({ force: true });
      await button(page, 'Clear the rating of City').click();
      await button(page, 'Submit vote').click();
    },
    check: (got) => assert.deepEqual(got.results.map((row) => [row.count, row.sum]), [[2, 6], [0, 0], [1, 0]]) },
];

describe('every method', { concurrency: 4 }, () => {
  for (const { method, first, second, check } of METHODS) {
    test(`${method}: create, vote on two devices, change one's mind, close; the result is what the devices show`, async () => {
      const organiser = await open('/', { viewport: { width: 1280, height: 800 } });
      const title = `Where to? ${method}`;
      const code = await createOnPage(organiser, { title, options: OPTIONS, method });
      const one = await open('/');
      await one.getByLabel('Poll code').fill(` ${code.toUpperCase().replace(/^(....)/, '$1-')} `);
      await button(one, 'Join').click();
      await one.waitForURL(`**/p/${code}`);
      await sees(one, 'You can change your vote until the poll closes.');
      const two = await open(`/p/${code}`);
      await first(one);
      await counted(one);
      await first(two);
      await counted(two);
      await button(two, 'Change my vote').click();
      await second(two);
      await counted(two);
      check(await resultsWhen('both ballots count', code, (got) => got.total === 2 && got.ledger.superseded === 1));

      const receipt = await two.locator('.receipt code').textContent();
      await organiser.goto(`${instance.votePage}/receipt#${receipt}`);
      await sees(organiser, 'The vote is included in the results.');
      await organiser.goto(`${instance.votePage}/manage/${code}`);
      await button(organiser, 'Close').click();
      await button(organiser, 'Really close?').click();
      await resultsWhen('it is final', code, (got) => got.state === 'final');
      await sees(organiser, 'Final');
      await one.reload();
      await sees(one, 'Voting has ended. Votes can no longer be changed.');
      const late = await open(`/p/${code}`);
      await sees(late, 'This poll is closed. Voting has ended.');
      for (const page of [organiser, one, two, late]) await page.context().close();
    });
  }
});

test('voting codes: made, typed carelessly, wrong ones kept out, one vote each', async () => {
  const organiser = await open('/', { viewport: { width: 1280, height: 800 } });
  const code = await createOnPage(organiser, { title: 'With codes', options: OPTIONS, method: 'One choice',
    fill: () => organiser.getByRole('radio', { name: 'With a voting code' }).check() });
  await organiser.getByLabel('How many?').fill('3');
  await button(organiser, 'Create codes').click();
  await sees(organiser, '3 codes created so far.');
  const codes = await organiser.locator('.code-card .code').allTextContents();
  assert.equal(new Set(codes).size, 3);

  const voter = await open(`/p/${code}`);
  await button(voter, 'Sea').click();
  await sees(voter, 'This voting code is incomplete.');
  await voter.getByLabel('Your voting code').fill('0000-0000-0000');
  await button(voter, 'Sea').click();
  await sees(voter, 'This voting code is not valid for this poll.');
  assert.equal(await button(voter, 'Sea').getAttribute('aria-pressed'), 'true'); // still filled in
  const field = voter.getByLabel('Your voting code');
  await field.fill('');
  await field.pressSequentially(codes[0].toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l'));
  assert.equal(await field.inputValue(), codes[0]);
  await button(voter, 'Sea').click();
  await counted(voter);

  const scanned = await open(`/p/${code}#code=${codes[0]}`); // the same code on another device is the same voter
  await button(scanned, 'City').click();
  await counted(scanned);
  const got = await resultsWhen('one vote', code, ({ ledger }) => ledger.superseded === 1);
  assert.deepEqual(countsOf(got), [0, 0, 1]);
  for (const page of [organiser, voter, scanned]) await page.context().close();
});

test('without a network the ballot is kept, also over a reload, and sent once when it is back', async () => {
  const { id } = await instance.createPoll({ options: [{ id: 'a', label: 'Apples' }, { id: 'b', label: 'Pears' }] });
  const page = await open(`/p/${id}`);
  await page.context().setOffline(true);
  await button(page, 'Apples').click();
  await sees(page, 'No connection');
  assert.equal((await results(id)).ledger.received, 0);
  const sent = [];
  page.on('request', (asked) => asked.method() === 'PUT' && sent.push(asked));
  await page.context().setOffline(false);
  await counted(page);
  assert.equal(sent.length, 1);

  await page.route('**/ballot', (route) => route.abort()); // the page opens, the ballot does not leave
  await button(page, 'Change my vote').click();
  await button(page, 'Pears').click();
  await sees(page, 'No connection');
  await page.reload();
  await sees(page, 'Pears');
  await page.unroute('**/ballot');
  await button(page, 'Try now').click();
  await counted(page);
  const got = await resultsWhen('the change counts', id, ({ ledger }) => ledger.received === 2);
  assert.deepEqual(countsOf(got), [0, 1]);
  await page.context().close();
});

test('an answer that is lost on the way does not make a second voter', async () => {
  const { id } = await instance.createPoll({ options: [{ id: 'a', label: 'Apples' }, { id: 'b', label: 'Pears' }] });
  const page = await open(`/p/${id}`);
  let n = 0;
  await page.route('**/ballot', async (route) => {
    if (++n > 1) return route.continue();
    // Recorded, and nobody hears of it: by Playwright's own fetch the browser would have the cookie of the answer.
    const { authorization, cookie, 'content-type': type } = await route.request().allHeaders();
    const headers = { 'content-type': type, ...(authorization && { authorization }), ...(cookie && { cookie }) };
    assert.equal((await request(instance.voteUrl, { method: 'PUT', path: `/v1/polls/${id}/ballot`, headers, body: route.request().postData() })).status, 202);
    return route.abort();
  });
  await button(page, 'Apples').click();
  await counted(page);
  assert.equal(n, 2);
  const got = await resultsWhen('both came in', id, ({ ledger }) => ledger.received === 2);
  assert.equal(got.total, 1);
  await page.context().close();
});

test('vote-api restarted under the page: the ballot waits, says so, and counts once', async () => {
  const { id } = await instance.createPoll({ options: [{ id: 'a', label: 'Apples' }, { id: 'b', label: 'Pears' }] });
  const page = await open(`/p/${id}`);
  await instance.ctl('stop', 'vote-api');
  await button(page, 'Apples').click();
  await sees(page, 'Not confirmed yet');
  await instance.ctl('start', 'vote-api');
  await counted(page);
  const got = await resultsWhen('it counts', id, ({ total }) => total === 1);
  assert.equal(got.ledger.received, 1);
  await page.context().close();
});

test('too many requests, a poll that closes meanwhile: sentences, and what was filled in stays', async () => {
  const { id, token } = await instance.createPoll({ method: 'approval', options: [{ id: 'a', label: 'Apples' }, { id: 'b', label: 'Pears' }] });
  const page = await open(`/p/${id}`);
  let n = 0;
  await page.route('**/ballot', (route) => (++n > 1 ? route.continue() : route.fulfill({ status: 429,
    headers: { 'retry-after': '1', 'content-type': 'application/problem+json' }, body: '{"type":"/problems/too-many-requests"}' })));
  await page.getByLabel('Apples').check({ force: true });
  await button(page, 'Submit vote').click();
  await sees(page, 'Your vote is saved on this device');
  await counted(page);

  const manager = { authorization: `Bearer ${token}` };
  await button(page, 'Change my vote').click();
  await page.getByLabel('Pears').check({ force: true });
  const change = (body) => requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${id}`, body, manager);
  assert.equal((await change({ title: 'A better title' })).status, 200);
  await page.evaluate(() => dispatchEvent(new Event('online'))); // the page looks again, as it does now and then
  await page.getByRole('heading', { name: 'A better title' }).waitFor();
  assert.ok(await page.getByLabel('Pears').isChecked());
  assert.equal((await change({ state: 'closed' })).status, 200);
  await button(page, 'Submit vote').click();
  await sees(page, 'Your vote was not accepted');
  await sees(page, 'Your previous vote still counts.');
  assert.ok(await page.getByLabel('Pears').isChecked());
  await button(page, 'OK').click();
  await sees(page, 'Voting has ended. Votes can no longer be changed.');
  await page.context().close();
});

test('rules are said before one votes, and a final vote asks twice', async () => {
  const { id } = await instance.createPoll({ revisable: false, closes_at: new Date(Date.now() + 3_600_000).toISOString(),
    options: [{ id: 'a', label: 'Apples' }, { id: 'b', label: 'Pears' }] });
  const page = await open(`/p/${id}`);
  for (const rule of ['Anyone with the link can vote', 'Your vote is final once you submit it.', /Closes in ((5\d|60) minutes|1 hour)/, 'Everyone sees the results live.']) {
    await sees(page, rule);
  }
  await button(page, 'Apples').click();
  await button(page, 'Pears').click(); // a finger that slipped
  await button(page, 'Submit vote').click();
  await counted(page);
  assert.equal(await button(page, 'Change my vote').count(), 0);
  assert.deepEqual(countsOf(await resultsWhen('it counts', id, ({ total }) => total === 1)), [0, 1]);
  await page.context().close();
});

test('a draft is opened, closed and opened again by its organiser; two tabs of a device are one voter', async () => {
  const organiser = await open('/new', { viewport: { width: 1280, height: 800 } });
  await organiser.getByLabel('Question').fill('Slowly');
  await organiser.getByRole('textbox', { name: 'Option 1' }).focus();
  await organiser.evaluate(() => { // a list from a spreadsheet
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', '1. Apples\n2. Pears\n\n- Plums');
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await organiser.getByLabel('The poll can be reopened').check();
  await button(organiser, 'Save as draft').click();
  await organiser.waitForURL(/\/manage\/\w+$/);
  await organiser.locator('.chip.draft').waitFor();
  const code = new URL(organiser.url()).pathname.split('/').pop();
  const { json: poll } = await request(instance.voteUrl, { path: `/v1/polls/${code}` });
  assert.deepEqual(poll.options.map((option) => option.label), ['Apples', 'Pears', 'Plums']);
  for (const [policy, shown] of [['People with a voting code', 'visible'], ['Anyone with the link', 'hidden']]) {
    await button(organiser, 'Edit').click();
    await organiser.getByRole('radio', { name: policy }).check();
    await button(organiser, 'Save').click();
    await button(organiser, 'Create codes').waitFor({ state: shown, timeout: 5000 }); // the next look comes after 9 s or more
  }

  const voter = await open(`/p/${code}`);
  await sees(voter, 'This poll is not open yet.');
  await button(organiser, 'Open now').click();
  await button(organiser, 'Close').waitFor();
  await voter.reload();
  await button(voter, 'Apples').click();
  await counted(voter);
  const tab = await browser.open(`${instance.votePage}/p/${code}`, { device: voter.context() });
  await button(tab, 'Change my vote').click();
  await button(tab, 'Pears').click();
  await counted(tab);
  await voter.locator('.choice', { hasText: 'Pears' }).waitFor(); // the other tab shows it too

  await button(organiser, 'Close').click();
  await button(organiser, 'Really close?').click();
  await button(organiser, 'Reopen').click();
  await button(organiser, 'Close').waitFor();
  await button(organiser, 'Edit').click();
  await organiser.getByLabel('Question').fill('Once more');
  await button(organiser, 'Save').click();
  await organiser.getByRole('heading', { name: 'Once more' }).waitFor();
  await tab.reload();
  await button(tab, 'Change my vote').click();
  await button(tab, 'Plums').click();
  await counted(tab);
  const got = await resultsWhen('the last one counts', code, ({ ledger }) => ledger.received === 3);
  assert.deepEqual(countsOf(got), [0, 0, 1]);
  for (const page of [organiser, voter]) await page.context().close();
});

test('results that show after voting: the link of who has voted leads to them', async () => {
  const { id } = await instance.createPoll({ results_visibility: 'after_vote', options: [{ id: 'a', label: 'Apples' }, { id: 'b', label: 'Pears' }] });
  const page = await open(`/p/${id}`);
  await sees(page, 'You see the results after you vote.');
  assert.equal(await page.getByRole('link', { name: 'See results' }).count(), 0);
  await button(page, 'Pears').click();
  await counted(page);
  await page.getByRole('link', { name: 'See results' }).click();
  await page.waitForURL(new RegExp(`^${instance.resultPage}/p/${id}`));
  await sees(page, 'Pears');
  await page.context().close();
});

test('an organiser exports, hands the manage link to another device, and deletes', async () => {
  const { id, token } = await instance.createPoll({ options: [{ id: 'a', label: '=1+1' }, { id: 'b', label: 'Pears' }] });
  await requestJson(instance.voteUrl, 'PUT', `/v1/polls/${id}/ballot`, { selection: ['b'] });
  await resultsWhen('it counts', id, ({ total }) => total === 1);
  const page = await open(`/manage/${id}#${token}`, { viewport: { width: 1280, height: 800 } });
  await sees(page, 'vote counted');
  assert.equal(new URL(page.url()).hash, ''); // not for the eyes of the hall
  for (const [name, file] of [['Results (CSV)', 'results.csv'], ['Results (JSON)', 'results.json'], ['Turnout (CSV)', 'timeline.csv']]) {
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
    assert.equal(download.suggestedFilename(), `${id}-${file}`);
  }
  const link = await page.getByRole('link', { name: /manage\// }).getAttribute('href');
  const other = await open('/');
  await other.goto(`${instance.votePage}/manage/${id}`);
  await other.getByLabel('Manage link').fill(link);
  await button(other, 'Continue').click();
  await button(other, 'Delete the poll').click();
  await button(other, 'Really delete?').click();
  await other.waitForURL(`${instance.votePage}/`);
  await page.goto(`${instance.votePage}/p/${id}`);
  await sees(page, 'No poll has the code');
  for (const one of [page, other]) await one.context().close();
});

test('texts that nobody could read or tell apart, and times past the last year, are refused in either language', async () => {
  const page = await open('/new', { viewport: { width: 1280, height: 800 } });
  const option = (n) => page.getByRole('textbox', { name: `Option ${n}` });
  const create = async (name = 'Create and open') => button(page, name).click();
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.id);
  await page.getByLabel('Question').fill('\u200B\u3000');
  await option(1).fill('Straße');
  await option(2).fill('STRASSE');
  await create();
  await sees(page, 'Enter a question.');
  await sees(page, 'Two options have the same name.');
  await page.getByLabel('Question').fill('Which \u202Eone?');
  await option(2).fill('a\u0007b');
  await create();
  await page.getByText('This text contains a character that is invisible').nth(1).waitFor();
  await page.getByLabel('Question').fill('می‌خواهم 👩‍👩‍👧');
  await create();
  assert.equal(await focused(), 'Option 2');

  // The page knows nearly all of the rules; what it lets pass, the server still refuses, and the page says so.
  await option(1).fill('ẞ');
  await option(2).fill('ß');
  await create();
  await page.getByText('The server did not accept this: Options 1 ("ẞ") and 2 ("ß") read the same.').first().waitFor();
  await page.goto(`${instance.votePage}/new?lang=fr`);
  await page.getByLabel('Question').fill('Ça va ?');
  await option(1).fill('ẞ');
  await option(2).fill('ß');
  await create('Créer et ouvrir');
  await page.getByText('Le serveur n’accepte pas ceci : Options 1').first().waitFor();
  await option(1).fill('Oui\u2067');
  await create('Créer et ouvrir');
  await sees(page, 'Ce texte contient un caractère invisible');
  await option(1).fill('Oui');
  for (const field of ['#opens', '#closes']) {
    await page.locator(field).evaluate((input) => {
      input.value = '12345-01-01T00:00';
      input.dispatchEvent(new Event('change', { bubbles: true }));
    });
  }
  await create('Créer'); // not at once: it opens later
  await page.getByText('L’année ne peut pas dépasser 9999.').nth(1).waitFor();
  for (const field of ['#opens', '#closes']) await page.locator(field).fill('');
  await create('Créer et ouvrir');
  await page.waitForURL(/\/manage\/\w+/);
  await page.context().close();
});

test('where creating needs an API key the page asks for it', async () => {
  const page = await open('/new', { viewport: { width: 1280, height: 800 } });
  const asked = [];
  await page.route('**/v1/polls', (route) => {
    asked.push(route.request().headers().authorization);
    return asked.length > 1 ? route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${instance.apiKey}` } })
      : route.fulfill({ status: 401, headers: { 'content-type': 'application/problem+json' }, body: '{"type":"/problems/unauthorized"}' });
  });
  await button(page, 'Create and open').click();
  await sees(page, 'Enter a question.');
  await page.getByLabel('Question').fill('Keyed');
  await page.getByRole('textbox', { name: 'Option 1' }).fill('One');
  await page.getByRole('textbox', { name: 'Option 2' }).fill('Two');
  await button(page, 'Create and open').click();
  await page.getByLabel('API key').fill('a key');
  await button(page, 'Create and open').click();
  await page.waitForURL(/\/manage\/\w+$/);
  assert.deepEqual(asked, [undefined, 'Bearer a key']);
  await page.context().close();
});

const HOSTILE = ['<img src=x onerror="document.title=\'pwned\'">', '\u200Fשלום right to left', '👩‍👩‍👧‍👦🏳️‍🌈 zalgo h̷̡͝e̵', '"><script>document.title="pwned"</script>'];

test('hostile titles, options and addresses are shown as text', async () => {
  const long = 'W'.repeat(200);
  const { id } = await instance.createPoll({ title: HOSTILE[0], description: `${HOSTILE[3]}\n${'long '.repeat(380)}`, method: 'ranked',
    options: [...HOSTILE, long].map((label, i) => ({ id: `o${i}`, label })) });
  const page = await open(`/p/${id}`);
  await page.getByRole('heading', { name: HOSTILE[0], exact: true }).waitFor();
  for (const label of [...HOSTILE, long]) await page.locator('button.option', { hasText: label }).click();
  await button(page, 'Submit vote').click();
  await counted(page);
  assert.deepEqual(await page.locator('.choice li').allTextContents(), [...HOSTILE, long]);
  for (const path of ['/', `/p/${encodeURIComponent(HOSTILE[0])}`, `/receipt#${HOSTILE[0]}`, `/manage/${encodeURIComponent(HOSTILE[3])}`,
    `/p/${id}?lang=${encodeURIComponent(HOSTILE[0])}`, `/p/${id}#code=${encodeURIComponent(HOSTILE[3])}`]) {
    await page.goto(instance.votePage + path);
    await page.locator('main h1').waitFor();
    assert.doesNotMatch(await page.title(), /^pwned/, path);
    assert.equal(await page.locator('main img, main script').count(), 0, path);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${path} is ${overflow} pixels too wide`);
  }
  await page.context().close();
});

test('drag and drop puts options in order', async () => {
  const { id } = await instance.createPoll({ method: 'ranked', options: OPTIONS.map((label, i) => ({ id: `o${i}`, label })) });
  const page = await open(`/p/${id}`);
  for (const option of OPTIONS) await button(page, option).click();
  const grip = await button(page, 'City, place 3: move').boundingBox();
  const top = await page.locator('.slot').first().boundingBox();
  await page.mouse.move(grip.x + 10, grip.y + 10);
  await page.mouse.down();
  await page.mouse.move(grip.x + 10, grip.y - 30, { steps: 4 });
  await page.mouse.move(grip.x + 10, top.y - 5, { steps: 8 });
  await page.mouse.up();
  const order = () => page.locator('.slot .text').allTextContents();
  await until('it has moved', async () => (await order())[0] === 'City');
  assert.deepEqual(await order(), ['City', 'Sea', 'Mountains']);
  await page.context().close();
});

test('the page had no error, broke no policy, and asked nobody else', () => browser.assertNoComplaint());
