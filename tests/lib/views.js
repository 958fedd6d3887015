// Every view of the pages, with data in it, for axe and for `make screenshots`.
// SPDX-License-Identifier: MIT
import { requestJson } from './http.js';

const PLACES = ['A week by the sea', 'Hiking in the mountains', 'A big city', 'Staying at home with a book', 'A farm with animals'];

/** Votes as n voters. A function gives each voter's selection by the voter's number. */
async function castBallots(instance, poll, n, select) {
  const ballots = Array.from({ length: n }, (_, i) => ({ voter: `v${i}`, selection: select(i) }));
  const { status, text } = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll}/ballots`, { ballots },
    { authorization: `Bearer ${instance.apiKey}` });
  if (status !== 202) throw new Error(text);
}

const FILMS = ['The lighthouse', 'Night train to the coast', 'Nine', 'A garden in the north', 'What the river said'];
const ids = PLACES.map((_, i) => `o${i}`);
/** A small number that looks random and is the same in each run. */
const dice = (i, sides) => Math.abs(Math.floor(Math.sin(i + 1) * 10_000)) % sides;
const order = (i) => [...ids].sort((a, b) => dice(i * 7 + a.charCodeAt(1), 97) * (a === 'o1' ? 0.6 : 1) - dice(i * 7 + b.charCodeAt(1), 97));

/** Makes the polls for the views. */
export async function makePolls(instance) {
  const options = PLACES.map((label, i) => ({ id: ids[i], label }));
  const make = (more) => instance.createPoll({ title: 'Where shall the team go this summer?', options,
    description: 'We book on Monday. A day trip is fine too.', ...more });
  const polls = {
    plurality: await make({ closes_at: new Date(Date.now() + 25 * 60_000).toISOString() }),
    approval: await make({ method: 'approval', max_choices: 3, title: 'Which of these would be fine for you?' }),
    ranked: await make({ method: 'ranked', title: 'Your order, please: where to?' }),
    score: await make({ method: 'score', title: 'How do you like these ideas?' }),
    code: await make({ voter_policy: 'code', revisable: false, title: 'Board election', description: '' }),
    scheduled: await make({ opens_at: new Date(Date.now() + 3 * 3_600_000).toISOString(), title: 'Opens tonight' }),
    draft: await make({ state: 'draft', title: 'Still a draft', reopenable: true }),
    closed: await make({ title: 'The winner of the evening' }),
    hidden: await make({ title: 'Hidden until the end', results_visibility: 'after_close' }),
    many: await make({ method: 'approval', title: 'Which films shall open the festival?',
      options: Array.from({ length: 40 }, (_, i) => ({ id: `f${i}`, label: `${FILMS[i % FILMS.length]} ${1 + Math.floor(i / FILMS.length)}` })) }),
    fresh: await make({ title: 'Shall we begin?', options: ['Yes', 'Not yet'].map((label, i) => ({ id: ids[i], label })) }),
  };
  await castBallots(instance, polls.plurality.id, 240, (i) => [ids[dice(i, 9) % 5]]);
  await castBallots(instance, polls.approval.id, 180, (i) => {
    const liked = ids.filter((_, o) => dice(i * 5 + o, 10) < 4).slice(0, 3);
    return liked.length ? liked : [ids[1]];
  });
  await castBallots(instance, polls.ranked.id, 160, (i) => order(i).slice(0, 2 + dice(i, 4)));
  await castBallots(instance, polls.score.id, 150, (i) => ({
    ...Object.fromEntries(ids.filter((_, o) => dice(i + o * 31, 5)).map((id, o) => [id, dice(i * 3 + o, 6)])), o1: 3 + dice(i, 3) }));
  await castBallots(instance, polls.many.id, 150, (i) => [`f${dice(i, 40)}`, `f${(dice(i, 40) + 1 + dice(i * 3, 12)) % 40}`]);
  await castBallots(instance, polls.closed.id, 320, (i) => [ids[dice(i, 11) % 5]]);
  await requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${polls.closed.id}`, { state: 'closed' }, { authorization: `Bearer ${polls.closed.token}` });
  return polls;
}

const cast = (page) => page.getByRole('button', { name: /Submit vote|Valider mon vote/ }).click();
const untilCounted = (page) => page.locator('.step.done').nth(2).waitFor();

/** The views of the vote page: the name, the path, and the actions to do there first. */
export const voteViews = (polls) => [
  { name: 'home', path: '/' },
  { name: 'home-wrong-code', path: '/', act: async (page) => {
    await page.locator('#code').fill('nowhere9');
    await page.keyboard.press('Enter');
    await page.locator('#join-hint.error').waitFor();
  } },
  { name: 'plurality', path: `/p/${polls.plurality.id}` },
  { name: 'plurality-cast', path: `/p/${polls.plurality.id}`, act: async (page) => {
    await page.locator('button.option').nth(1).click();
    await untilCounted(page);
  } },
  { name: 'plurality-offline', path: `/p/${polls.plurality.id}`, act: async (page) => {
    await page.route('**/ballot', (route) => route.abort());
    await page.locator('button.option').nth(1).click();
    await page.locator('.notice.warn').waitFor();
  } },
  { name: 'approval', path: `/p/${polls.approval.id}`, act: async (page) => {
    for (const n of [0, 2, 4]) await page.locator('input[type=checkbox]').nth(n).check({ force: true });
  } },
  { name: 'ranked', path: `/p/${polls.ranked.id}`, act: async (page) => {
    for (const n of [1, 1, 2]) await page.locator('button.option').nth(n).click();
  } },
  { name: 'ranked-cast', path: `/p/${polls.ranked.id}`, act: async (page) => {
    for (const n of [1, 1, 2]) await page.locator('button.option').nth(n).click();
    await cast(page);
    await untilCounted(page);
  } },
  { name: 'score', path: `/p/${polls.score.id}`, act: async (page) => {
    for (const [n, stars] of [[0, 4], [1, 5], [3, 0]]) await page.locator('fieldset.score').nth(n).locator('label').nth(stars).click();
  } },
  { name: 'score-cast', path: `/p/${polls.score.id}`, act: async (page) => {
    for (const [n, stars] of [[0, 4], [1, 5], [3, 0]]) await page.locator('fieldset.score').nth(n).locator('label').nth(stars).click();
    await cast(page);
    await untilCounted(page);
  } },
  { name: 'code', path: `/p/${polls.code.id}`, act: async (page) => {
    await page.locator('#voting-code').fill('0000-0000-0000');
    await page.locator('button.option').first().click();
    await cast(page);
    await page.locator('#code-hint.error').waitFor();
  } },
  { name: 'scheduled', path: `/p/${polls.scheduled.id}` },
  { name: 'closed', path: `/p/${polls.closed.id}` },
  { name: 'no-such-poll', path: '/p/nowhere9' },
  { name: 'nothing-here', path: '/p/a/b/c' },
  { name: 'receipt', path: '/receipt#k1.not-a-receipt', act: (page) => page.locator('.notice').waitFor() },
  { name: 'device', path: `/p/${polls.plurality.id}`, act: async (page) => {
    await page.locator('button.option').nth(1).click();
    await untilCounted(page);
    await page.goto(page.url().replace(/\/p\/.*/, `/manage/${polls.approval.id}#${polls.approval.token}`));
    await page.locator('.share').waitFor();
    await page.locator('footer a[href="/device"]').click();
    await page.locator('.kept').nth(1).waitFor();
  } },
  { name: 'device-empty', path: '/device' },
  { name: 'create', path: '/new' },
  { name: 'create-faults', path: '/new', act: async (page) => {
    await page.locator('form .actions .button').first().click();
    await page.locator('#fault-title').waitFor();
  } },
  { name: 'create-filled', path: '/new', act: async (page) => {
    await page.locator('#title').fill('Where shall we eat tonight?');
    await page.locator('.option-fields input').first().fill('Couscous');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Pizza');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Sushi');
    await page.locator('input[value=score]').check();
    await page.locator('#title').focus();
  } },
  { name: 'manage', path: `/manage/${polls.plurality.id}#${polls.plurality.token}`, act: (page) => page.locator('.share').waitFor() },
  { name: 'manage-draft', path: `/manage/${polls.draft.id}#${polls.draft.token}`, act: async (page) => {
    await page.locator('.share').waitFor();
    await page.getByRole('button', { name: /^(Edit|Modifier)$/ }).click();
  } },
  { name: 'manage-codes', path: `/manage/${polls.code.id}#${polls.code.token}`, act: async (page) => {
    await page.locator('#count').fill('6');
    await page.keyboard.press('Enter');
    await page.locator('.code-card').first().waitFor();
  } },
  { name: 'manage-link', path: `/manage/${polls.closed.id}` },
].map((view) => ({ ...view, site: 'vote' }));

/** The views of the result page and of the presenter's screen. */
export const resultViews = (polls) => [
  { name: 'list', path: '/', act: (page) => page.locator('.poll-card').first().waitFor() },
  ...['plurality', 'approval', 'ranked', 'score', 'closed', 'scheduled'].map((name) => ({ name, path: `/p/${polls[name].id}`,
    act: (page) => page.locator('.ledger').waitFor() })),
  { name: 'table', path: `/p/${polls.score.id}`, act: async (page) => {
    await page.locator('summary').first().click();
    await page.locator('table').first().waitFor();
  } },
  { name: 'first-round', path: `/p/${polls.ranked.id}`, act: async (page) => {
    for (const back = page.getByRole('button', { name: /Previous round|Tour précédent/ }); await back.isEnabled();) await back.click();
  } },
  { name: 'hidden', path: `/p/${polls.hidden.id}`, act: (page) => page.locator('.curtain').waitFor() },
  { name: 'no-such-poll', path: '/p/nowhere9', act: (page) => page.locator('h1').waitFor() },
  ...['plurality', 'approval', 'ranked', 'score', 'closed', 'many'].map((name) => ({ name: `present-${name}`, path: `/p/${polls[name].id}/present`,
    act: (page) => page.locator('.screen .bar').first().waitFor() })),
  { name: 'present-waiting', path: `/p/${polls.fresh.id}/present`, act: (page) => page.locator('.wait-count').waitFor() },
  { name: 'present-hidden', path: `/p/${polls.hidden.id}/present`, act: (page) => page.locator('.wait-note').waitFor() },
  { name: 'present-table', path: `/p/${polls.plurality.id}/present`, act: async (page) => {
    await page.locator('.screen .bar').first().waitFor();
    await page.keyboard.press('t');
  } },
  { name: 'present-rounds', path: `/p/${polls.ranked.id}/present`, act: async (page) => {
    await page.locator('.screen .bar').first().waitFor();
    await page.keyboard.press('r');
    await page.keyboard.press('ArrowRight');
    await page.locator('.round').waitFor();
  } },
  { name: 'present-help', path: `/p/${polls.plurality.id}/present`, act: async (page) => {
    await page.locator('.screen .bar').first().waitFor();
    await page.keyboard.press('?');
  } },
].map((view) => ({ ...view, site: 'result' }));
