// What an organiser shares: the poll code, the link and its QR code, and the result page. The manage link is only for the
// organiser.
// SPDX-License-Identifier: MIT
import { copier } from '../web/copy.js';
import { html } from '../web/html.js';
import { t } from '../web/i18n.js';
import { qrCode } from '../web/qr.js';

/** @param {string} id @param {string} label @param {string} url @param {string} [hint] */
const link = (id, label, url, hint) => html`<div class="field"><span class="label" id=${id}>${label}</span>
  <p class="link-row"><a class="mono small" href=${url} aria-describedby=${id} rel="external">${url.replace(/^https?:\/\//, '')}</a>
    <button type="button" class="button second" aria-label="${t('copy')} – ${label}" @click=${copier(url, 'a')}>${t('copy')}</button></p>
  ${hint ? html`<p class="hint">${hint}</p>` : ''}</div>`;

/** @param {import('../web/types.js').Poll} poll @param {string} token @param {{vote: string, result: string}} site */
export function shareSheet(poll, token, site) {
  const vote = `${site.vote}/p/${poll.id}`;
  const result = `${site.result}/p/${poll.id}${poll.results_visibility === 'always' ? '' : `#manage=${token}`}`;
  return html`<section class="card share" aria-labelledby="share-title">
    <h2 id="share-title">${t('share.title')}</h2>
    <div class="share-code">${qrCode(vote, t('share.qr', { link: vote }))}
      <p class="soft small">${t('share.code')}</p><p class="code mono">${poll.id}</p></div>
    <div class="stack">
      ${link('share-vote', t('share.vote'), vote)}
      ${'share' in navigator ? html`<p><button type="button" class="button second" @click=${() =>
    navigator.share({ title: poll.title, url: vote }).catch(() => {})}>${t('share.share')}</button></p>` : ''}
      ${link('share-result', t('share.result'), result, poll.results_visibility === 'always' ? undefined : t('share.result.secret'))}
      ${link('share-manage', t('share.manage'), `${site.vote}/manage/${poll.id}#${token}`, t('share.manage.secret'))}
    </div>
  </section>`;
}
