// Voting codes: made by the server, shown once, to print or to save.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem, ask } from '../web/api.js';
import { saveFile } from '../web/copy.js';
import { html, repeat } from '../web/html.js';
import { t } from '../web/i18n.js';
import { qrCode } from '../web/qr.js';
import { refresh } from '../web/shell.js';
import { icons } from './icons.js';

/** @typedef {import('../web/types.js').Poll} Poll */

const AT_ONCE = 100_000; // codes that a poll may have
const PRINTED = 500; // cards that a browser lays out without a long wait; more are for a mail merge

/**
 * @param {string} token
 * @param {() => void} issued after some were made
 */
export function codeMaker(token, issued) {
  /** @type {string[]} */
  let codes = [];
  let error = '';
  let isAsking = false;

  /** @param {Poll} poll @param {number} count */
  async function make(poll, count) {
    if (isAsking) return;
    error = '';
    if (!(count >= 1 && count <= AT_ONCE)) {
      error = t('codes.count', { n: AT_ONCE });
      refresh();
      return;
    }
    isAsking = true;
    refresh();
    try {
      const answer = await ask('POST', `/v1/polls/${poll.id}/codes`, { body: { count }, token, timeout: 60_000 });
      codes = [...codes, ...answer.codes];
      announce(t('codes.made', { n: answer.codes.length }));
      issued();
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
      error = met.sentence;
      announce(error);
    }
    isAsking = false;
    refresh();
  }

  /** @param {Poll} poll @param {string} vote address of the vote page */
  const save = (poll, vote) => saveFile(`${poll.id}-codes.csv`, 'text/csv',
    `code,link\r\n${codes.map((code) => `${code},${vote}/p/${poll.id}#code=${code}\r\n`).join('')}`);

  /** @param {Poll} poll @param {string} vote */
  const cards = (poll, vote) => html`<ul class="codes" aria-label=${t('codes')}>${repeat(codes.slice(0, PRINTED), (code) => code, (code) => html`<li class="code-card">
    ${qrCode(`${vote}/p/${poll.id}#code=${code}`, t('codes.qr', { code }))}
    <div><p class="text small"><strong>${poll.title}</strong></p><p class="mono code">${code}</p>
      <p class="small soft">${vote.replace(/^https?:\/\//, '')} · <span class="mono">${poll.id}</span></p></div></li>`)}</ul>`;

  return {
    /** @param {Poll} poll @param {string} vote */
    render: (poll, vote) => html`<section class="card stack" aria-labelledby="codes-title">
      <h2 id="codes-title">${t('codes')}</h2>
      <p class="soft no-print">${t('codes.lead')} ${poll.voting_codes === undefined ? '' : t('codes.issued', { n: poll.voting_codes })}</p>
      <form class="row no-print" @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      make(poll, Number(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('count')));
    }}><label class="row" for="count">${t('codes.how-many')}</label><input class="input short" id="count" name="count" type="number" min="1" max=${AT_ONCE} value="30">
        <button class="button" aria-disabled=${isAsking}>${t('codes.make')}</button></form>
      ${error ? html`<p class="error" role="alert">${error}</p>` : ''}
      ${codes.length ? html`<div class="notice warn stack no-print"><p><strong>${t('codes.once')}</strong></p>
          <p class="row"><button type="button" class="button" @click=${() => print()}>${icons.print}${t('codes.print')}</button>
            <button type="button" class="button second" @click=${() => save(poll, vote)}>${icons.download}CSV</button></p>
          ${codes.length > PRINTED ? html`<p>${t('codes.many', { n: PRINTED })}</p>` : ''}</div>
        ${cards(poll, vote)}` : ''}
    </section>`,
  };
}
