// The home view: a list of polls.
// SPDX-License-Identifier: MIT
import { Problem, ask, persist } from '../web/api.js';
import { html, nothing, repeat } from '../web/html.js';
import { distance, t, time } from '../web/i18n.js';
import { refresh } from '../web/shell.js';

/** @typedef {import('../web/types.js').Poll} Poll */

const PAGE = 20;

/** @param {Poll} poll */
const card = (poll) => html`<li><a class="card poll-card" href="/p/${poll.id}">
  <span class="text name">${poll.title}</span>
  <span class="row small soft"><span class="chip ${poll.state}">${t(`state.${poll.state}`)}</span>
    <span>${t(`method.${poll.method}`)}</span><span class="mono">${poll.id}</span>
    ${poll.results_visibility === 'always' ? nothing : html`<span>${t(`shown.${poll.results_visibility}`)}</span>`}
    <span>${poll.state === 'scheduled' && poll.opens_at ? t('time.opens', { when: distance(poll.opens_at), at: time(poll.opens_at) }) : t('created', { when: distance(poll.created_at) })}</span></span></a></li>`;

/** @returns {import('../web/shell.js').View} */
export function homeView() {
  /** @type {Poll[] | undefined} */
  let polls;
  /** @type {string | null} */
  let cursor = null;
  /** @type {Problem | undefined} */
  let problem;

  async function more() {
    problem = undefined;
    refresh();
    try {
      const page = await persist(() => ask('GET', `/v1/polls?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`));
      polls = [...(polls ?? []), ...page.polls];
      cursor = page.next_cursor;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem = error;
    }
    refresh();
  }
  more();

  return {
    title: () => t('home.title'),
    render: () => html`<div class="stack">
      <h1>${t('home.lead')}</h1>
      <p class="soft">${t('home.text')}</p>
      ${polls?.length ? html`<ul class="polls">${repeat(polls, (poll) => poll.id, card)}</ul>` : nothing}
      ${problem ? html`<div class="notice bad stack"><p>${problem.sentence}</p><p><button class="button second" type="button" @click=${more}>${t('retry')}</button></p></div>`
    : !polls ? html`<p class="waiting">${t('loading')}</p>`
      : polls.length === 0 ? html`<p class="empty">${t('home.none')}</p>`
        : cursor ? html`<p><button class="button second" type="button" @click=${more}>${t('more')}</button></p>` : nothing}
    </div>`,
  };
}
