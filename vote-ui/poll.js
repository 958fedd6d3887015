// The view of a poll for voters: its rules, the ballot, and the fate of the ballot. News from the server never changes what
// the voter has filled in.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { problemText, siteAddresses } from '../web/api.js';
import { html, live } from '../web/html.js';
import { distance, t, time } from '../web/i18n.js';
import { focusHeading, refresh } from '../web/shell.js';
import { storeJson, storedJson, storedNames } from '../web/store.js';
import { ballot } from './ballot.js';
import { castBallot, statusText } from './cast_ballot.js';
import { draftOf, prune, selectionOf } from './draft.js';
import { joinForm } from './home.js';
import { icons } from './icons.js';
import { keepDraft, keptDraft } from './kept_draft.js';
import { manageToken } from './managed.js';
import { cast, forget, heardOfPoll, keptBallot, onBallots } from './outbox.js';
import { isOver } from './poll_state.js';
import { rules } from './rules.js';
import { isWholeVotingCode, votingCode } from './voting_code.js';
import { watchPoll } from './watch_poll.js';

/** @typedef {import('../web/types.js').Poll} Poll */

const POLLS = 20; // stored on the device
const PATIENCE = 1500; // ms until the stored poll is shown instead

/** Stores a poll, so that it can be shown without a network. Null removes it. @param {string} code @param {Poll | null} poll */
function keepPoll(code, poll) {
  storeJson(`poll.${code}`, poll);
  const others = storedNames('poll.').filter((name) => name !== `poll.${code}`);
  for (const name of others.slice(POLLS)) storeJson(name, null);
}

/** @param {Record<string, string>} params @returns {import('../web/shell.js').View} */
export function pollView({ code }) {
  /** @type {Poll | undefined} */
  let poll;
  /** @type {import('../web/api.js').Problem | undefined} */
  let problem;
  const begun = keptDraft(code);
  let draft = begun ?? draftOf();
  let isChanging = Boolean(begun); // the voter changes a ballot that was cast
  let codeText = votingCode(new URLSearchParams(location.hash.slice(1)).get('code') ?? keptBallot(code)?.code ?? '');
  let codeError = '';
  let resultPage = '';
  let said = '';
  siteAddresses().then((site) => { resultPage = site.result; refresh(); }, () => {});

  const watch = watchPoll(code, (got) => {
    if (poll && poll.state !== got.state) announce(t(`state.${got.state}`));
    poll = got;
    problem = undefined;
    prune(poll, draft);
    keepPoll(code, poll);
    heardOfPoll(poll);
    refresh();
  }, (met) => {
    problem = met;
    if (met.slug === 'poll-not-found') {
      poll = undefined;
      keepPoll(code, null);
    } else {
      makeDo();
    }
    refresh();
  });
  const patience = setTimeout(makeDo, PATIENCE);

  /** Shows the stored poll. */
  function makeDo() {
    poll ??= storedJson(`poll.${code}`, undefined);
    refresh();
  }

  const stopListening = onBallots(() => {
    const kept = keptBallot(code);
    const text = kept && kept.state !== 'refused' ? statusText(kept) : '';
    if (text && text !== said) announce(text);
    said = text;
    if (kept?.state === 'refused') onRefused(kept.problem ?? '');
    else if (draft.choices.length || Object.keys(draft.scores).length) isChanging = true; // another tab has cast a ballot
    refresh();
  });

  /** Shows the refused ballot again, as the voter filled it in. @param {string} slug */
  function onRefused(slug) {
    const kept = keptBallot(code);
    if (!kept) return;
    draft = draftOf(kept.selection);
    keepDraft(code, draft);
    isChanging = true;
    if (/^voting-code/.test(slug)) {
      codeError = t(`problem.${slug}`);
      forget(code);
      document.getElementById('voting-code')?.focus();
    } else if (slug === 'poll-closed') {
      watch.look();
    }
  }

  function castNow() {
    if (!poll) return;
    if (poll.voter_policy === 'code' && !isWholeVotingCode(codeText)) {
      codeError = t('code.incomplete');
      refresh();
      announce(codeError);
      document.getElementById('voting-code')?.focus();
      return;
    }
    const selection = selectionOf(poll, draft);
    draft = draftOf();
    isChanging = false;
    keepDraft(code, null);
    codeError = '';
    cast(poll, selection, poll.voter_policy === 'code' ? codeText : undefined);
    // The voting code was in the address. It must not stay in the browser's history.
    if (location.hash) history.replaceState(history.state, '', location.pathname + location.search);
    refresh();
    queueMicrotask(() => queueMicrotask(() => {
      focusHeading();
      scrollTo({ top: 0, behavior: 'smooth' });
    }));
  }

  function change() {
    const kept = keptBallot(code);
    if (!kept) return;
    draft = draftOf(kept.selection);
    isChanging = true;
    refresh();
    queueMicrotask(focusHeading);
  }

  function filled() {
    keepDraft(code, draft);
    refresh();
  }

  function setAside() {
    isChanging = false;
    refresh();
  }

  function giveUp() {
    keepDraft(code, null);
    draft = draftOf();
    setAside();
  }

  // --- parts

  const codeField = () => html`<div class="field">
    <label for="voting-code">${t('code.label')}</label>
    <input id="voting-code" class="input mono" autocomplete="off" autocapitalize="characters" spellcheck="false" inputmode="text"
      placeholder="XXXX-XXXX-XXXX" .value=${live(codeText)} aria-invalid=${Boolean(codeError)} aria-describedby="code-hint"
      @input=${(/** @type {InputEvent} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        if (event.inputType?.startsWith('delete')) codeText = input.value;
        else codeText = votingCode(input.value);
        codeError = '';
        refresh();
      }} @blur=${() => { codeText = votingCode(codeText); refresh(); }}>
    <p id="code-hint" class=${codeError ? 'error' : 'hint'}>${codeError || t('code.hint')}</p>
  </div>`;

  const refusal = () => {
    const kept = keptBallot(code);
    if (kept?.state !== 'refused') return '';
    return html`<div class="notice bad stack" role="alert"><p><strong>${t('refused.title')}</strong></p>
      <p>${problemText(kept.problem ?? '', kept.detail ?? kept.problem ?? '')}</p>
      ${kept.before ? html`<p>${t('refused.before')}</p>` : ''}
      <p><button type="button" class="button second" @click=${() => { forget(code); if (kept.before) giveUp(); else setAside(); }}>${t('refused.ok')}</button></p></div>`;
  };

  /** @param {Poll} shown */
  function resultLink(shown) {
    const kept = keptBallot(code);
    const isVisible = shown.results_visibility === 'always' || isOver(shown)
      || (shown.results_visibility === 'after_vote' && kept?.receipt);
    if (!isVisible || !resultPage) return '';
    const proof = shown.results_visibility === 'after_vote' && kept?.receipt && !isOver(shown) ? `#receipt=${kept.receipt}` : '';
    return html`<a class="button ${kept && !isChanging || isOver(shown) ? '' : 'second'}" href="${resultPage}/p/${shown.id}${proof}">${icons.chart}${t('see-results')}</a>`;
  }

  /** @param {Poll} shown */
  function body(shown) {
    const kept = keptBallot(code);
    if (kept && kept.state !== 'refused' && !(isChanging && shown.revisable)) {
      return html`${castBallot(shown, kept)}
        ${isOver(shown) ? html`<p class="notice">${t('closed.after')}</p>` : ''}
        <div class="actions">${shown.state === 'open' && shown.revisable ? html`<button type="button" class="button second" @click=${change}
          >${icons.pencil}${t('cast.change')}</button>` : ''}${resultLink(shown)}</div>
        ${isOver(shown) ? '' : rules(shown)}`;
    }
    if (isOver(shown) && !isChanging && !draft.choices.length && !Object.keys(draft.scores).length) {
      return html`<div class="notice"><p><strong>${t('problem.poll-closed')}</strong></p></div><div class="actions">${resultLink(shown)}</div>`;
    }
    const stop = shown.state === 'open' ? undefined : isOver(shown) ? t('closed.meanwhile')
      : shown.opens_at ? t('opens', { when: distance(shown.opens_at), at: time(shown.opens_at) }) : t('problem.poll-not-open');
    return html`
      ${isOver(shown) ? '' : rules(shown)}
      ${stop ? html`<p class="notice warn">${stop}</p>` : ''}
      ${refusal()}
      ${shown.voter_policy === 'code' && !stop ? codeField() : ''}
      ${ballot({ poll: shown, draft, changed: filled, cast: castNow, stop })}
      <div class="actions">${isChanging && kept && kept.state !== 'refused' ? html`<button type="button" class="button quiet" @click=${giveUp}
        >${t('cast.keep')}</button>` : ''}${resultLink(shown)}</div>`;
  }

  function missing() {
    if (problem?.slug === 'poll-not-found') {
      return html`<div class="stack"><h1>${t('poll.missing')}</h1><p>${t('join.check', { code })}</p>${joinForm()}</div>`;
    }
    if (problem) {
      return html`<div class="stack"><h1>${t('poll.away')}</h1><p>${problem.sentence}</p>
        <p><button type="button" class="button" @click=${() => watch.look()}>${t('retry')}</button></p></div>`;
    }
    return html`<p class="waiting">${t('loading')}</p>`;
  }

  return {
    title: () => poll?.title ?? code,
    render: () => (poll ? html`<article class="stack poll">
      <header class="stack">
        <p class="row"><span class="chip ${poll.state}">${t(`state.${poll.state}`)}</span>
          <span class="soft small">${t(`method.${poll.method}`)}</span>
          ${problem ? html`<span class="chip scheduled">${t('link.reconnecting')}</span>` : ''}
          ${manageToken(code) ? html`<a class="small push" href="/manage/${code}">${t('manage')}</a>` : ''}</p>
        <h1 class="text ${poll.title.length > 90 ? 'long' : ''}">${poll.title}</h1>
        ${poll.description ? html`<p class="text soft">${poll.description}</p>` : ''}
      </header>
      ${body(poll)}
    </article>` : missing()),
    close() {
      watch.close();
      clearTimeout(patience);
      stopListening();
    },
  };
}
