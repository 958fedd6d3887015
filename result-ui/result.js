// The live results of a poll: bars, ledger, turnout, rounds of a runoff, downloads.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem } from '../web/api.js';
import { html, nothing } from '../web/html.js';
import { distance, has, number, t, time } from '../web/i18n.js';
import { keepPlaces } from '../web/keep_places.js';
import { refresh } from '../web/shell.js';
import { GLIDE, bars, table } from './chart.js';
import { summary } from './figures.js';
import { Runoff } from './runoff.js';
import { Source } from './source.js';
import { turnoutCard } from './turnout.js';

/** @typedef {import('../web/types.js').Results} Results */

/** The state of connection and poll, as one word with a colour. @param {Source} source */
export function stateChip({ link, results }) {
  const state = link === 'reconnecting' || link === 'hidden' ? link : results?.state === 'open' ? 'live' : results?.state ?? 'connecting';
  const colour = state === 'live' ? 'open' : state === 'reconnecting' ? 'counting' : state;
  return html`<span class="chip ${colour}" role="status" data-state=${state}>${t(has(`link.${state}`) ? `link.${state}` : `state.${state}`)}</span>`;
}

/** The ledger, with an explanation of each word. @param {Results} results */
function ledgerCard({ ledger, poll }) {
  const line = (/** @type {keyof typeof ledger} */ name) => html`<div><dt>${t(`ledger.${name}`)}</dt>
    <dd><b class="number">${ledger[name] === null ? '?' : number(Number(ledger[name]))}</b> <span class="small soft">${t(`ledger.${name}.what`)}</span></dd></div>`;
  return html`<section class="card stack" aria-labelledby="ledger"><h2 id="ledger">${t('ledger.title')}</h2>
    <dl class="ledger">${line('received')}${line('counted')}${line('superseded')}${ledger.rejected ? line('rejected') : nothing}${line('pending')}</dl>
    <p class="hint">${t(poll.revisable === false ? 'ledger.first' : 'ledger.sum')}</p></section>`;
}

/** Says why there are no results. @param {Source} source */
export function absence(source) {
  const { link, problem, title } = source;
  if (link === 'missing') {
    return html`<div class="stack"><h1>${t('poll.missing')}</h1><p>${t('missing.text')}</p><p><a class="button" href="/">${t('missing.home')}</a></p></div>`;
  }
  if (link === 'hidden') {
    return html`<div class="stack hidden-result"><p>${stateChip(source)}</p><h1 class="text">${title}</h1><p class="curtain" aria-hidden="true"></p><h2>${t('hidden.title')}</h2>
      <p>${t(`hidden.${problem?.visibility ?? 'after_close'}`)}</p><p class="hint">${t('hidden.wait')}</p></div>`;
  }
  return html`<div class="waiting stack"><h1 class="unseen">${t('loading')}</h1><p role="status">${problem ? problem.sentence : t('loading')}</p></div>`;
}

/** @param {Results} results */
function times({ poll, state }) {
  if (state === 'scheduled' && poll.opens_at) return t('time.opens', { when: distance(poll.opens_at), at: time(poll.opens_at) });
  if (!poll.closes_at) return '';
  return state === 'open' ? t('time.closes', { when: distance(poll.closes_at), at: time(poll.closes_at) }) : t('time.closed', { at: time(poll.closes_at) });
}

/** @param {Record<string, string>} params @returns {import('../web/shell.js').View} */
export function resultView({ code }) {
  const source = Source.of(code);
  const runoff = new Runoff();
  let isSorted = false, saveProblem = '', said = '';
  /** @type {(() => void) | undefined} */
  let move;

  function sort() {
    isSorted = !isSorted;
    move = keepPlaces('.bar', GLIDE);
    refresh();
  }

  /** @param {MouseEvent} event @param {string} name */
  async function save(event, name) {
    event.preventDefault();
    saveProblem = '';
    try {
      await source.save(name);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      saveProblem = error.sentence;
    }
    refresh();
  }
  const file = (/** @type {string} */ name) => html`<a class="button second" href="${source.path}/${name}" download @click=${(/** @type {MouseEvent} */ event) => save(event, name)}>${name}</a>`;

  /** @param {Results} results */
  function speak(results) {
    const text = summary(results);
    if (text !== said) announce(said = text);
  }

  /** @param {Results} results */
  function render(results) {
    const { poll, total, state } = results;
    const places = isSorted ? move ?? keepPlaces('.bar', GLIDE) : move;
    move = undefined;
    if (places) queueMicrotask(places);
    speak(results);
    return html`<div class="result stack">
      <header class="stack head">
        <div class="row">${stateChip(source)}<span class="small soft">${t(`method.${poll.method}`)}</span><span class="small soft">${times(results)}</span></div>
        <h1 class="text ${poll.title.length > 90 ? 'long' : ''}">${poll.title}</h1>
        <div class="row spread"><p class="total"><b class="number">${number(total)}</b> ${t('votes.word', { n: total })}</p>
          <div class="row"><button class="button second" type="button" @click=${sort}>${t(isSorted ? 'sort.off' : 'sort.on')}</button>
            <a class="button" href="/p/${code}/present">${t('present')}</a></div></div>
      </header>
      <div class="columns"><div class="stack">
      <section class="card stack" aria-labelledby="bars"><h2 id="bars" class="unseen">${t('bars')}</h2>
        ${results.runoff ? html`<p class="small soft">${t('first-choices')}</p>` : nothing}
        ${bars(results, isSorted)}
        ${total === 0 ? html`<p class="soft">${t(state === 'scheduled' || state === 'draft' ? 'none.unopened' : state === 'open' ? 'none.open' : 'none.closed')}</p>` : nothing}
        <details><summary>${t('table')}</summary>${table(results, isSorted)}</details>
      </section>
      ${results.runoff ? runoff.render(results) : nothing}
      </div><div class="stack">
      ${turnoutCard(source.turnout)}
      ${ledgerCard(results)}
      <section class="stack" aria-labelledby="files"><h2 id="files">${t('files')}</h2>
        <div class="row">${file('results.csv')}${file('results.json')}${file('timeline.csv')}</div>
        ${saveProblem ? html`<p class="error" role="alert">${saveProblem}</p>` : nothing}</section>
      </div></div>
    </div>`;
  }

  return {
    title: () => source.title || code,
    render: () => (source.results ? render(source.results) : absence(source)),
    close: () => {
      if (!location.pathname.startsWith(`/p/${code}`)) Source.leave();
    },
  };
}
