// The frame of both pages: the header with language and theme, the routes, and the view between header and footer.
// SPDX-License-Identifier: MIT
import { announce } from './announce.js';
import { html, render } from './html.js';
import { LANGUAGES, addLanguage, currentLanguage, setLanguage, t } from './i18n.js';
import { currentTheme, nextTheme, startTheme } from './theme.js';

/** @typedef {import('./html.js').TemplateResult} TemplateResult */

/**
 * @typedef {object} View the content between header and footer
 * @property {() => string} title of the browser's tab; it can change
 * @property {() => TemplateResult} render
 * @property {() => void} [close] stops timers and streams when another view opens
 * @property {boolean} [isBare] without header and footer, for a big screen
 */

/** @typedef {(params: Record<string, string>) => View} ViewMaker */

/**
 * @typedef {object} ShellOptions
 * @property {Parameters<typeof addLanguage>[0]} languages
 * @property {[string, ViewMaker][]} routes patterns such as `/p/:code`, and their views
 * @property {ViewMaker} notFound
 * @property {() => TemplateResult} [nav] links in the header
 * @property {() => TemplateResult} [footer]
 */

/** @type {ShellOptions} */
let options;
/** @type {View | undefined} */
let view;
let isDue = false;

// --- drawing

function draw() {
  isDue = false;
  if (!view) return;
  document.title = `${view.title()} · Scrutin`;
  document.body.classList.toggle('bare', Boolean(view.isBare));
  render(page(view), /** @type {HTMLElement} */ (document.getElementById('page')));
}

/** Draws the page again, soon. Call it after every change of something that the page shows. */
export function refresh() {
  if (isDue || !view) return;
  isDue = true;
  queueMicrotask(draw);
}

const logo = html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><path class="slip" d="M9 3h14v15H9z"/>
  <path class="mark" d="m12.5 10 3 3 5-6"/><path class="box" d="M3 16h4v3h18v-3h4v13H3z"/></svg>`;

/** @param {import('./i18n.js').Language} language */
const languageSwitch = (language) => html`<button class="switch" lang=${language} type="button"
  aria-pressed=${currentLanguage() === language} title=${{ en: 'English', fr: 'Français' }[language]}
  @click=${() => setLanguage(language).then(refresh, () => announce(t('problem.offline')))}>${language.toUpperCase()}</button>`;

const themeSwitch = () => html`<button class="switch" type="button" title=${t(`theme.${currentTheme()}`)}
  aria-label=${t('theme.label', { theme: t(`theme.${currentTheme()}`) })}
  @click=${() => { nextTheme(); announce(t(`theme.${currentTheme()}`)); refresh(); }}>${icons[currentTheme()]()}</button>`;

/** Each template has its own svg element, because shapes outside one would be unknown HTML elements. @type {Record<string, () => TemplateResult>} */
const icons = {
  auto: () => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 0 0 0 18z"/><circle cx="12" cy="12" r="9" class="line"/></svg>`,
  light: () => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="4.5"/><path class="line" d="M12 2v3m0 14v3M2 12h3m14 0h3M5 5l2 2m10 10 2 2M5 19l2-2M17 7l2-2"/></svg>`,
  dark: () => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z"/></svg>`,
};

/** @param {View} view */
function page(view) {
  if (view.isBare) return html`<main id="main" tabindex="-1">${view.render()}</main>`;
  return html`
    <a class="skip" href="#main">${t('skip')}</a>
    <header class="top">
      <a class="brand" href="/">${logo}<span>Scrutin</span></a>
      ${options.nav ? html`<nav aria-label=${t('nav')}>${options.nav()}</nav>` : ''}
      <div class="switches" role="group" aria-label=${t('switches')}>${LANGUAGES.map(languageSwitch)}${themeSwitch()}</div>
    </header>
    <main id="main" tabindex="-1">${view.render()}</main>
    <footer class="bottom">${options.footer?.()}</footer>`;
}

// --- routes

/**
 * A part of the page that is loaded when it is needed. Its code and its texts are loaded at the same time, because a
 * request that waits for another one costs half a second on a crowded network.
 * @template T @param {() => Promise<T>} code @param {Parameters<typeof addLanguage>[0]} languages
 */
export function partOf(code, languages) {
  /** @type {Promise<T> | undefined} */
  let part;
  return () => (part ??= Promise.all([code(), addLanguage(languages)]).then(([loaded]) => loaded, (error) => {
    part = undefined; // the network may be back the next time
    throw error;
  }));
}

/**
 * A view whose code is loaded when it opens.
 * @param {() => Promise<ViewMaker>} load @returns {ViewMaker}
 */
export const lazyView = (load) => (params) => {
  /** @type {View | undefined} */
  let inner;
  let isClosed = false;
  let isMissing = false;
  load().then((make) => {
    if (isClosed) return;
    inner = make(params);
    refresh();
  }, () => {
    isMissing = true;
    refresh();
  });
  return {
    title: () => inner?.title() ?? t('loading'),
    render: () => inner?.render() ?? html`<div class="waiting"><p>${isMissing ? t('problem.offline') : t('loading')}</p>
      ${isMissing ? html`<p><button class="button" @click=${() => location.reload()}>${t('retry')}</button></p>` : ''}</div>`,
    close() {
      isClosed = true;
      inner?.close?.();
    },
  };
};

/** The values of a pattern's :names in a path. Null if the path does not match. @param {string} pattern @param {string} path */
export function matchPath(pattern, path) {
  const wanted = pattern.split('/');
  const given = path.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith(':') && given[i]) params[part.slice(1)] = decode(given[i]);
    else if (part !== given[i]) return null;
  }
  return params;
}

/** Decodes a part of an address. A part that was cut off in the middle of a character stays as it is. @param {string} part */
export function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function open() {
  view?.close?.();
  for (const [pattern, make] of options.routes) {
    const params = matchPath(pattern, location.pathname);
    if (params) {
      view = make(params);
      return;
    }
  }
  view = options.notFound({});
}

/** Opens a path of this page. @param {string} path @param {{replace?: boolean}} [how] */
export function go(path, { replace = false } = {}) {
  const url = new URL(path, location.href);
  const lang = new URLSearchParams(location.search).get('lang');
  if (lang && !url.searchParams.has('lang')) url.searchParams.set('lang', lang);
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  open();
  draw();
  scrollTo(0, 0);
  focusHeading();
}

/** Lets the keyboard and screen readers begin at the start of the new view. */
export function focusHeading() {
  const heading = /** @type {HTMLElement | null} */ (document.querySelector('main h1') ?? document.getElementById('main'));
  if (heading && !heading.hasAttribute('tabindex')) heading.tabIndex = -1;
  heading?.focus({ preventScroll: true });
}

/** @param {MouseEvent} event */
function onClick(event) {
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0 || event.metaKey
    || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute('download') || link.rel === 'external'
    || link.origin !== location.origin) return;
  event.preventDefault();
  // A link to a place on this page must not open the view again: that would clear a choice that was not submitted.
  if (link.getAttribute('href')?.startsWith('#')) document.getElementById(link.hash.slice(1))?.focus();
  else go(link.href);
}

/** Starts the page. @param {ShellOptions} given */
export async function startShell(given) {
  options = given;
  startTheme();
  await addLanguage(options.languages);
  open();
  document.addEventListener('click', onClick);
  addEventListener('popstate', () => {
    open();
    draw();
    focusHeading();
  });
  draw();
  document.documentElement.dataset.ready = '';
}
