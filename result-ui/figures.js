// What the counts mean for each method: shares, leaders, and a sentence for screen readers. Pure.
// SPDX-License-Identifier: MIT
import { number, percent, list, t } from '../web/i18n.js';

/** @typedef {import('../web/types.js').Results} Results */
/**
 * @typedef {object} Figure the line of one option
 * @property {string} id
 * @property {string} label
 * @property {number} value for comparing options
 * @property {number} share length of the bar, 0 to 1
 * @property {string} text the main figure, as "43 %"
 * @property {string} detail the second figure, as "12 votes"
 * @property {boolean} leads
 * @property {boolean} isTied more than one option leads
 * @property {number[]} [distribution]
 */

const SCORE_MAX = 5;

/** @param {Results} results @returns {Figure[]} in the order of the poll */
export function figuresOf(results) {
  const { poll, total } = results;
  const isScore = poll.method === 'score';
  const values = results.results.map((one) => (isScore ? one.mean ?? 0 : one.count));
  const most = Math.max(0, ...values);
  const winner = results.runoff?.winner;
  const isTied = !winner && values.filter((value) => value === most).length > 1;
  return results.results.map((one, i) => ({
    id: one.id,
    label: one.label ?? one.id,
    value: values[i],
    share: isScore ? values[i] / SCORE_MAX : total > 0 ? one.count / total : 0,
    text: isScore ? (one.count ? number(values[i], { minimumFractionDigits: 2, maximumFractionDigits: 2 }) : '–') : percent(total > 0 ? one.count / total : 0),
    detail: t('votes', { n: one.count }),
    leads: winner ? one.id === winner : values[i] > 0 && values[i] === most,
    isTied,
    distribution: one.distribution,
  }));
}

/** The highest first. Equal ones stay in the order of the poll. @param {Figure[]} figures */
export const sorted = (figures) => figures.slice().sort((a, b) => b.value - a.value);

/** The state of the results in one sentence. @param {Results} results */
export function summary(results) {
  const { total, state, runoff } = results;
  if (total === 0) return t('summary.none');
  const leaders = figuresOf(results).filter((figure) => figure.leads);
  const names = list(leaders.map((figure) => figure.label));
  const count = t('votes', { n: total });
  if (runoff && !runoff.winner) return t('summary.undecided', { count });
  if (leaders.length !== 1) return t('summary.tie', { names, count });
  const name = state === 'final' ? 'won' : 'leads';
  return t(runoff ? `summary.runoff.${name}` : `summary.${name}`, { names, count, figure: leaders[0].text });
}
