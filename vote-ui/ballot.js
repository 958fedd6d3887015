// The ballot that a voter fills in, for each method.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { html, live, repeat } from '../web/html.js';
import { t } from '../web/i18n.js';
import { countOf, fit, isFull, limits } from './draft.js';
import { icons } from './icons.js';
import { ranking } from './ranking.js';
import { instruction } from './rules.js';

/** @typedef {import('./draft.js').Poll} Poll */
/** @typedef {import('./draft.js').Draft} Draft */
/** @typedef {import('../web/types.js').Option} Option */

/**
 * @typedef {object} BallotOptions
 * @property {Poll} poll
 * @property {Draft} draft
 * @property {() => void} changed draws the page again
 * @property {() => void} cast
 * @property {boolean} [isPreview] the ballot cannot be cast
 * @property {string} [stop] why the ballot cannot be cast now
 */

const STARS = [1, 2, 3, 4, 5];

/** Whether one tap casts the ballot. It does not if the vote would be final. @param {Poll} poll */
export const isOneTap = (poll) => poll.method === 'plurality' && poll.revisable;

/** @param {BallotOptions} options */
function plurality({ poll, draft, changed, cast, stop }) {
  /** @param {Option} option */
  const choose = (option) => {
    draft.choices = [option.id];
    changed();
    if (isOneTap(poll) && !stop) cast();
  };
  return html`<ul class="options">${repeat(poll.options, (option) => option.id, (option) => html`<li>
    <button type="button" class="option" aria-pressed=${draft.choices[0] === option.id} @click=${() => choose(option)}>
      <span class="mark" aria-hidden="true">${icons.check}</span><span class="text">${option.label}</span></button></li>`)}</ul>`;
}

/** @param {BallotOptions} options */
function approval({ poll, draft, changed }) {
  /** @param {Option} option */
  const toggle = (option) => {
    if (draft.choices.includes(option.id)) draft.choices = draft.choices.filter((id) => id !== option.id);
    else if (isFull(poll, draft)) announce(t('ballot.full', { n: limits(poll).max }));
    else draft.choices = [...draft.choices, option.id];
    changed();
  };
  return html`<ul class="options">${repeat(poll.options, (option) => option.id, (option) => {
    const isChosen = draft.choices.includes(option.id);
    return html`<li><label class="option ${isChosen ? 'chosen' : ''} ${!isChosen && isFull(poll, draft) ? 'blocked' : ''}">
      <input type="checkbox" class="unseen" .checked=${live(isChosen)} aria-disabled=${!isChosen && isFull(poll, draft)}
        @change=${() => toggle(option)}>
      <span class="mark square" aria-hidden="true">${icons.check}</span><span class="text">${option.label}</span></label></li>`;
  })}</ul>`;
}

const star = html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d="m12 2.6 2.9 6 6.6.9-4.8 4.6 1.2 6.5-5.9-3.2-5.9 3.2 1.2-6.500L2.5 9.500l6.6-.9z"/></svg>`;

/** @param {BallotOptions} options */
function score({ poll, draft, changed }) {
  /** @param {string} id @param {number | undefined} value */
  const set = (id, value) => {
    if (value === undefined) {
      const { [id]: _, ...others } = draft.scores;
      draft.scores = others;
    } else if (!(id in draft.scores) && isFull(poll, draft)) {
      announce(t('ballot.full', { n: limits(poll).max }));
    } else {
      draft.scores = { ...draft.scores, [id]: value };
    }
    changed();
  };
  return html`<ul class="scores">${repeat(poll.options, (option) => option.id, (option) => {
    const value = draft.scores[option.id];
    const radio = (/** @type {number} */ n) => html`<label class=${n > 0 && n <= (value ?? -1) ? 'lit' : ''} title=${t('score.stars', { n })}>
      <input type="radio" class="unseen" name="score-${option.id}" value=${n} .checked=${live(value === n)}
        aria-label=${t('score.stars', { n })} @change=${() => set(option.id, n)}>${n ? star : html`<span class="zero" aria-hidden="true">0</span>`}</label>`;
    return html`<li><fieldset class="score">
      <legend class="text">${option.label}</legend>
      <div class="stars">${[0, ...STARS].map(radio)}
        <button type="button" class="button quiet small" ?hidden=${value === undefined} @click=${() => set(option.id, undefined)}
          aria-label=${t('score.clear-of', { option: option.label })}>${t('score.clear')}</button>
        <span class="soft small" ?hidden=${value !== undefined}>${t('score.none')}</span></div>
    </fieldset></li>`;
  })}</ul>`;
}

/** What is still missing, or how much is chosen. @param {Poll} poll @param {Draft} draft */
function progress(poll, draft) {
  const missing = fit(poll, draft);
  const n = countOf(poll, draft);
  if (missing > 0) return t('ballot.fewer', { n: missing });
  if (missing === 0) return t(`ballot.chosen.${poll.method}`, { n });
  if (n > 0) return t('ballot.more', { n: -missing });
  return limits(poll).max === 1 ? t('how.plurality') : t('ballot.none', { n: -missing });
}

/** @param {BallotOptions} options */
export function ballot(options) {
  const { poll, draft, cast, changed, isPreview, stop } = options;
  const hasButton = !isOneTap(poll);
  const isReady = fit(poll, draft) === 0 && !stop;
  return html`<form class="ballot stack" aria-labelledby="how" @submit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    if (isReady && !isPreview) cast();
  }}>
    <p id="how" class="how">${instruction(poll)}</p>
    ${{ plurality, approval, score, ranked: () => ranking(poll, draft, changed) }[poll.method](options)}
    ${hasButton ? html`<div class="cast"><p class="soft small">${stop ? '' : progress(poll, draft)}</p>
      <button class="button" aria-disabled=${!isReady}>${t('ballot.cast')}</button></div>` : ''}
  </form>`;
}
