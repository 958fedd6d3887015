// Results as bars, and as a table.
// SPDX-License-Identifier: MIT
import { html, nothing, repeat } from '../web/html.js';
import { number, t } from '../web/i18n.js';
import { figuresOf, sorted } from './figures.js';

/** @typedef {import('./figures.js').Figure} Figure */
/** @typedef {import('../web/types.js').Results} Results */

export const LONG = 30; // characters; a longer label gets two lines on a big screen
const COLUMN = 8; // options in a column of a big screen
export const GLIDE = 420; // ms that a bar takes to its new place
export const ROOM = 16; // options on a big screen

/** How many votes gave each score, from 0 to 5. @param {number[]} counts */
function distribution(counts) {
  const most = Math.max(1, ...counts);
  return html`<ol class="scores" aria-label=${t('scores.label')}>${counts.map((n, score) => html`
    <li><i .style=${`--part: ${n / most}`}></i><span class="unseen">${t('scores.one', { score, n })}</span><b aria-hidden="true">${score}</b></li>`)}</ol>`;
}

/** @param {Figure} figure @param {boolean} isFinal */
const bar = (figure, isFinal) => html`<li class="bar ${figure.leads ? 'leads' : ''} ${figure.label.length > LONG ? 'long' : ''}" data-id=${figure.id}>
  <span class="name text">${figure.label}${figure.leads && isFinal ? html` <span class="chip open won">${t(figure.isTied ? 'tied' : 'won')}</span>` : nothing}</span>
  <span class="figure number">${figure.text}</span>
  <span class="track"><i .style=${`--share: ${figure.share}`}></i></span>
  <span class="detail number soft">${figure.detail}</span>
  ${figure.distribution ? distribution(figure.distribution) : nothing}
</li>`;

/** Bars in the order of the poll, or the highest first. @param {Results} results @param {boolean} isSorted */
export function bars(results, isSorted) {
  const figures = figuresOf(results);
  return html`<ol class="bars">${repeat(isSorted ? sorted(figures) : figures, (figure) => figure.id,
    (figure) => bar(figure, results.state === 'final'))}</ol>`;
}

/** The rows that `n` options need, if a column has at most `most` rows. @param {number} n @param {number} most */
const rowsOf = (n, most) => Math.ceil(n / Math.ceil(n / most));

/** If there are many options, a bar has only room for name and figure. @param {number} n */
export const density = (n) => (n > COLUMN ? 'dense' : '');

/** The rows on a wide screen, and on a tall one. @param {number} n */
export const placesOn = (n) => `--rows: ${rowsOf(n, COLUMN)}; --tall-rows: ${rowsOf(n, 12)}`;

/** Bars for a big screen, in columns. Only the leading options fit, if there are very many: the last row must be able to read. @param {Results} results @param {boolean} isSorted */
export function screenBars(results, isSorted) {
  const figures = figuresOf(results);
  const isMany = figures.length > ROOM;
  // The winner of a runoff is always shown, even with few first choices.
  const shown = isMany ? sorted(figures).sort((a, b) => Number(b.leads) - Number(a.leads)).slice(0, ROOM) : isSorted ? sorted(figures) : figures;
  return html`<ol class="bars ${density(shown.length)}" .style=${placesOn(shown.length)}>${repeat(shown, (figure) => figure.id,
    (figure) => bar(figure, results.state === 'final'))}</ol>
    ${isMany ? html`<p class="soft more">${t('present.more', { n: figures.length - ROOM })}</p>` : nothing}`;
}

/** @param {Results} results @param {boolean} isSorted */
export function table(results, isSorted) {
  const figures = figuresOf(results);
  const isScore = results.poll.method === 'score';
  return html`<div class="scroll ${isScore ? 'wide' : ''}" tabindex="0" role="region" aria-label=${t('table')} .style=${`--rows: ${figures.length}`}><table>
    <thead><tr><th scope="col">${t('table.option')}</th><th scope="col">${t(isScore ? 'table.mean' : 'table.share')}</th>
      <th scope="col">${t('table.votes')}</th>${isScore ? [0, 1, 2, 3, 4, 5].map((score) => html`<th scope="col"><span class="unseen">${t('table.score')} </span>${score}</th>`) : nothing}</tr></thead>
    <tbody>${(isSorted ? sorted(figures) : figures).map((figure) => html`<tr>
      <th scope="row" class="text">${figure.label}</th><td>${figure.text}</td>
      <td>${number(results.results.find((one) => one.id === figure.id)?.count ?? 0)}</td>
      ${figure.distribution?.map((n) => html`<td>${number(n)}</td>`) ?? nothing}</tr>`)}</tbody>
  </table></div>`;
}
