// Opens the vote page where the network is dead: hands out what keep_page.js has kept of it. Never touches the API.
// SPDX-License-Identifier: MIT

const WAIT = 3000; // ms that the network has, where there is a copy
const PAGES = /^\/($|p\/|new$|manage\/|receipt$|device$)/;

const worker = /** @type {any} */ (self);
/** @param {RequestInfo} request */
const kept = (request) => caches.match(request, { ignoreVary: true }).catch(() => undefined);

/** A page: from the network, unless that fails or takes too long. @param {Request} request */
async function page(request) {
  const fresh = fetch(request);
  const copy = await kept('/');
  if (!copy) return fresh;
  return Promise.race([
    fresh.then((response) => (response.status < 500 ? response : copy), () => copy),
    new Promise((done) => { setTimeout(done, WAIT, copy); }),
  ]);
}

/** A file whose path has the hash of all of them: one of that path never changes. @param {Request} request */
async function file(request) {
  const copy = await kept(request);
  if (copy) return copy;
  const response = await fetch(request);
  const keep = response.clone();
  if (isOurs(response)) caches.open('page').then((cache) => cache.put(request, keep)).catch(() => {});
  return response;
}

/** Whether it is what the path says: an open Wi-Fi answers 200 and its own page to everything, and that would stay. @param {Response} response */
const isOurs = (response) => response.ok && !response.redirected
  && !(response.headers.get('content-type') ?? 'text/html').startsWith('text/html');

// It has no files of its own and knows no version: whichever worker is the newest may serve every open page.
worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname.startsWith('/a/')) event.respondWith(file(request));
  else if (request.mode === 'navigate' && PAGES.test(pathname)) event.respondWith(page(request));
});
