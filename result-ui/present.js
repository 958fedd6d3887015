// The view for a projector: one poll on a big screen, controlled by keys.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { siteAddresses } from '../web/api.js';
import { html, nothing } from '../web/html.js';
import { number, t } from '../web/i18n.js';
import { keepPlaces } from '../web/keep_places.js';
import { qrCode } from '../web/qr.js';
import { go, refresh } from '../web/shell.js';
import { GLIDE, screenBars, table } from './chart.js';
import { summary } from './figures.js';
import { absence, stateChip } from './result.js';
import { Runoff } from './runoff.js';
import { Source } from './source.js';

/** @typedef {import('../web/types.js').Results} Results */

const POINTER_REST = 2500; // ms without movement until the pointer and the buttons are hidden

/** @param {Record<string, string>} params @returns {import('../web/shell.js').View} */
export function presentView({ code }) {
  const source = Source.of(code);
  let joinUrl = '';
  // The presenter hides or shows the results. Until then, they appear with the first vote.
  /** @type {boolean | undefined} */
  let isRevealed;
  const runoff = new Runoff();
  let showsJoin = true, showsTable = false, showsRounds = false, showsHelp = false, isSorted = false, isPointing = true, said = '';
  let rest = 0;
  /** @type {(() => void) | undefined} */
  let move;

  siteAddresses().then(({ vote }) => {
    joinUrl = `${vote || location.origin}/p/${code}`;
    refresh();
  }, () => {});

  const revealed = () => isRevealed ?? (source.results ? source.results.total > 0 : false);

  const hasRounds = () => source.results?.runoff?.rounds.length > 0;

  /** The actions of keys and buttons. @type {Record<string, {name: string, act: () => void, isOn?: () => boolean, isThere?: () => boolean}>} */
  const actions = {
    f: { name: 'full', act: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen())?.catch(() => {}), isOn: () => Boolean(document.fullscreenElement) },
    h: { name: 'hide', act: () => { isRevealed = !revealed(); }, isOn: () => !revealed() },
    j: { name: 'join', act: () => { showsJoin = !showsJoin; }, isOn: () => showsJoin },
    t: { name: 'table', act: () => { showsTable = !showsTable; }, isOn: () => showsTable },
    r: { name: 'rounds', act: () => { showsRounds = !showsRounds; runoff.choose(0); }, isOn: () => showsRounds, isThere: hasRounds },
    s: { name: 'sort', act: () => { move = keepPlaces('.bar', GLIDE); isSorted = !isSorted; }, isOn: () => isSorted },
    '?': { name: 'help', act: () => { showsHelp = !showsHelp; }, isOn: () => showsHelp },
  };

  const available = () => Object.entries(actions).filter(([, { isThere }]) => isThere?.() ?? true);

  /** @param {string} key */
  function act(key) {
    actions[key].act();
    refresh();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === 'escape') {
      if (showsHelp) act('?');
      else if (!document.fullscreenElement) go(`/p/${code}`);
    } else if (showsRounds && hasRounds() && (key === 'arrowleft' || key === 'arrowright')) {
      runoff.step(/** @type {Results} */ (source.results), key === 'arrowleft' ? -1 : 1);
    } else if (available().some(([one]) => one === key)) {
      event.preventDefault();
      act(key);
    }
  }

  function onPointer() {
    clearTimeout(rest);
    rest = window.setTimeout(() => {
      isPointing = false;
      refresh();
    }, POINTER_REST);
    if (!isPointing) {
      isPointing = true;
      refresh();
    }
  }
  // Keeps the screen on, if the browser can. The browser ends a lock when the page is hidden.
  /** @type {WakeLockSentinel | undefined} */
  let lock;
  let isOver = false;
  async function stayAwake() {
    if (document.hidden || isOver) return;
    lock = await navigator.wakeLock?.request('screen').catch(() => undefined);
    if (isOver) lock?.release();
  }
  stayAwake();
  document.addEventListener('visibilitychange', stayAwake);
  addEventListener('keydown', onKey);
  addEventListener('pointermove', onPointer);
  addEventListener('pointerdown', onPointer);
  document.addEventListener('fullscreenchange', refresh);
  onPointer();

  const address = () => joinUrl.replace(/^https?:\/\//, '').replace(/\/p\/[^/]+$/, '');
  const joinPanel = () => html`<aside class="join-panel" aria-label=${t('present.join')}>
    ${joinUrl ? qrCode(joinUrl, t('present.qr', { code })) : nothing}
    <p class="join-text"><span class="join-address">${address()}</span><b class="mono join-code">${code}</b></p></aside>`;

  /** Shown before the first vote, and while the results are hidden. @param {Results | undefined} results */
  const waitingScreen = (results) => html`<div class="wait-screen">
    <div class="wait-qr">${joinUrl ? qrCode(joinUrl, t('present.qr', { code })) : nothing}</div>
    <div class="wait-text">
      <p class="wait-how">${t('present.how')}</p>
      <p class="wait-address">${address()}</p>
      <p class="wait-code mono">${code}</p>
      ${results ? html`<p class="wait-count" aria-live="off"><b class="number">${number(results.total)}</b> <span>${t('present.heads', { n: results.total })}</span></p>`
    : source.link === 'hidden' ? html`<p class="wait-note">${t(`hidden.${source.problem?.visibility ?? 'after_close'}`)}</p>` : nothing}
    </div></div>`;

  /** @param {Results} results */
  function screen(results) {
    if (results.ledger && revealed()) {
      const text = summary(results);
      if (text !== said) announce(said = text);
    }
    if (!revealed()) return waitingScreen(results);
    const places = isSorted ? move ?? keepPlaces('.bar', GLIDE) : move;
    move = undefined;
    if (places) queueMicrotask(places);
    return html`<div class="screen-body ${showsJoin ? 'with-join' : ''}">
      <div class="screen-chart">${showsTable ? table(results, isSorted) : showsRounds && hasRounds() ? runoff.screen(results) : screenBars(results, isSorted)}</div>
      ${showsJoin ? joinPanel() : nothing}</div>`;
  }

  const help = () => html`<div class="help" role="dialog" aria-modal="true" aria-labelledby="help"><div class="card stack">
    <h2 id="help">${t('present.keys')}</h2>
    <dl class="keys">${available().map(([key, { name }]) => html`<div><dt><kbd>${key.toUpperCase()}</kbd></dt><dd>${t(`key.${name}`)}</dd></div>`)}
      <div><dt><kbd>Esc</kbd></dt><dd>${t('key.leave')}</dd></div></dl>
    <p><button class="button" type="button" @click=${() => act('?')}>${t('close')}</button></p></div></div>`;

  return {
    isBare: true,
    title: () => source.title || code,
    render: () => {
      const { results, link, title } = source;
      if (link === 'missing') return html`<div class="lost">${absence(source)}</div>`;
      return html`<div class="screen ${isPointing ? 'pointing' : ''}">
        <header class="screen-head"><h1 class="text ${title.length > 150 ? 'longer' : title.length > 90 ? 'long' : ''}">${title || t('loading')}</h1>
          <p class="screen-count">${results && revealed() ? html`<b class="number">${number(results.total)}</b> ${t('votes.word', { n: results.total })}` : nothing} ${stateChip(source)}</p></header>
        ${results ? screen(results) : link === 'hidden' ? waitingScreen(undefined) : absence(source)}
        <nav class="screen-keys" aria-label=${t('present.keys')}>${available().map(([key, { name, isOn }]) => html`
          <button class="key-button" type="button" aria-pressed=${Boolean(isOn?.())} aria-keyshortcuts=${key} @click=${() => act(key)}><kbd aria-hidden="true">${key.toUpperCase()}</kbd>${t(`key.${name}.short`)}</button>`)}
          ${showsRounds && results && hasRounds() ? [-1, 1].map((by) => html`<button class="key-button" type="button" aria-label=${t(by < 0 ? 'runoff.before' : 'runoff.next')}
            @click=${() => runoff.step(results, by)}><kbd aria-hidden="true">${by < 0 ? '←' : '→'}</kbd></button>`) : nothing}
          <a class="key-button" href="/p/${code}"><kbd aria-hidden="true">Esc</kbd>${t('key.leave.short')}</a></nav>
        ${showsHelp ? help() : nothing}
      </div>`;
    },
    close: () => {
      isOver = true;
      lock?.release();
      document.removeEventListener('visibilitychange', stayAwake);
      removeEventListener('keydown', onKey);
      removeEventListener('pointermove', onPointer);
      removeEventListener('pointerdown', onPointer);
      document.removeEventListener('fullscreenchange', refresh);
      clearTimeout(rest);
      if (document.fullscreenElement) document.exitFullscreen();
      if (!location.pathname.startsWith(`/p/${code}`)) Source.leave();
    },
  };
}
