// A ballot that was cast: the page shows the choice at once, then that it was received, then that it is counted.
// SPDX-License-Identifier: MIT
import { copier } from '../web/copy.js';
import { html } from '../web/html.js';
import { distance, has, number, t } from '../web/i18n.js';
import { icons } from './icons.js';
import { hurry } from './outbox.js';

/** @typedef {import('../web/types.js').Poll} Poll */
/** @typedef {import('./kept_ballot.js').KeptBallot} KeptBallot */

/** @param {Poll} poll @param {KeptBallot['selection']} selection */
export function choiceList(poll, selection) {
  if (!selection) return html`<p class="soft">${t('keep.gone')}</p>`;
  const label = (/** @type {string} */ id) => poll.options.find((option) => option.id === id)?.label ?? id;
  if (!Array.isArray(selection)) {
    return html`<ul class="choice">${Object.entries(selection).map(([id, score]) => html`<li><span class="text">${label(id)}</span>
      <span class="given" aria-label=${t('score.stars', { n: score })}>${score ? '★'.repeat(score) : number(0)}</span></li>`)}</ul>`;
  }
  if (poll.method === 'ranked') return html`<ol class="choice">${selection.map((id) => html`<li class="text">${label(id)}</li>`)}</ol>`;
  return html`<ul class="choice">${selection.map((id) => html`<li class="text">${label(id)}</li>`)}</ul>`;
}

/** 0: chosen, 1: received, 2: its fate is known. @param {KeptBallot} ballot */
const stage = (ballot) => (ballot.state !== 'sent' ? 0 : ballot.fate === 'pending' ? 1 : 2);

/** @param {KeptBallot} ballot */
function fateText(ballot) {
  if (ballot.fate === 'rejected') return t(has(`fate.rejected.${ballot.reason}`) ? `fate.rejected.${ballot.reason}` : 'fate.rejected');
  return t(`fate.${ballot.fate}`);
}

/** @param {KeptBallot} ballot */
export function statusText(ballot) {
  if (ballot.state === 'waiting') {
    if (!ballot.tries) return t('cast.sending');
    return t(has(`cast.wait.${ballot.problem}`) ? `cast.wait.${ballot.problem}` : 'cast.wait');
  }
  return ballot.fate === 'pending' ? t('cast.received') : fateText(ballot);
}

/** @param {KeptBallot} ballot */
function waitingNotice(ballot) {
  return html`<div class="notice warn stack">
    <p class="row">${icons.offline}<strong>${t(ballot.problem === 'offline' ? 'cast.wait.offline.title' : 'cast.wait.title')}</strong></p>
    <p>${statusText(ballot)}</p>
    <p class="row"><button type="button" class="button second" @click=${() => hurry(ballot.poll)}>${t('cast.now')}</button>
      ${ballot.nextAt ? html`<span class="soft small">${t('cast.next', { when: distance(ballot.nextAt) })}</span>` : ''}</p>
  </div>`;
}

/** @param {KeptBallot} ballot */
const receipt = (ballot) => html`<div class="receipt">
  <p class="label">${t('receipt.yours')}</p>
  <p class="row"><code class="mono small">${ballot.receipt}</code>
    <button type="button" class="button second" @click=${copier(ballot.receipt ?? '', 'code')}
      >${t('copy')}</button></p>
  <p class="hint">${t('receipt.what')} <a href="/receipt#${ballot.receipt}">${t('receipt.check-it')}</a></p>
  <p class="hint">${t(ballot.revisable ? 'keep.change' : 'keep.final')} <a href="/device">${t('keep.see')}</a></p>
</div>`;

/** @param {Poll} poll @param {KeptBallot} ballot */
export function castBallot(poll, ballot) {
  const at = stage(ballot);
  const isBad = at === 2 && ballot.fate !== 'counted';
  const steps = [t('step.chosen'), t('step.received'), isBad ? t(`step.${ballot.fate}`) : t('step.counted')];
  return html`<section class="card cast-ballot stack ${at > 0 ? 'is-received' : ''} ${isBad ? 'is-bad' : ''}" aria-labelledby="cast-title">
    <div class="slip">
      <h2 id="cast-title">${t('cast.title')}</h2>
      ${choiceList(poll, ballot.selection)}
      <span class="seal" aria-hidden="true">${icons.check}</span>
    </div>
    <ol class="steps" aria-label=${t('steps')}>${steps.map((step, i) => html`<li class="step ${i <= at ? 'done' : ''} ${i === at + 1 ? 'next' : ''}"
      aria-current=${i === at ? 'step' : 'false'}><span class="dot" aria-hidden="true">${i <= at ? icons.check : ''}</span>${step}</li>`)}</ol>
    ${ballot.state === 'waiting' && ballot.tries ? waitingNotice(ballot)
      : html`<p class=${isBad ? 'notice warn' : 'soft'}>${statusText(ballot)}</p>`}
    ${ballot.receipt ? receipt(ballot) : ''}
  </section>`;
}
