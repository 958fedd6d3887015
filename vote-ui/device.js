// Shows what this device keeps. People can remove each vote and each manage link, or everything at once.
// SPDX-License-Identifier: MIT
import { announce } from '../web/announce.js';
import { Problem, ask } from '../web/api.js';
import { forgetStored } from '../web/forget.js';
import { html, repeat } from '../web/html.js';
import { t, time } from '../web/i18n.js';
import { refresh } from '../web/shell.js';
import { storedJson } from '../web/store.js';

/** @typedef {import('./kept_ballot.js').KeptBallot} KeptBallot */

/**
 * What this view shares with the voters' part is passed in: an import would put it into one more file that voters wait for.
 * @param {Pick<typeof import('./outbox.js'), 'drop' | 'keptBallots' | 'keptUntil' | 'onBallots'> & Pick<typeof import('./managed.js'), 'forgetToken' | 'managedPolls'>} kept
 * @returns {import('../web/shell.js').View}
 */
export function deviceView({ drop, forgetToken, keptBallots, keptUntil, managedPolls, onBallots }) {
  const stopListening = onBallots(refresh);
  let asksAgain = ''; // the button that needs a second tap
  let error = '';

  async function forgetAll() {
    for (const { poll } of keptBallots()) drop(poll);
    await forgetStored();
    try {
      await ask('DELETE', '/v1/voters/me'); // removes the cookie, which scripts cannot reach
      location.reload(); // a new page knows nothing
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
      error = t('forget.cookie');
      announce(error);
      refresh();
    }
  }

  /**
   * A button that needs two taps.
   * @param {string} name @param {string} kind @param {string} what the name of its text @param {string} about tells screen readers which of several buttons it is @param {() => void} action
   */
  const twice = (name, kind, what, about, action) => {
    const text = t(asksAgain === name ? `${what}.sure` : what);
    return html`<button type="button" class="button ${kind}" aria-label="${text} ${about}" @click=${() => {
      const isSure = asksAgain === name;
      asksAgain = isSure ? '' : name;
      if (isSure) action();
      else announce(t(`${what}.sure`));
      refresh();
    }} @blur=${() => { if (asksAgain === name) { asksAgain = ''; refresh(); } }}>${text}</button>`;
  };

  /** @param {KeptBallot} ballot */
  function until(ballot) {
    if (ballot.state !== 'sent') return t(ballot.state === 'waiting' ? 'kept.waiting' : 'kept.refused');
    const what = ballot.code ? 'kept.code' : 'kept.receipt';
    const end = keptUntil(ballot);
    const lasting = end ? t(`${what}.until`, { when: time(end) }) : t(what);
    return ballot.selection ? `${lasting} ${t('kept.choice')}` : lasting;
  }

  /** @param {{key: string, title: string, path: string, text: string, remove: () => void}} item */
  const row = ({ key, title, path, text, remove }) => html`<li class="card row kept"><div .style=${'flex: 1 1 16rem; min-width: 0'}>
    <a class="text" href=${path}><strong>${title}</strong></a><p class="small soft">${text}</p></div>${twice(key, 'second', 'kept.remove', title, remove)}</li>`;

  const votes = () => keptBallots().map((ballot) => ({ key: `b${ballot.poll}`, path: `/p/${ballot.poll}`, text: until(ballot),
    title: storedJson(`poll.${ballot.poll}`, { title: ballot.poll }).title, remove: () => drop(ballot.poll) }));
  const links = () => managedPolls().map(({ poll, title }) => ({ key: `m${poll}`, title, path: `/manage/${poll}`, text: t('kept.link'),
    remove: () => forgetToken(poll) }));

  /** @param {string} name @param {ReturnType<typeof votes>} items */
  const list = (name, items) => (items.length ? html`<section class="stack" aria-labelledby=${name}><h2 id=${name}>${t(name)}</h2>
    <ul class="polls">${repeat(items, (item) => item.key, row)}</ul></section>` : '');

  return {
    title: () => t('device.title'),
    render() {
      const waiting = keptBallots().filter((ballot) => ballot.state === 'waiting').length;
      const isEmpty = !keptBallots().length && !managedPolls().length;
      return html`<div class="stack">
        <h1>${t('device.title')}</h1>
        <p class="soft">${t('device.lead')}</p>
        ${isEmpty ? html`<p class="empty">${t('device.none')}</p>` : html`${list('kept.votes', votes())}${list('kept.links', links())}`}
        <section class="stack" aria-labelledby="forget-title"><h2 id="forget-title">${t('forget')}</h2>
          ${waiting ? html`<p class="notice warn">${t('forget.waiting', { n: waiting })}</p>` : ''}
          ${error ? html`<p class="notice bad" role="alert">${error}</p>` : ''}
          <p>${t('forget.text')}</p><p>${twice('all', 'danger', 'forget', '', forgetAll)}</p></section>
      </div>`;
    },
    close: () => stopListening(),
  };
}
