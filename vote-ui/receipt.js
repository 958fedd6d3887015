// Checks a receipt: it shows the fate of a ballot, and never its choice.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem } from '../web/api.js';
import { html } from '../web/html.js';
import { has, t } from '../web/i18n.js';
import { decode, refresh } from '../web/shell.js';
import { icons } from './icons.js';
import { askReceipt } from './outbox.js';

/** @returns {import('../web/shell.js').View} */
export function receiptView() {
  let receipt = decode(location.hash.slice(1));
  /** @type {{state: string, reason?: string} | undefined} */
  let fate;
  let error = '';
  let isAsking = false;

  async function check() {
    receipt = receipt.replace(/\s/g, '');
    if (!receipt || isAsking) return;
    isAsking = true;
    fate = undefined;
    error = '';
    refresh();
    try {
      fate = await askReceipt(receipt);
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
      error = met.sentence;
    }
    isAsking = false;
    announce(error || t(`receipt.${fate?.state}`));
    refresh();
  }
  if (receipt) check();

  const answer = () => {
    if (error) return html`<p class="notice bad">${error}</p>`;
    if (!fate) return isAsking ? html`<p class="soft">${t('loading')}</p>` : '';
    const reason = `fate.rejected.${fate.reason}`;
    return html`<div class="notice stack ${fate.state === 'counted' ? 'good' : fate.state === 'pending' ? '' : 'warn'}">
      <p class="row"><strong>${t(`step.${fate.state}`)}</strong></p>
      <p>${fate.state === 'rejected' && has(reason) ? t(reason) : t(`receipt.${fate.state}`)}</p>
      ${fate.state === 'pending' ? html`<p><button type="button" class="button second" @click=${check}>${t('receipt.again')}</button></p>` : ''}
    </div>`;
  };

  return {
    title: () => t('receipt.title'),
    render: () => html`<div class="stack">
      <h1>${t('receipt.title')}</h1>
      <p class="soft">${t('receipt.lead')}</p>
      <form class="field" @submit=${(/** @type {Event} */ event) => { event.preventDefault(); check(); }}>
        <label for="receipt">${t('receipt.label')}</label>
        <textarea class="input mono" id="receipt" rows="3" spellcheck="false" autocomplete="off" .value=${receipt}
          @input=${(/** @type {InputEvent} */ event) => { receipt = /** @type {HTMLTextAreaElement} */ (event.target).value; }}></textarea>
        <p><button class="button">${icons.check}${t('receipt.button')}</button></p>
      </form>
      ${answer()}
    </div>`,
  };
}
