// The rounds of an instant runoff, one at a time.
// SPDX-License-Identifier: MIT
import { html, nothing, repeat } from '../web/html.js';
import { list, number, percent, t } from '../web/i18n.js';
import { refresh } from '../web/shell.js';
import { LONG, ROOM, density, placesOn } from './chart.js';

/** @typedef {import('../web/types.js').Results} Results */

/** All rounds in one table. @param {Results} results */
function table({ poll, runoff: { rounds } }) {
  const cells = (/** @type {(round: any) => number | undefined} */ count) => rounds.map((/** @type {any} */ round) => html`<td>${
    count(round) === undefined ? '–' : number(Number(count(round)))}</td>`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${t('runoff.title')} – ${t('table')}"><table>
    <thead><tr><th scope="col">${t('table.option')}</th>${rounds.map((/** @type {any} */ round) => html`<th scope="col">${t('runoff.short', { round: round.round })}</th>`)}</tr></thead>
    <tbody>${poll.options.map((option) => html`<tr><th scope="row" class="text">${option.label}</th>${cells((round) => round.counts[option.id])}</tr>`)}
      <tr><th scope="row">${t('runoff.none')}</th>${cells((round) => round.exhausted)}</tr></tbody></table></div>`;
}

/**
 * The bars of one round.
 * @param {Results} results @param {number} at the round, from 0
 * @param {(n: number) => string} kind the class for a number of bars
 * @param {number} [room] how many options fit; only the leading ones are shown
 */
function roundBars({ poll, runoff: { rounds, winner } }, at, kind, room = Infinity) {
  const round = rounds[at];
  const options = poll.options.length <= room ? poll.options : poll.options.filter(({ id }) => id in round.counts)
    .sort((a, b) => round.counts[b.id] - round.counts[a.id]).slice(0, room);
  const inRace = Object.values(round.counts).reduce((/** @type {number} */ sum, n) => sum + n, 0);
  return html`<ol class="bars ${kind(options.length)}" .style=${placesOn(options.length)}>${repeat(options, (option) => option.id, (option) => {
    const count = round.counts[option.id];
    const isOut = round.eliminated.includes(option.id);
    return html`<li class="bar ${count === undefined ? 'gone' : ''} ${isOut ? 'out' : ''} ${at === rounds.length - 1 && winner === option.id ? 'leads' : ''} ${option.label.length > LONG ? 'long' : ''}">
      <span class="name text">${option.label}</span>
      <span class="figure number">${count === undefined ? t('runoff.gone') : number(count)}</span>
      <span class="track"><i .style=${`--share: ${inRace > 0 && count !== undefined ? count / inRace : 0}`}></i></span>
      <span class="detail soft">${isOut ? t('runoff.out') : count === undefined ? '' : percent(inRace > 0 ? count / inRace : 0, 1)}</span>
    </li>`;
  })}</ol>`;
}

export class Runoff {
  /** The chosen round. Undefined means the last one. @type {number | undefined} */
  chosen;

  /** @param {number | undefined} round */
  choose(round) {
    this.chosen = round;
    refresh();
  }

  /** The round that is shown, from 0. @param {Results} results */
  at({ runoff: { rounds } }) {
    return Math.min(this.chosen ?? rounds.length - 1, rounds.length - 1);
  }

  /** Goes `by` rounds on or back. At the last round it stays at the last one, also when new rounds follow. @param {Results} results @param {number} by */
  step(results, by) {
    const to = Math.max(0, this.at(results) + by);
    this.choose(to >= results.runoff.rounds.length - 1 ? undefined : to);
  }

  /** For the big screen. @param {Results} results */
  screen(results) {
    const at = this.at(results);
    return html`${roundBars(results, at, density, ROOM)}
      <p class="soft more round"><b class="number">${t('runoff.round', { round: at + 1, rounds: results.runoff.rounds.length })}</b> ${this.tell(results, at)}</p>`;
  }

  /** @param {Results} results */
  render(results) {
    const rounds = results.runoff.rounds;
    if (results.total === 0 || rounds.length === 0) return nothing;
    const at = this.at(results);
    return html`<section class="card stack" aria-labelledby="runoff">
      <div class="row spread">
        <h2 id="runoff">${t('runoff.title')}</h2>
        <div class="row" role="group" aria-label=${t('runoff.step')}>
          <button class="button second round" type="button" aria-label=${t('runoff.before')} ?disabled=${at === 0} @click=${() => this.step(results, -1)}>←</button>
          <span class="number" aria-live="polite">${t('runoff.round', { round: at + 1, rounds: rounds.length })}</span>
          <button class="button second round" type="button" aria-label=${t('runoff.next')} ?disabled=${at === rounds.length - 1} @click=${() => this.step(results, 1)}>→</button>
        </div>
      </div>
      ${roundBars(results, at, () => 'small-bars')}
      <p class="small">${this.tell(results, at)}</p>
      <details><summary>${t('table')}</summary>${table(results)}</details>
    </section>`;
  }

  /** What happens in a round, as text. @param {Results} results @param {number} at */
  tell({ poll, runoff: { rounds, winner } }, at) {
    const labels = new Map(poll.options.map((option) => [option.id, option.label]));
    const name = (/** @type {string} */ id) => labels.get(id) ?? id;
    const round = rounds[at];
    const says = [];
    if (round.exhausted > 0) says.push(t('runoff.exhausted', { n: round.exhausted }));
    if (round.tie) {
      const names = list(round.tie.between.map(name));
      says.push(round.tie.broken_by === 'lot' ? t('runoff.lot', { names }) : t('runoff.earlier', { names, round: round.tie.round }));
    }
    const n = round.eliminated.length;
    if (n > 0) says.push(t(round.tie && n === 1 ? 'runoff.eliminated.tied' : 'runoff.eliminated', { n, names: list(round.eliminated.map(name)) }));
    if (at === rounds.length - 1 && winner) says.push(t('runoff.winner', { name: name(winner) }));
    return says.join(' ');
  }
}
