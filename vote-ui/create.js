// Creates a poll: the form, and a preview of what voters will see.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem, ask } from '../web/api.js';
import { now } from '../web/clock.js';
import { html } from '../web/html.js';
import { t } from '../web/i18n.js';
import { go, refresh } from '../web/shell.js';
import { ballot } from './ballot.js';
import { draftOf, prune } from './draft.js';
import { keepToken } from './managed.js';
import { focusFault, pollFields } from './poll_fields.js';
import { bodyOf, faults, fieldAt, formOf, previewOf } from './poll_form.js';
import { rules } from './rules.js';

let apiKey = ''; // never stored

/** @returns {import('../web/shell.js').View} */
export function createView() {
  const form = formOf();
  const draft = draftOf(); // the choices in the preview
  let hasTried = false;
  let isSending = false;
  let needsKey = false;
  let error = '';
  /** @type {Record<string, string>} faults that the server found, by field */
  let refused = {};

  /** @param {Event & {submitter?: HTMLElement | null}} event */
  async function submit(event) {
    event.preventDefault();
    hasTried = true;
    refused = {};
    error = '';
    const found = faults(form, now());
    if (Object.keys(found).length || isSending) {
      announce(t(Object.values(found)[0] ?? 'loading'));
      focusFault(found, form);
      refresh();
      return;
    }
    isSending = true;
    refresh();
    const state = event.submitter?.id === 'save-draft' ? { state: 'draft' } : {};
    try {
      const poll = await ask('POST', '/v1/polls', { body: { ...bodyOf(form), ...state }, token: needsKey ? apiKey : undefined });
      keepToken(poll.id, poll.manage_token, poll.title);
      go(`/manage/${poll.id}`);
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
      isSending = false;
      if (met.slug === 'unauthorized') {
        needsKey = true;
        error = t('form.key.needed');
      } else {
        error = met.sentence;
        if (met.pointer) refused = { [fieldAt(met.pointer)]: met.sentence };
      }
      announce(error);
      focusFault(refused, form);
      refresh();
    }
  }

  const changed = () => {
    refused = {};
    refresh();
  };

  function preview() {
    const poll = previewOf(form);
    prune(poll, draft);
    return html`<aside class="preview" aria-labelledby="preview-title"><p class="label soft small" id="preview-title">${t('form.preview')}</p>
      <div class="phone stack poll">
        <h2 class="text">${poll.title || t('form.title.example')}</h2>
        ${poll.description ? html`<p class="text soft">${poll.description}</p>` : ''}
        ${rules(poll)}
        ${poll.options.length ? ballot({ poll, draft, changed: refresh, cast: () => announce(t('form.preview.cast')), isPreview: true })
      : html`<p class="empty small">${t('form.preview.empty')}</p>`}
      </div></aside>`;
  }

  return {
    title: () => t('create'),
    render: () => html`<div class="create wide">
      <form class="stack" novalidate @submit=${submit}>
        <h1>${t('create')}</h1>
        ${pollFields({ form, faults: { ...(hasTried ? faults(form, now()) : {}), ...refused }, changed })}
        ${needsKey ? html`<div class="field"><label for="api-key">${t('form.key')}</label>
          <input class="input mono" id="api-key" type="password" autocomplete="off" @input=${(/** @type {Event} */ event) => { apiKey = /** @type {HTMLInputElement} */ (event.target).value.trim(); }}></div>` : ''}
        ${error ? html`<p class="notice bad" role="alert">${error}</p>` : ''}
        <div class="actions">
          <button class="button" aria-disabled=${isSending}>${t(form.opens ? 'form.create.later' : 'form.create.now')}</button>
          <button class="button second" id="save-draft" aria-disabled=${isSending}>${t('form.create.draft')}</button></div>
      </form>
      ${preview()}
    </div>`,
  };
}
