// The home view: join by code, the open polls, and the polls that this device manages.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem, ask, persist } from '../web/api.js';
import { html, repeat } from '../web/html.js';
import { distance, t } from '../web/i18n.js';
import { go, refresh } from '../web/shell.js';
import { icons } from './icons.js';
import { managedPolls } from './managed.js';
import { keptBallot } from './outbox.js';
import { pollCodes } from './voting_code.js';

/** @typedef {import('../web/types.js').Poll} Poll */

const PAGE = 100; // polls in one request; the API lists closed polls too
const PAGES = 5; // requests before the button "Show more" appears
const ENOUGH = 8; // open polls

let joinError = '';

/** Opens the first poll that the typed text can mean. @param {string} typed */
async function join(typed) {
  const codes = pollCodes(typed);
  joinError = codes.length ? '' : t('join.empty');
  for (const code of codes) {
    try {
      await persist(() => ask('GET', `/v1/polls/${code}`), { tries: 2 });
      const kept = /[#&]code=[^&\s]+/.exec(typed)?.[0].replace('&', '#') ?? '';
      go(`/p/${code}${kept}`);
      return;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      joinError = error.sentence;
      if (error.slug !== 'poll-not-found') break;
    }
  }
  refresh();
  announce(joinError);
  document.getElementById('code')?.focus();
}

export const joinForm = () => html`<form class="join" @submit=${(/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  join(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('code')));
}}>
  <div class="field"><label for="code">${t('join.label')}</label>
    <div class="join-row"><input class="input mono" id="code" name="code" autocomplete="off" autocapitalize="none" spellcheck="false"
      enterkeyhint="go" aria-describedby="join-hint" aria-invalid=${Boolean(joinError)} placeholder=${t('join.placeholder')}>
      <button class="button">${t('join.button')}</button></div>
    <p id="join-hint" class=${joinError ? 'error' : 'hint'}>${joinError || t('join.hint')}</p></div>
</form>`;

/** @param {Poll} poll */
const pollCard = (poll) => html`<li><a class="card poll-card" href="/p/${poll.id}">
  <span class="text name">${poll.title}</span>
  <span class="row small soft">${keptBallot(poll.id) ? html`<span class="chip open voted">${t('voted')}</span>` : ''}
    <span>${t(`method.${poll.method}`)}</span><span>${t('options', { n: poll.options.length })}</span>
    ${poll.closes_at ? html`<span>${t('closes', { when: distance(poll.closes_at) })}</span>` : ''}
    ${poll.voter_policy === 'code' ? html`<span>${t('with-code')}</span>` : ''}</span></a></li>`;

/** @returns {import('../web/shell.js').View} */
export function homeView() {
  /** @type {Poll[] | undefined} */
  let polls;
  /** @type {string | null} */
  let cursor = '';
  /** @type {Problem | undefined} */
  let problem;
  joinError = '';

  async function more() {
    problem = undefined;
    try {
      /** @type {Poll[]} */
      const found = [];
      for (let n = 0; n < PAGES && found.length < ENOUGH && cursor !== null; n++) {
        const query = `limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
        const page = await persist(() => ask('GET', `/v1/polls?${query}`));
        found.push(...page.polls.filter((/** @type {Poll} */ poll) => poll.state === 'open'));
        cursor = page.next_cursor;
      }
      polls = [...(polls ?? []), ...found];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem = error;
    }
    refresh();
  }
  more();

  const openPolls = () => html`<section class="stack" aria-labelledby="open-polls">
    <h2 id="open-polls">${t('home.open')}</h2>
    ${problem ? html`<div class="notice bad stack"><p>${problem.sentence}</p><p><button class="button second" @click=${more}>${t('retry')}</button></p></div>`
      : !polls ? html`<p class="soft">${t('loading')}</p>`
        : polls.length ? html`<ul class="polls">${repeat(polls, (poll) => poll.id, pollCard)}</ul>`
          : html`<p class="empty">${t('home.none')}</p>`}
    ${polls && cursor ? html`<p><button class="button second" @click=${more}>${t('more')}</button></p>` : ''}
  </section>`;

  const mine = () => {
    const managed = managedPolls();
    return managed.length ? html`<section class="stack" aria-labelledby="my-polls"><h2 id="my-polls">${t('home.mine')}</h2>
      <ul class="polls">${managed.map(({ poll, title }) => html`<li><a class="card poll-card" href="/manage/${poll}">
        <span class="text name">${title}</span><span class="row small soft">${icons.key}${t('manage')} · <span class="mono">${poll}</span></span></a></li>`)}</ul>
    </section>` : '';
  };

  return {
    title: () => t('home.title'),
    render: () => html`<div class="home">
      <section class="hero stack"><h1>${t('home.lead')}</h1><p class="soft">${t('home.text')}</p>${joinForm()}</section>
      ${openPolls()}${mine()}
      <section class="row create-hint"><p class="text">${t('home.create')}</p><a class="button second" href="/new">${icons.add}${t('create')}</a></section>
    </div>`,
  };
}
