// The rules that a voter should know: who can vote, whether votes can change, until when, and who sees the results.
// SPDX-License-Identifier: MIT
import { now } from '../web/clock.js';
import { html } from '../web/html.js';
import { distance, t, time } from '../web/i18n.js';
import { limits } from './draft.js';
import { icons } from './icons.js';

/** @typedef {import('../web/types.js').Poll} Poll */

/** @param {Poll} poll */
function closing(poll) {
  if (poll.state === 'scheduled' && poll.opens_at) return t('rule.opens', { when: distance(poll.opens_at), at: time(poll.opens_at) });
  if (!poll.closes_at) return t('rule.by-hand');
  return t(Date.parse(poll.closes_at) > now() ? 'rule.closes' : 'rule.closed',
    { when: distance(poll.closes_at), at: time(poll.closes_at) });
}

/** @param {Poll} poll */
export const rules = (poll) => html`<ul class="rules" aria-label=${t('rules')}>
  <li>${icons.people}<span>${t(`rule.voter.${poll.voter_policy}`)}</span></li>
  <li>${icons.pencil}<span>${t(poll.revisable ? 'rule.revisable' : 'rule.once')}</span></li>
  <li>${icons.clock}<span>${closing(poll)}</span></li>
  <li>${icons.chart}<span>${t(`rule.results.${poll.results_visibility}`)}</span></li>
</ul>`;

/** How to fill in the ballot. @param {Poll} poll */
export function instruction(poll) {
  const { min, max } = limits(poll);
  const isAll = max >= poll.options.length;
  if (poll.method === 'plurality' || (min <= 1 && isAll)) return t(`how.${poll.method}`);
  const range = min === max ? t('range.exactly', { n: min }) : isAll ? t('range.at-least', { n: min })
    : min <= 1 ? t('range.at-most', { n: max }) : t(max === min + 1 ? 'range.or' : 'range.to', { min, max });
  return t(`how.${poll.method}.range`, { range });
}
