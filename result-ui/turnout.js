// The turnout over time: a column chart, its peak, and a table.
// SPDX-License-Identifier: MIT
import { html, nothing, svg } from '../web/html.js';
import { dateTime, number, t } from '../web/i18n.js';

/** @typedef {import('./source.js').Turnout} Turnout */
/** @typedef {import('./source.js').Bucket} Bucket */

const WIDTH = 640, HEIGHT = 140, COLUMNS = 160, COLUMNS_LEAST = 12, ROWS = 60;

/** @param {string | number} at @param {number} step seconds */
const clock = (at, step) => dateTime(at, step >= 21_600 ? { dateStyle: 'medium' }
  : step >= 1800 ? { dateStyle: 'short', timeStyle: 'short' } : { timeStyle: step < 60 ? 'medium' : 'short' });

/** All columns between the first and the last. The API leaves out those without ballots. @param {Turnout} turnout */
function columns({ buckets, step_s }) {
  const first = Date.parse(buckets[0].at), last = Date.parse(buckets[buckets.length - 1].at);
  const width = Math.max(1, Math.ceil(((last - first) / 1000 / step_s + 1) / COLUMNS)) * step_s * 1000;
  const sums = new Array(Math.floor((last - first) / width) + 1).fill(0);
  for (const bucket of buckets) sums[Math.floor((Date.parse(bucket.at) - first) / width)] += bucket.received;
  while (sums.length < COLUMNS_LEAST) sums.push(0);
  return { sums, first, width, last: first + sums.length * width };
}

/** @param {Turnout | undefined} turnout */
export function turnoutCard(turnout) {
  if (!turnout?.buckets?.length) return nothing;
  const { sums, first, last, width } = columns(turnout);
  const most = Math.max(1, ...sums);
  const step = WIDTH / sums.length;
  const path = sums.map((n, i) => (n === 0 ? '' : `M${(i * step).toFixed(1)} ${HEIGHT}v${(-n / most * HEIGHT).toFixed(1)}h${(step * 0.86).toFixed(1)}V${HEIGHT}z`)).join('');
  const { peak, revisions } = turnout;
  return html`<section class="card stack" aria-labelledby="turnout">
    <h2 id="turnout">${t('turnout.title')}</h2>
    <figure>
      <svg class="turnout" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${t('turnout.label', { from: clock(first, turnout.step_s), to: clock(last, turnout.step_s), most })}>
        ${svg`<path class="ground" d="M0 ${HEIGHT}h${WIDTH}" /><path d=${path} />`}</svg>
      <figcaption class="axis small soft number"><span>${clock(first, turnout.step_s)}</span><span>${t('turnout.most', { n: most, seconds: width / 1000 })}</span><span>${clock(last, turnout.step_s)}</span></figcaption>
    </figure>
    <p class="small soft">${peak ? t('turnout.peak', { rate: number(peak.per_second, { maximumFractionDigits: 1 }), at: clock(peak.at, 10) }) : nothing}
      ${revisions > 0 ? t('turnout.revisions', { n: revisions }) : nothing}</p>
    <details><summary>${t('table')}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="${t('turnout.title')} – ${t('table')}"><table>
        <thead><tr><th scope="col">${t('turnout.from')}</th><th scope="col">${t('ledger.received')}</th><th scope="col">${t('ledger.counted')}</th></tr></thead>
        <tbody>${turnout.buckets.slice(-ROWS).map((/** @type {Bucket} */ bucket) => html`<tr><th scope="row">${clock(bucket.at, turnout.step_s)}</th>
          <td>${number(bucket.received)}</td><td>${number(bucket.counted)}</td></tr>`)}</tbody>
      </table></div>
      ${turnout.buckets.length > ROWS ? html`<p class="hint">${t('turnout.rows', { n: ROWS })}</p>` : nothing}
    </details>
  </section>`;
}
