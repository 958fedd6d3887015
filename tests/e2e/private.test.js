// What stays on a device, and for how long; and what a page of strangers can do to one who has voted here.
// SPDX-License-Identifier: MIT
import test from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { assertAccessible } from '../lib/browser.js';
import { freePorts } from '../lib/instance.js';
import { request, requestJson } from '../lib/http.js';
import { browser, counted, instance, openVote, sees, usePages } from '../lib/pages.js';
import { until } from '../lib/wait.js';

const FRUIT = [['a', 'Apples'], ['b', 'Pears'], ['c', 'Plums']].map(([id, label]) => ({ id, label }));
const DAY = 86_400_000;

usePages();

const button = (page, name) => page.getByRole('button', { name, exact: true });
const keptBallot = (page, poll) => page.evaluate((name) => JSON.parse(localStorage.getItem(name)), `scrutin.ballot.${poll}`);
const everythingKept = (page) => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
/** As if what the device keeps of a ballot were older. */
const age = (page, poll, ms) => page.evaluate(([name, by]) => {
  const kept = JSON.parse(localStorage.getItem(name));
  for (const at of ['castAt', 'endedAt', 'overAt']) if (kept[at]) kept[at] -= by;
  localStorage.setItem(name, JSON.stringify(kept));
}, [`scrutin.ballot.${poll}`, ms]);
const close = (poll) => requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { state: 'closed' }, { authorization: `Bearer ${poll.token}` });

// --- what stays on a device

test('a vote that cannot be changed: the choice is kept until it is counted, the receipt until 30 days after the end', async () => {
  const poll = await instance.createPoll({ options: FRUIT, revisable: false });
  const page = await openVote(`/p/${poll.id}`);
  await page.route('**/receipts', (route) => route.abort()); // it is not counted yet
  await button(page, 'Pears').click();
  await button(page, 'Submit vote').click();
  await page.locator('.receipt').waitFor();
  assert.deepEqual((await keptBallot(page, poll.id)).selection, ['b']);
  await page.reload();
  await page.locator('.choice', { hasText: 'Pears' }).waitFor();
  await page.unroute('**/receipts');
  await page.evaluate(() => dispatchEvent(new Event('online'))); // it asks at once
  await counted(page);
  const { selection, receipt } = await keptBallot(page, poll.id);
  assert.deepEqual([selection, typeof receipt], [undefined, 'string']);
  await page.locator('.choice', { hasText: 'Pears' }).waitFor(); // for as long as the page is open
  await sees(page, 'your receipt until 30 days after the poll has closed');
  await page.reload();
  await sees(page, 'Your choice is no longer kept on this device.');
  await close(poll);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await sees(page, 'Voting has ended. Votes can no longer be changed.');
  await age(page, poll.id, 29 * DAY);
  await page.reload();
  await page.locator('.receipt').waitFor();
  await age(page, poll.id, 31 * DAY);
  await page.reload();
  await sees(page, 'This poll is closed.');
  assert.doesNotMatch(await everythingKept(page), new RegExp(`${receipt}|scrutin.voter`));
  await page.context().close();
});

test('a vote that can be changed: the choice is kept for a day at most, and no longer than the poll is open', async () => {
  const polls = [await instance.createPoll({ options: FRUIT }), await instance.createPoll({ options: FRUIT })];
  for (const [i, poll] of polls.entries()) {
    const page = await openVote(`/p/${poll.id}`);
    await button(page, 'Apples').click();
    await counted(page);
    await button(page, 'Change my vote').click();
    await button(page, 'Pears').click();
    await counted(page);
    const kept = await keptBallot(page, poll.id);
    assert.deepEqual([kept.selection, kept.before], [['b'], undefined], 'of a vote that was changed nothing is kept');
    if (i === 0) {
      await age(page, poll.id, DAY + 1);
    } else {
      await close(poll);
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await sees(page, 'Voting has ended. Votes can no longer be changed.');
    }
    await page.reload();
    await sees(page, 'Your choice is no longer kept on this device.');
    assert.equal((await keptBallot(page, poll.id)).selection, undefined);
    if (i === 0) { // it can be changed all the same
      await button(page, 'Change my vote').click();
      await button(page, 'Plums').click();
      await counted(page);
    }
    await page.context().close();
  }
});

test('a voting code leaves the address with the vote, and an API key is not kept at all', async () => {
  const poll = await instance.createPoll({ options: FRUIT, voter_policy: 'code' });
  const { json } = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/codes`, { count: 1 }, { authorization: `Bearer ${poll.token}` });
  const page = await openVote(`/p/${poll.id}#code=${json.codes[0]}`);
  await button(page, 'Apples').click();
  await counted(page);
  assert.equal(new URL(page.url()).hash, '');

  await page.route('**/v1/polls', (route) => (route.request().headers().authorization ? route.continue({
    headers: { ...route.request().headers(), authorization: `Bearer ${instance.apiKey}` } })
    : route.fulfill({ status: 401, headers: { 'content-type': 'application/problem+json' }, body: '{"type":"/problems/unauthorized"}' })));
  await page.goto(`${instance.votePage}/new`);
  await page.evaluate(() => localStorage.setItem('scrutin.api-key', 'a key of yore'));
  await page.getByLabel('Question').fill('Keyed');
  await page.getByRole('textbox', { name: 'Option 1' }).fill('One');
  await page.getByRole('textbox', { name: 'Option 2' }).fill('Two');
  await button(page, 'Create and open').click();
  await page.getByLabel('API key').fill('a key');
  await button(page, 'Create and open').click();
  await page.waitForURL(/\/manage\/\w+$/);
  await page.goto(instance.votePage);
  await until('what an earlier version kept is gone, too', async () => !/a key/.test(await everythingKept(page)));
  await page.context().close();
});

test('the result page keeps what opens hidden results for as long as its tab is open', async () => {
  const poll = await instance.createPoll({ options: FRUIT, results_visibility: 'after_close' });
  const page = await browser.open(`${instance.resultPage}/p/${poll.id}#manage=${poll.token}`);
  await sees(page, 'Apples');
  await page.reload();
  await sees(page, 'Apples');
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage })), new RegExp(poll.token));
  await page.context().close();
});

test('one sees what is kept, removes any of it, and forgets everything', async () => {
  const [voted, waiting, managed] = [await instance.createPoll({ title: 'Counted here', options: FRUIT }),
    await instance.createPoll({ title: 'Not sent yet', options: FRUIT }), await instance.createPoll({ title: 'Mine', options: FRUIT })];
  const page = await openVote(`/p/${voted.id}`, { serviceWorkers: 'allow' });
  await button(page, 'Apples').click();
  await counted(page);
  await until('the page is kept', () => page.evaluate(async () => (await caches.match('/')) !== undefined));
  assert.equal(await page.evaluate(async () => (await fetch('/', { method: 'POST', body: new URLSearchParams('vote=a') })).status), 200);
  assert.deepEqual((await page.context().cookies()).map(({ name, httpOnly }) => [name, httpOnly]), [['voter_id', true]]);
  await page.goto(`${instance.votePage}/manage/${managed.id}#${managed.token}`);
  await sees(page, 'Share');
  await page.route('**/ballot', (route) => route.abort());
  const tab = await openVote(`/p/${waiting.id}`, { device: page.context() });
  await tab.route('**/ballot', (route) => route.abort());
  await button(tab, 'Pears').click();
  await sees(tab, 'No connection');

  await page.getByRole('link', { name: 'On this device' }).click();
  await page.getByRole('heading', { name: 'On this device', exact: true }).waitFor();
  for (const text of ['Counted here', 'Not sent yet', 'Mine', '1 vote has not been sent yet']) await sees(page, text);
  await assertAccessible(page);
  const remove = (title) => page.locator('li', { hasText: title }).getByRole('button');
  for (const title of ['Counted here', 'Mine']) {
    await remove(title).click();
    await remove(title).click(); // it asks once more
    await page.locator('li', { hasText: title }).waitFor({ state: 'detached' });
  }
  assert.doesNotMatch(await everythingKept(page), new RegExp(`${voted.id}|${managed.token}`));
  const forgetAll = async () => {
    await button(page, 'Remove everything from this device').click();
    await Promise.all([page.waitForEvent('load'), button(page, 'Really remove everything?').click()]);
    await sees(page, 'Nothing is saved on this device.');
  };
  await forgetAll();
  await tab.evaluate(() => dispatchEvent(new Event('online'))); // it knows nothing either, and brings nothing back
  await tab.locator('.choice').waitFor({ state: 'detached' });
  assert.doesNotMatch(await everythingKept(page), /scrutin\.(ballot|voter|managed)/);
  await tab.close(); // which knows the poll that it shows
  await forgetAll();
  assert.deepEqual(await page.evaluate(async () => [{ ...localStorage }, { ...sessionStorage }, await caches.keys(),
    (await navigator.serviceWorker.getRegistrations()).length]), [{}, {}, [], 0]);
  assert.deepEqual(await page.context().cookies(), []);
  await page.context().close();
});

// --- a page of strangers

/** Serves what `answer` says, on a port of its own; `requests` are the paths that it was asked for. */
async function startServer(answer) {
  const server = http.createServer((req, res) => {
    server.requests.push(req.url);
    answer(req, res);
  });
  server.requests = [];
  server.listen(await freePorts(1), '127.0.0.1');
  await once(server, 'listening');
  server.port = server.address().port;
  return server;
}

/** The two kinds of strangers: another site, and, on another port of our host, another origin of the same site, to which
 *  the browser sends our cookie. */
const STRANGERS = [['another site', 'localhost'], ['another port of our host', '127.0.0.1']];

for (const [who, host] of STRANGERS) {
  test(`a hostile page of ${who} cannot frame, steer, vote or read`, async () => {
    const poll = await instance.createPoll({ options: FRUIT });
    const hostile = await startServer((req, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><title>hostile</title><body>'));
    const device = await browser.device();
    const victim = await browser.open(`${instance.votePage}/p/${poll.id}`, { device });
    await button(victim, 'Apples').click();
    await counted(victim);
    assert.equal(await victim.evaluate(async () => (await fetch('/', { method: 'POST', body: new URLSearchParams('vote=a') })).status), 200); // has a cookie
    const received = async (id) => (await request(instance.resultUrl, { path: `/v1/polls/${id}/results` })).json.ledger.received;
    await instance.settle();
    const before = [await received('demo'), await received(poll.id)];

    const page = await device.newPage();
    await page.goto(`http://${host}:${hostile.port}/`);
    const { votePage, resultPage } = instance;
    for (const url of [`${votePage}/p/${poll.id}`, `${votePage}/device`, `${resultPage}/p/${poll.id}`, `${votePage}/docs`]) {
      await page.evaluate((src) => new Promise((done) => {
        const frame = document.body.appendChild(Object.assign(document.createElement('iframe'), { src }));
        frame.onload = frame.onerror = done;
      }), url);
      await until(`${url} is refused in a frame`, () => /^chrome-error:/.test(page.frames().at(-1).url()));
    }

    const [opened] = await Promise.all([device.waitForEvent('page'), page.evaluate((url) => { window.opened = open(url); }, `${votePage}/p/${poll.id}`)]);
    await opened.waitForSelector('html[data-ready]');
    await until('the two windows know nothing of each other', () => page.evaluate(() => window.opened.closed));
    assert.equal(await opened.evaluate(() => window.opener), null);
    await page.evaluate((url) => { try { window.opened.location = url; } catch { /* forbidden */ } }, `http://${host}:${hostile.port}/steered`);
    await opened.close();

    const tries = await page.evaluate(async ([vote, id]) => {
      const of = (promise) => promise.then(({ type, status }) => `${type} ${status}`, ({ name }) => name);
      const body = '{"selection":["b"]}';
      const script = new Promise((done) => {
        const element = Object.assign(document.createElement('script'), { src: `${vote}/v1/polls/${id}` });
        element.onload = () => done('ran');
        element.onerror = () => done('refused');
        document.body.append(element);
      });
      return {
        read: await of(fetch(`${vote}/v1/polls/${id}`, { credentials: 'include' })),
        put: await of(fetch(`${vote}/v1/polls/${id}/ballot`, { method: 'PUT', credentials: 'include', body, headers: { 'content-type': 'application/json' } })),
        form: await of(fetch(`${vote}/`, { method: 'POST', credentials: 'include', mode: 'no-cors', body: new URLSearchParams('vote=b') })),
        json: await of(fetch(`${vote}/v1/voters`, { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' })),
        forget: await of(fetch(`${vote}/v1/voters/me`, { method: 'DELETE', credentials: 'include' })),
        script: await script,
      };
    }, [votePage, poll.id]);
    assert.deepEqual(tries, { read: 'TypeError', put: 'TypeError', form: tries.form, json: tries.json, forget: 'TypeError', script: 'refused' });
    for (const hidden of [tries.form, tries.json]) assert.match(hidden, /^(opaque 0|TypeError)$/); // sent, and nothing is seen of the answer
    for (const referrerpolicy of ['unsafe-url', 'no-referrer']) { // the latter sends Origin: null
      const [answer] = await Promise.all([page.waitForResponse(`${votePage}/`), page.evaluate(([action, policy]) => {
        document.body.innerHTML = `<meta name="referrer" content="${policy}"><form method="post" action="${action}"><input name="vote" value="b"></form>`;
        document.forms[0].submit();
      }, [`${votePage}/`, referrerpolicy])]);
      assert.equal(answer.status(), 403);
      await page.waitForURL(`${votePage}/`);
      await page.goto(`http://${host}:${hostile.port}/`);
    }
    await instance.settle();
    assert.deepEqual([await received('demo'), await received(poll.id)], before, 'nobody voted');
    assert.deepEqual((await device.cookies(votePage)).map(({ name }) => name), ['voter_id']);
    assert.ok(!hostile.requests.includes('/steered'));
    await device.close();
    hostile.close();
  });
}

test('a cookie that a stranger has planted makes nobody vote as the stranger', async () => {
  const poll = await instance.createPoll({ options: FRUIT });
  const { token } = (await requestJson(instance.votePage, 'POST', '/v1/voters', {})).json;
  const device = await browser.device();
  const { hostname } = new URL(instance.votePage);
  for (const path of ['/', '/v1/polls']) await device.addCookies([{ name: 'voter_id', value: token, domain: hostname, path }]);
  const page = await browser.open(`${instance.votePage}/p/${poll.id}`, { device });
  await button(page, 'Apples').click();
  await counted(page);
  const planted = await requestJson(instance.votePage, 'PUT', `/v1/polls/${poll.id}/ballot`, { selection: ['b'] }, { authorization: `Bearer ${token}` });
  assert.equal(planted.status, 202, planted.text);
  await until('both count', async () => (await request(instance.resultUrl, { path: `/v1/polls/${poll.id}/results` })).json.total === 2);
  await device.close();
});

test('what gets into the page cannot run there, nor tell anybody', async () => {
  const poll = await instance.createPoll({ options: FRUIT });
  const hostile = await startServer((req, res) => res.end());
  const device = await browser.device();
  for (const url of [`${instance.votePage}/p/${poll.id}`, `${instance.resultPage}/p/${poll.id}`]) {
    const page = await device.newPage();
    await page.goto(url);
    await page.waitForSelector('html[data-ready]');
    const done = await page.evaluate(async (away) => {
      const failure = async (act) => {
        try {
          await act();
          return 'done';
        } catch (error) {
          return error.name;
        }
      };
      const load = (name, more) => new Promise((done, failed) => {
        const element = Object.assign(document.createElement(name), more);
        element.onload = done;
        element.onerror = () => failed(new DOMException('', 'blocked'));
        document.body.append(element);
      });
      const button = Object.assign(document.createElement('button'), {});
      return {
        html: await failure(() => { document.body.innerHTML += '<img src=x onerror="window.ran = 1">'; }),
        script: await failure(() => { document.createElement('script').text = 'window.ran = 1'; }),
        eval: await failure(() => new Promise((done, failed) => { // later: what a test evaluates itself may do so
          setTimeout(() => { try { done((0, eval)('window.ran = 1')); } catch (error) { failed(error); } }, 50);
        })),
        policy: await failure(() => window.trustedTypes.createPolicy('mine', { createHTML: (text) => text })),
        attribute: await failure(() => { button.setAttribute('onclick', 'window.ran = 1'); document.body.append(button); button.click(); }),
        fetch: await failure(() => fetch(away, { mode: 'no-cors' })),
        image: await failure(() => load('img', { src: `${away}/image` })),
        frame: await failure(async () => { navigator.sendBeacon(`${away}/beacon`); }),
        ran: window.ran,
      };
    }, `http://localhost:${hostile.port}`);
    assert.deepEqual(done, { ...done, html: 'TypeError', script: 'TypeError', policy: 'TypeError', fetch: 'TypeError', image: 'blocked', ran: undefined }, url);
    assert.match(done.eval, /^(EvalError|TypeError)$/);
  }
  await device.close();
  assert.deepEqual(hostile.requests, []);
  hostile.close();
});

test('an open Wi-Fi that answers with its own page spoils nothing for later', async () => {
  let isPortal = false;
  const wifi = await startServer((req, res) => {
    if (isPortal) {
      res.setHeader('content-type', 'text/html').end('<!doctype html><title>Welcome</title><p>Accept our terms');
      return;
    }
    const passed = http.request(new URL(req.url, instance.votePage), { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    req.pipe(passed).on('error', () => res.destroy());
  });
  const origin = `http://127.0.0.1:${wifi.port}`;
  const device = await browser.device({ serviceWorkers: 'allow' });
  const page = await device.newPage();
  await page.goto(origin);
  const keptPage = () => page.evaluate(async () => navigator.serviceWorker.controller?.state === 'activated' && (await caches.match('/'))?.headers.get('content-security-policy'));
  assert.match(await until('the page is kept', keptPage), /default-src 'self'.*frame-ancestors 'none'/, 'a copy has the policy of the page');
  isPortal = true;
  await page.evaluate(() => { history.pushState(null, '', '/new'); dispatchEvent(new PopStateEvent('popstate')); }); // a part that was not loaded yet
  await page.getByText('Cannot reach the server.').waitFor();
  isPortal = false;
  await page.goto(`${origin}/new`);
  await page.getByLabel('Question').waitFor();
  for (const [path, type] of await page.evaluate(async () => Promise.all((await (await caches.open('page')).keys()).map(async (request) =>
    [new URL(request.url).pathname, (await caches.match(request)).headers.get('content-type')])))) {
    assert.match(type, path.endsWith('.js') ? /javascript/ : path.endsWith('.css') ? /css/ : path.endsWith('.svg') ? /svg/ : /html/, path);
  }
  await device.close();
  wifi.close();
  wifi.closeAllConnections();
});
