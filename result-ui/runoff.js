// The rounds of an instant runoff, one at a time.
// SPDX-License-Identifier: MIT
import { html, nothing, repeat } from '../web/html.js';
import { list, number, percent, t } from '../web/i18n.js';
import { refresh } from '../web/shell.js';

/** @typedef {import('../web/types.js').Results} Results */

/** All rounds at once. @param {Results} results */
function table({ poll, runoff: { rounds } }) {
  const cells = (/** @type {(round: any) => number | undefined} */ count) => rounds.map((/** @type {any} */ round) => html`<td>${
    count(round) === undefined ? '–' : number(Number(count(round)))}</td>`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${t('runoff.title')}: ${t('table')}"><table>
    <thead><tr><th scope="col">${t('table.option')}</th>${rounds.map((/** @type {any} */ round) => html`<th scope="col">${t('runoff.short', { round: round.round })}</th>`)}</tr></thead>
    <tbody>${poll.options.map((option) => html`<tr><th scope="row" class="text">${option.label}</th>${cells((round) => round.counts[option.id])}</tr>`)}
      <tr><th scope="row">${t('runoff.none')}</th>${cells((round) => round.exhausted)}</tr></tbody></table></div>`;
}

export class Runoff {
  /** The round that was asked for; undefined: the last. @type {number | undefined} */
  chosen;

  /** @param {number | undefined} round */
  choose(round) {
    this.chosen = round;
    refresh();
  }

  /** @param {Results} results */
  render(results) {
    const rounds = results.runoff.rounds;
    if (results.total === 0 || rounds.length === 0) return nothing;
    const at = Math.min(this.chosen ?? rounds.length - 1, rounds.length - 1);
    const round = rounds[at];
    const labels = new Map(results.poll.options.map((option) => [option.id, option.label]));
    const name = (/** @type {string} */ id) => labels.get(id) ?? id;
    const inRace = Object.values(round.counts).reduce((/** @type {number} */ sum, n) => sum + n, 0);
    return html`<section class="card stack" aria-labelledby="runoff">
      <div class="row spread">
        <h2 id="runoff">${t('runoff.title')}</h2>
        <div class="row" role="group" aria-label=${t('runoff.step')}>
          <button class="button second round" type="button" aria-label=${t('runoff.before')} ?disabled=${at === 0} @click=${() => this.choose(at - 1)}>←</button>
          <span class="number" aria-live="polite">${t('runoff.round', { round: at + 1, rounds: rounds.length })}</span>
          <button class="button second round" type="button" aria-label=${t('runoff.next')} ?disabled=${at === rounds.length - 1} @click=${() => this.choose(at + 1 === rounds.length - 1 ? undefined : at + 1)}>→</button>
        </div>
      </div>
      <ol class="bars small-bars">${repeat(results.poll.options, (option) => option.id, (option) => {
        const count = round.counts[option.id];
        const isOut = round.eliminated.includes(option.id);
        return html`<li class="bar ${count === undefined ? 'gone' : ''} ${isOut ? 'out' : ''} ${at === rounds.length - 1 && results.runoff.winner === option.id ? 'leads' : ''}">
          <span class="name text">${option.label}</span>
          <span class="figure number">${count === undefined ? t('runoff.gone') : number(count)}</span>
          <span class="track"><i .style=${`--share: ${inRace > 0 && count !== undefined ? count / inRace : 0}`}></i></span>
          <span class="detail soft">${isOut ? t('runoff.out') : count === undefined ? '' : percent(inRace > 0 ? count / inRace : 0, 1)}</span>
        </li>`;
      })}</ol>
      <p class="small">${this.tell(results, at, name)}</p>
      <details><summary>${t('table')}</summary>${table(results)}</details>
    </section>`;
  }

  /** What happens in a round, in words. @param {Results} results @param {number} at @param {(id: string) => string} name */
  tell(results, at, name) {
    const { rounds, winner } = results.runoff;
    const round = rounds[at];
    const says = [];
    if (round.exhausted > 0) says.push(t('runoff.exhausted', { n: round.exhausted }));
    if (round.eliminated.length) says.push(t('runoff.eliminated', { n: round.eliminated.length, names: list(round.eliminated.map(name)) }));
    if (round.tie) {
      const names = list(round.tie.between.map(name));
      says.push(round.tie.broken_by === 'lot' ? t('runoff.lot', { names }) : t('runoff.earlier', { names, round: round.tie.round }));
    }
    if (at === rounds.length - 1 && winner) says.push(t('runoff.winner', { name: name(winner) }));
    return says.join(' ');
  }
}
