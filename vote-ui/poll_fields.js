// The form fields of a poll: title, options, method, rules. The views that create and edit polls share them.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { html, live, repeat } from '../web/html.js';
import { has, t } from '../web/i18n.js';
import { move } from './draft.js';
import { icons } from './icons.js';
import { LABEL_MAX, OPTIONS_MAX, TEXT_MAX, TITLE_MAX, filled, isForbidden, linesOf, newOption } from './poll_form.js';

/** @typedef {import('./poll_form.js').PollForm} PollForm */

/**
 * @typedef {object} FieldOptions
 * @property {PollForm} form
 * @property {Record<string, string>} faults by field: the name of a text, or the text itself
 * @property {() => void} changed draws the page again
 * @property {boolean} [hasOpened] hides the fields that are fixed then
 */

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement} */ (event.target).value;
/** @param {string} id */
const focus = (id) => queueMicrotask(() => queueMicrotask(() => document.getElementById(id)?.focus()));

/** @param {FieldOptions} options @param {string} name */
const fault = ({ faults }, name) => (faults[name]
  ? html`<p class="error" id="fault-${name}">${has(faults[name]) ? t(faults[name]) : faults[name]}</p>` : '');

/** @param {FieldOptions} options */
function optionFields(options) {
  const { form, faults, changed } = options;
  /** @param {number} at @param {string[]} labels */
  const insert = (at, labels) => {
    const room = OPTIONS_MAX - filled(form).length;
    const added = labels.slice(0, room).map((label) => newOption(label));
    form.options.splice(at, 0, ...added);
    if (labels.length > 1) form.options = form.options.filter((option) => option.label.trim());
    changed();
    return added;
  };
  /** @param {ClipboardEvent} event @param {number} i */
  const onPaste = (event, i) => {
    const lines = linesOf(event.clipboardData?.getData('text') ?? '');
    if (lines.length < 2) return;
    event.preventDefault();
    announce(t('form.pasted', { n: insert(i + 1, lines).length }));
  };
  /** @param {KeyboardEvent} event @param {number} i */
  const onKey = (event, i) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    const next = form.options[i + 1] ?? insert(i + 1, [''])[0];
    focus(`option-${next.key}`);
  };
  /** @param {number} i @param {number} by */
  const shift = (i, by) => {
    form.options = move(form.options, i, i + by);
    changed();
  };
  /** @param {number} i */
  const remove = (i) => {
    form.options.splice(i, 1);
    if (form.options.length < 2) form.options.push(newOption(''));
    changed();
    focus(`option-${form.options[Math.min(i, form.options.length - 1)].key}`);
  };
  return html`<fieldset class="field"><legend>${t('form.options')}</legend>
    <p class="hint" id="options-hint">${t('form.options.hint')}</p>
    <ol class="option-fields">${repeat(form.options, (option) => option.key, (option, i) => html`<li>
      <input class="input" id="option-${option.key}" maxlength=${LABEL_MAX} autocomplete="off" .value=${live(option.label)}
        aria-label=${t('form.option', { n: i + 1 })} aria-describedby=${faults.options ? 'fault-options' : 'options-hint'}
        aria-invalid=${Boolean(faults.options) && (!option.label.trim() || faults.options !== 'fault.options')}
        placeholder=${t('form.option', { n: i + 1 })} enterkeyhint="next"
        @input=${(/** @type {Event} */ event) => { option.label = valueOf(event); changed(); }}
        @paste=${(/** @type {ClipboardEvent} */ event) => onPaste(event, i)}
        @keydown=${(/** @type {KeyboardEvent} */ event) => onKey(event, i)}>
      <button type="button" class="button quiet round" ?disabled=${i === 0} aria-label=${t('form.up', { n: i + 1 })} @click=${() => shift(i, -1)}>${icons.up}</button>
      <button type="button" class="button quiet round" ?disabled=${i === form.options.length - 1} aria-label=${t('form.down', { n: i + 1 })}
        @click=${() => shift(i, 1)}>${icons.down}</button>
      <button type="button" class="button quiet round" aria-label=${t('form.remove', { n: i + 1 })} @click=${() => remove(i)}>${icons.remove}</button>
    </li>`)}</ol>
    ${fault(options, 'options')}
    <p class="row"><button type="button" class="button second" ?disabled=${form.options.length >= OPTIONS_MAX}
      @click=${() => focus(`option-${insert(form.options.length, [''])[0].key}`)}>${icons.add}${t('form.add')}</button></p>
  </fieldset>`;
}

/**
 * Radio buttons, each with a hint.
 * @param {FieldOptions} options @param {'method' | 'results_visibility' | 'voter_policy'} name @param {string[]} values
 */
function choice({ form, changed }, name, values) {
  return html`<fieldset class="field"><legend>${t(`form.${name}`)}</legend>
    <div class="choices">${values.map((value) => html`<label class="choice-card"><input type="radio" class="tick" name=${name} value=${value}
      .checked=${live(form[name] === value)} @change=${() => { Object.assign(form, { [name]: value }); changed(); }}>
      <span><strong>${t(name === 'method' ? `method.${value}` : `form.${name}.${value}`)}</strong><span class="hint">${t(`form.${name}.${value}.hint`)}</span></span></label>`)}</div>
  </fieldset>`;
}

/** @param {FieldOptions} options @param {'revisable' | 'reopenable'} name */
const checkBox = ({ form, changed }, name) => html`<label class="check"><input type="checkbox" class="tick" .checked=${live(form[name])}
  @change=${() => { form[name] = !form[name]; changed(); }}><span>${t(`form.${name}`)}</span></label>`;

/** How many options a ballot can name. @param {FieldOptions} options */
function range(options) {
  const { form, changed } = options;
  const n = Math.max(2, filled(form).length);
  const numbers = Array.from({ length: n }, (_, i) => i + 1);
  return html`<fieldset class="field"><legend>${t('form.range')}</legend>
    <div class="row"><label class="row">${t('form.min')}<select class="input short" @change=${(/** @type {Event} */ event) => { form.min = Number(valueOf(event)); changed(); }}>
        ${numbers.map((i) => html`<option value=${i} ?selected=${i === form.min}>${i}</option>`)}</select></label>
      <label class="row">${t('form.max')}<select class="input short" @change=${(/** @type {Event} */ event) => { form.max = Number(valueOf(event)) || null; changed(); }}>
        ${numbers.map((i) => html`<option value=${i} ?selected=${i === form.max}>${i}</option>`)}
        <option value="" ?selected=${form.max === null}>${t('form.all')}</option></select></label></div>
    ${fault(options, 'min')}</fieldset>`;
}

/** @param {FieldOptions} options @param {'opens' | 'closes'} name */
const timeField = (options, name) => html`<div class="field"><label for=${name}>${t(`form.${name}`)}</label>
  <input class="input" type="datetime-local" id=${name} .value=${live(options.form[name])} aria-describedby="${name}-hint fault-${name}"
    aria-invalid=${Boolean(options.faults[name])}
    @change=${(/** @type {Event} */ event) => { options.form[name] = valueOf(event); options.changed(); }}>
  <p class="hint" id="${name}-hint">${t(`form.${name}.hint`)}</p>${fault(options, name)}</div>`;

/** @param {FieldOptions} options */
export function pollFields(options) {
  const { form, faults, changed, hasOpened } = options;
  return html`
    <div class="field"><label for="title">${t('form.title')}</label>
      <input class="input" id="title" maxlength=${TITLE_MAX} autocomplete="off" .value=${live(form.title)} aria-invalid=${Boolean(faults.title)}
        aria-describedby="fault-title" placeholder=${t('form.title.example')}
        @input=${(/** @type {Event} */ event) => { form.title = valueOf(event); changed(); }}>${fault(options, 'title')}</div>
    <div class="field"><label for="description">${t('form.description')}</label>
      <textarea class="input" id="description" rows="2" maxlength=${TEXT_MAX} .value=${live(form.description)}
        aria-invalid=${Boolean(faults.description)} aria-describedby="fault-description"
        @input=${(/** @type {Event} */ event) => { form.description = valueOf(event); changed(); }}></textarea>${fault(options, 'description')}</div>
    ${hasOpened ? '' : html`${optionFields(options)}
      ${choice(options, 'method', ['plurality', 'approval', 'ranked', 'score'])}
      ${form.method === 'plurality' ? '' : range(options)}`}
    <div class="pair">${hasOpened ? '' : timeField(options, 'opens')}${timeField(options, 'closes')}</div>
    ${choice(options, 'results_visibility', ['always', 'after_vote', 'after_close'])}${fault(options, 'results_visibility')}
    ${hasOpened ? '' : html`${choice(options, 'voter_policy', ['open', 'code'])}${fault(options, 'voter_policy')}
      <div class="stack-small">${checkBox(options, 'revisable')}${checkBox(options, 'reopenable')}</div>`}`;
}

/** Moves the focus to the first field with a fault. @param {Record<string, string>} faults @param {PollForm} form */
export function focusFault(faults, form) {
  const order = ['title', 'description', 'options', 'min', 'opens', 'closes'];
  const first = order.find((name) => name in faults);
  if (!first) return;
  const meant = form.options.find(({ label }) => isForbidden(label)) ?? form.options.find(({ label }) => !label.trim()) ?? form.options[0];
  focus(first === 'options' ? `option-${meant.key}` : first);
}
