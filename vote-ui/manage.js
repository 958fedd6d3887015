// The view of a poll for its organiser: share, open and close, edit, make voting codes, export.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem, ask, send, siteAddresses } from '../web/api.js';
import { now } from '../web/clock.js';
import { saveFile } from '../web/copy.js';
import { html } from '../web/html.js';
import { distance, number, t } from '../web/i18n.js';
import { qrCode } from '../web/qr.js';
import { decode, go, lazyView, partOf, refresh } from '../web/shell.js';
import { icons } from './icons.js';
import { forgetToken, keepToken, manageToken } from './managed.js';
import { focusFault, pollFields } from './poll_fields.js';
import { changesOf, faults, fieldAt, formOf } from './poll_form.js';
import { isOver } from './poll_state.js';
import { rules } from './rules.js';
import { shareSheet } from './share.js';
import { watchPoll } from './watch_poll.js';

/** @typedef {import('../web/types.js').Poll} Poll */

const LOOK_EVERY = 3000; // ms between two reads of the count
const EXPORTS = [['results.csv', 'text/csv'], ['results.json', 'application/json'], ['timeline.csv', 'text/csv'], ['ballots.csv', 'text/csv']];

// Few polls have voting codes, so that part is loaded when it is needed.
const codesPart = partOf(() => import('./codes.js'), { en: () => import('./lang/codes.en.js'), fr: () => import('./lang/codes.fr.js') });

/** Moves the token from the address into the store, so that nobody copies it with the address. @param {string} code */
function takeToken(code) {
  const token = decode(location.hash.slice(1));
  if (!token) return;
  keepToken(code, token);
  history.replaceState(history.state, '', location.pathname + location.search);
}

/** Asks for the manage link, on a device that does not have it. @param {string} code */
const askForLink = (code) => html`<form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('link')).trim();
  const token = text.includes('#') ? text.slice(text.indexOf('#') + 1) : text;
  if (!token) return;
  keepToken(code, token);
  go(`/manage/${code}`, { replace: true });
}}>
  <h1>${t('manage.link.title')}</h1><p class="soft">${t('manage.link.text')}</p>
  <div class="field"><label for="link">${t('share.manage')}</label><input class="input mono" id="link" name="link" autocomplete="off" spellcheck="false"></div>
  <p><button class="button">${t('manage.link.button')}</button></p>
</form>`;

/** @param {Record<string, string>} params @returns {import('../web/shell.js').View} */
export function manageView({ code }) {
  takeToken(code);
  const token = manageToken(code);
  if (!token) return { title: () => t('manage'), render: () => askForLink(code) };
  const path = `/v1/polls/${encodeURIComponent(code)}`;

  /** @type {Poll | undefined} */
  let poll;
  /** @type {Problem | undefined} */
  let problem;
  /** @type {{vote: string, result: string} | undefined} */
  let site;
  /** @type {import('../web/types.js').Results | undefined} */
  let results;
  /** @type {import('./poll_form.js').PollForm | undefined} set while the poll is edited */
  let form;
  /** @type {Record<string, string>} */
  let refused = {};
  let error = '';
  let isAsking = false;
  let asksAgain = ''; // the action that needs a second tap
  let timer = 0;

  /** @type {import('../web/shell.js').View | undefined} */
  let codes;
  const loadCodes = lazyView(async () => {
    const { codesView } = await codesPart();
    return () => codesView({ token, qrCode, saveFile, icons, issued: () => watch.look(),
      shown: () => ({ poll: /** @type {Poll} */ (poll), vote: site?.vote ?? '' }) });
  });

  siteAddresses().then((got) => { site = got; refresh(); }, () => {});
  const watch = watchPoll(code, (got) => {
    poll = got;
    problem = undefined;
    keepToken(code, token, poll.title);
    refresh();
  }, (met) => {
    problem = met;
    refresh();
  });

  async function look() {
    try {
      results = await ask('GET', `${path}/results`, { token });
      refresh();
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
    }
    timer = window.setTimeout(look, document.hidden ? LOOK_EVERY * 5 : LOOK_EVERY);
  }
  look();

  /** @param {string} method @param {object} [body] */
  async function act(method, body) {
    if (isAsking) return false;
    isAsking = true;
    error = '';
    asksAgain = '';
    refresh();
    try {
      const answer = await ask(method, path, { body, token });
      if (answer) poll = answer;
      announce(poll ? t(`state.${poll.state}`) : t('manage.done'));
      return true;
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
      error = met.sentence;
      if (met.pointer) refused = { [fieldAt(met.pointer)]: met.sentence };
      announce(error);
      return false;
    } finally {
      isAsking = false;
      refresh();
    }
  }

  async function remove() {
    if (!await act('DELETE')) return;
    forgetToken(code);
    go('/', { replace: true });
  }

  /** @param {string} file @param {string} type */
  async function save(file, type) {
    error = '';
    try {
      const response = await send('GET', `${path}/${file}`, { token, headers: { accept: type }, timeout: 120_000 });
      saveFile(`${code}-${file}`, type, await response.text());
    } catch (met) {
      error = met instanceof Problem ? met.sentence : t('problem.offline');
      announce(error);
    }
    refresh();
  }

  // --- parts

  const hasOpened = () => poll !== undefined && poll.state !== 'draft' && poll.state !== 'scheduled';

  /** A button that needs two taps. @param {string} name @param {string} kind @param {() => void} action */
  const twice = (name, kind, action) => html`<button type="button" class="button ${kind}" aria-disabled=${isAsking} @click=${() => {
    if (asksAgain === name) {
      action();
      return;
    }
    asksAgain = name;
    announce(t(`manage.${name}.sure`));
    refresh();
  }} @blur=${() => { if (asksAgain === name && !isAsking) { asksAgain = ''; refresh(); } }}>${t(asksAgain === name ? `manage.${name}.sure` : `manage.${name}`)}</button>`;

  /** @param {Poll} shown */
  const numbers = (shown) => {
    const ledger = results?.ledger;
    const state = isOver(shown) && results ? results.state : shown.state;
    return html`<div class="card numbers"><span class="chip ${state}">${t(`state.${state}`)}</span>
      ${ledger ? html`<p class="big number">${number(results?.total ?? 0)}</p><p class="soft small">${t('manage.counted', { n: results?.total ?? 0 })}
        ${ledger.pending ? html` · ${t('manage.pending', { n: ledger.pending })}` : ''}</p>` : ''}
      ${shown.closes_at && !isOver(shown) ? html`<p class="soft small">${t('closes', { when: distance(shown.closes_at) })}</p>` : ''}
      <div class="actions">
        ${!hasOpened() ? html`<button type="button" class="button" aria-disabled=${isAsking} @click=${() => act('PATCH', { state: 'open' })}>${t('manage.open')}</button>` : ''}
        ${shown.state === 'open' ? twice('end', 'second', () => act('PATCH', { state: 'closed' })) : ''}
        ${isOver(shown) && shown.reopenable ? html`<button type="button" class="button" aria-disabled=${isAsking} @click=${() => act('PATCH', { state: 'open' })}>${t('manage.reopen')}</button>` : ''}
        ${site ? html`<a class="button second" href="${site.result}/p/${code}${shown.results_visibility === 'always' ? '' : `#manage=${token}`}">${icons.chart}${t('see-results')}</a>` : ''}
        <a class="button second" href="/p/${code}">${t('manage.vote')}</a>
      </div></div>`;
  };

  /** @param {Poll} shown */
  function editor(shown) {
    if (!form) return html`<p><button type="button" class="button second" @click=${() => { form = formOf(shown); refused = {}; refresh(); }}>${icons.pencil}${t('manage.edit')}</button></p>`;
    const open = form;
    const closesAsWas = open.closes === formOf(shown).closes;
    const found = () => {
      const { closes, ...others } = faults(open, now(), hasOpened());
      return closes && !closesAsWas ? { ...others, closes } : others;
    };
    return html`<form class="card stack" novalidate @submit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      refused = found();
      const changes = changesOf(open, shown, hasOpened());
      if (Object.keys(refused).length) focusFault(refused, open);
      else if (!Object.keys(changes).length || await act('PATCH', changes)) form = undefined;
      refresh();
    }}><h2>${t('manage.edit')}</h2>${hasOpened() ? html`<p class="hint">${t('manage.fixed')}</p>` : ''}
      ${pollFields({ form: open, faults: refused, changed: () => { refused = {}; refresh(); }, hasOpened: hasOpened() })}
      <div class="actions"><button class="button" aria-disabled=${isAsking}>${t('manage.save')}</button>
        <button type="button" class="button quiet" @click=${() => { form = undefined; refresh(); }}>${t('cancel')}</button></div></form>`;
  }

  const exports = () => html`<section class="stack" aria-labelledby="export-title"><h2 id="export-title">${t('export')}</h2>
    <p class="row">${EXPORTS.map(([file, type]) => html`<button type="button" class="button second" aria-disabled=${file === 'ballots.csv' && results?.state !== 'final'}
      @click=${() => save(file, type)}>${icons.download}${t(`export.${file}`)}</button>`)}</p><p class="hint">${t('export.hint')}</p></section>`;

  /** Voting codes, if the poll has them. An edit may change that until the poll opens. @param {Poll} shown */
  function codesOf(shown) {
    if (shown.voter_policy !== 'code') return '';
    codes ??= loadCodes({});
    return site ? codes.render() : '';
  }

  function body() {
    if (!poll) {
      return problem ? html`<h1>${t('poll.away')}</h1><p>${problem.sentence}</p>
        <p><button type="button" class="button" @click=${() => watch.look()}>${t('retry')}</button></p>` : html`<p class="waiting">${t('loading')}</p>`;
    }
    return html`<header class="stack no-print"><p class="soft small">${t('manage')}</p><h1 class="text">${poll.title}</h1></header>
      ${error ? html`<p class="notice bad" role="alert">${error}</p>` : ''}
      <div class="no-print">${numbers(poll)}</div>
      ${site ? html`<div class="no-print">${shareSheet(poll, token ?? '', site)}</div>` : ''}
      ${codesOf(poll)}
      <div class="no-print stack">${form ? '' : rules(poll)}${editor(poll)}${exports()}
        <section class="stack" aria-labelledby="end-title"><h2 id="end-title">${t('manage.end-title')}</h2>
          <p class="row"><button type="button" class="button second" @click=${() => { forgetToken(code); go('/'); }}>${t('manage.forget')}</button>
            ${twice('delete', 'danger', remove)}</p></section></div>`;
  }

  return {
    title: () => `${t('manage')} – ${poll?.title ?? code}`,
    render: () => html`<div class="stack manage">${body()}</div>`,
    close() {
      watch.close();
      clearTimeout(timer);
    },
  };
}
