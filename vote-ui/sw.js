// Opens the vote page without a network, from the files that keep_page.js has stored. It never answers for the API.
// SPDX-License-Identifier: MIT

const WAIT = 3000; // ms; after that a stored copy is used
const PAGES = /^\/($|p\/|new$|manage\/|receipt$|device$)/;

const worker = /** @type {any} */ (self);
/** @param {RequestInfo} request */
const kept = (request) => caches.match(request, { ignoreVary: true }).catch(() => undefined);

/** Gets a page from the network, unless that fails or takes too long. @param {Request} request */
async function page(request) {
  const fresh = fetch(request);
  const copy = await kept('/');
  if (!copy) return fresh;
  return Promise.race([
    fresh.then((response) => (response.status < 500 ? response : copy), () => copy),
    new Promise((done) => { setTimeout(done, WAIT, copy); }),
  ]);
}

/** Gets a file. It never changes, because its path has a hash of all files. @param {Request} request */
async function file(request) {
  const copy = await kept(request);
  if (copy) return copy;
  const response = await fetch(request);
  const keep = response.clone();
  if (isOurs(response)) caches.open('page').then((cache) => cache.put(request, keep)).catch(() => {});
  return response;
}

/** Whether the answer is the file. A public Wi-Fi may answer every request with 200 and its login page. @param {Response} response */
const isOurs = (response) => response.ok && !response.redirected
  && !(response.headers.get('content-type') ?? 'text/html').startsWith('text/html');

// The worker belongs to no version of the files, so the newest worker can serve every open page.
worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname.startsWith('/a/')) event.respondWith(file(request));
  else if (request.mode === 'navigate' && PAGES.test(pathname)) event.respondWith(page(request));
});
