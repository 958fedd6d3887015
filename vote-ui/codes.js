// Voting codes: the server makes them, and this page shows them once, to print or to save.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem, ask } from '../web/api.js';
import { html, repeat } from '../web/html.js';
import { t } from '../web/i18n.js';
import { refresh } from '../web/shell.js';

/** @typedef {import('../web/types.js').Poll} Poll */

const CODES_MAX = 100_000; // of one poll
const PRINTED = 500; // cards; a browser takes too long to lay out more

/**
 * @typedef {object} CodesOptions
 * @property {string} token the manage token
 * @property {() => {poll: Poll, vote: string}} shown the poll, and the address of the vote page
 * @property {() => void} issued called when new codes were made
 */

/**
 * What this part shares with others is passed in: an import would put it into one more file that organisers wait for.
 * @typedef {Pick<typeof import('../web/qr.js'), 'qrCode'> & Pick<typeof import('../web/copy.js'), 'saveFile'> & Pick<typeof import('./icons.js'), 'icons'>} Parts
 */

/** @param {CodesOptions & Parts} options @returns {import('../web/shell.js').View} */
export function codesView({ token, shown, issued, qrCode, saveFile, icons }) {
  /** @type {string[]} */
  let codes = [];
  let error = '';
  let isAsking = false;

  /** @param {number} count */
  async function make(count) {
    if (isAsking) return;
    error = '';
    if (!(count >= 1 && count <= CODES_MAX)) {
      error = t('codes.count', { n: CODES_MAX });
      refresh();
      return;
    }
    isAsking = true;
    refresh();
    try {
      const answer = await ask('POST', `/v1/polls/${shown().poll.id}/codes`, { body: { count }, token, timeout: 60_000 });
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

  /** @param {string} code */
  const link = (code) => `${shown().vote}/p/${shown().poll.id}#code=${code}`;

  const save = () => saveFile(`${shown().poll.id}-codes.csv`, 'text/csv',
    `code,link\r\n${codes.map((code) => `${code},${link(code)}\r\n`).join('')}`);

  const cards = () => html`<ul class="codes" aria-label=${t('codes')}>${repeat(codes.slice(0, PRINTED), (code) => code, (code) => html`<li class="code-card">
    ${qrCode(link(code), t('codes.qr', { code }))}
    <div><p class="text small"><strong>${shown().poll.title}</strong></p><p class="mono code">${code}</p>
      <p class="small soft">${shown().vote.replace(/^https?:\/\//, '')} · <span class="mono">${shown().poll.id}</span></p></div></li>`)}</ul>`;

  return {
    title: () => t('codes'),
    render: () => html`<section class="card stack" aria-labelledby="codes-title">
      <h2 id="codes-title">${t('codes')}</h2>
      <p class="soft no-print">${t('codes.lead')} ${t('codes.issued', { n: shown().poll.voting_codes ?? 0 })}</p>
      <form class="row no-print" @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      make(Number(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('count')));
    }}><label class="row" for="count">${t('codes.how-many')}</label><input class="input short" id="count" name="count" type="number" min="1" max=${CODES_MAX} value="30">
        <button class="button" aria-disabled=${isAsking}>${t('codes.make')}</button></form>
      ${error ? html`<p class="error" role="alert">${error}</p>` : ''}
      ${codes.length ? html`<div class="notice warn stack no-print"><p><strong>${t('codes.once')}</strong></p>
          <p class="row"><button type="button" class="button" @click=${() => print()}>${icons.print}${t('codes.print')}</button>
            <button type="button" class="button second" @click=${save}>${icons.download}${t('codes.save')}</button></p>
          ${codes.length > PRINTED ? html`<p>${t('codes.many', { n: PRINTED })}</p>` : ''}</div>
        ${cards()}` : ''}
    </section>`,
  };
}
