// Ranks options, by dragging, with buttons, or with the arrow keys.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { html, repeat } from '../web/html.js';
import { t } from '../web/i18n.js';
import { keepPlaces } from '../web/keep_places.js';
import { isFull, move } from './draft.js';
import { icons } from './icons.js';

/** @typedef {import('./draft.js').Poll} Poll */
/** @typedef {import('./draft.js').Draft} Draft */

/** @param {HTMLElement} list */
const rows = (list) => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[data-id]')]);

/**
 * @param {Poll} poll @param {Draft} draft @param {() => void} changed draws the page again
 */
export function ranking(poll, draft, changed) {
  const labels = new Map(poll.options.map((option) => [option.id, option.label]));
  const label = (/** @type {string} */ id) => labels.get(id) ?? id;
  const others = poll.options.filter((option) => !draft.choices.includes(option.id));

  /** @param {string[]} choices */
  const set = (choices) => {
    const glide = keepPlaces('.slot', 180);
    draft.choices = choices;
    changed();
    queueMicrotask(() => queueMicrotask(glide));
  };
  /** @param {string} id @param {number} to */
  const moveTo = (id, to) => {
    const from = draft.choices.indexOf(id);
    if (to < 0 || to >= draft.choices.length || to === from) return;
    set(move(draft.choices, from, to));
    announce(t('rank.place', { option: label(id), place: to + 1, n: draft.choices.length }));
  };
  /** @param {string} id */
  const add = (id) => {
    if (isFull(poll, draft)) return;
    set([...draft.choices, id]);
    announce(t('rank.place', { option: label(id), place: draft.choices.length, n: draft.choices.length }));
  };
  /** @param {string} id */
  const remove = (id) => {
    set(draft.choices.filter((one) => one !== id));
    announce(t('rank.removed', { option: label(id) }));
  };

  /** @param {KeyboardEvent} event @param {string} id */
  const onKey = (event, id) => {
    const at = draft.choices.indexOf(id);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: draft.choices.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    moveTo(id, to);
    // The browser takes the focus from a row that moves up, because lit-html inserts it again.
    const grip = /** @type {HTMLElement} */ (event.currentTarget);
    queueMicrotask(() => queueMicrotask(() => grip.focus()));
  };

  /** @param {PointerEvent} event @param {string} id */
  const onDrag = (event, id) => {
    if (event.button !== 0) return;
    const grip = /** @type {HTMLElement} */ (event.currentTarget);
    const row = /** @type {HTMLElement} */ (grip.closest('[data-id]'));
    const list = /** @type {HTMLElement} */ (row.parentElement);
    const startAt = event.clientY - row.offsetTop;
    grip.setPointerCapture(event.pointerId);
    row.classList.add('dragged');
    /** @param {PointerEvent} at */
    const onMove = (at) => {
      const middle = at.clientY - startAt + row.offsetHeight / 2; // of the dragged row, in the list
      const to = rows(list).filter((other) => other !== row && other.offsetTop + other.offsetHeight / 2 < middle).length;
      if (to !== draft.choices.indexOf(id)) moveTo(id, to);
      queueMicrotask(() => queueMicrotask(() => {
        row.style.transform = `translateY(${at.clientY - startAt - row.offsetTop}px)`;
      }));
    };
    const onEnd = () => {
      grip.removeEventListener('pointermove', onMove);
      row.classList.remove('dragged');
      row.style.transform = '';
    };
    grip.addEventListener('pointermove', onMove);
    grip.addEventListener('lostpointercapture', onEnd, { once: true });
  };

  /** @param {string} id @param {number} i */
  const rankedRow = (id, i) => html`<li class="slot" data-id=${id}>
    <span class="place number" aria-hidden="true">${i + 1}</span>
    <span class="text">${label(id)}</span>
    <span class="tools">
      <button type="button" class="button quiet round" ?disabled=${i === 0} aria-label=${t('rank.up', { option: label(id) })}
        @click=${() => moveTo(id, i - 1)}>${icons.up}</button>
      <button type="button" class="button quiet round" ?disabled=${i === draft.choices.length - 1}
        aria-label=${t('rank.down', { option: label(id) })} @click=${() => moveTo(id, i + 1)}>${icons.down}</button>
      <button type="button" class="button quiet round" aria-label=${t('rank.remove', { option: label(id) })}
        @click=${() => remove(id)}>${icons.remove}</button>
      <button type="button" class="button quiet round grip" aria-label=${t('rank.grip', { option: label(id), place: i + 1 })}
        aria-describedby="rank-help" @keydown=${(/** @type {KeyboardEvent} */ event) => onKey(event, id)}
        @pointerdown=${(/** @type {PointerEvent} */ event) => onDrag(event, id)}>${icons.grip}</button>
    </span>
  </li>`;

  return html`
    <p id="rank-help" class="hint">${t('rank.help')}</p>
    ${draft.choices.length
      ? html`<ol class="ranked" aria-label=${t('rank.yours')}>${repeat(draft.choices, (id) => id, rankedRow)}</ol>`
      : html`<p class="empty small">${t('rank.none')}</p>`}
    ${others.length ? html`<p class="label" id="rank-others">${t('rank.others')}</p>
      <ul class="options" aria-labelledby="rank-others">${repeat(others, (option) => option.id, (option) => html`<li>
        <button type="button" class="option" aria-disabled=${isFull(poll, draft)} @click=${() => add(option.id)}>
          <span class="mark add" aria-hidden="true">${icons.add}</span><span class="text">${option.label}</span></button></li>`)}</ul>` : ''}`;
}
