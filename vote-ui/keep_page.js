// Stores the files of this page, so that sw.js can open the page without a network. A voter who is offline may reload the
// page while a vote waits.
// SPDX-License-Identifier: MIT

const FOLDER = new URL('.', import.meta.url).pathname; // with the files of this version

/** The address of the worker. The policy allows this address only, for browsers that enforce trusted types. */
function workerUrl() {
  const { trustedTypes } = /** @type {any} */ (window);
  return trustedTypes ? trustedTypes.createPolicy('worker', { createScriptURL: () => '/sw.js' }).createScriptURL('') : '/sw.js';
}

/** Stores the files that are loaded so far. The worker adds later ones. Browsers allow this only over HTTPS or on localhost. */
export async function keepPage() {
  if (!('serviceWorker' in navigator)) return;
  try {
    const page = await fetch('/', { cache: 'no-cache' });
    // If the server has a newer version, that version stores itself when it is opened.
    if (!page.ok || !(await page.clone().text()).includes(FOLDER)) return;
    const cache = await caches.open('page');
    const isOurs = (/** @type {string} */ url) => new URL(url).pathname.startsWith(FOLDER);
    const files = [...new Set(performance.getEntriesByType('resource').map(({ name }) => name).filter(isOurs))];
    await Promise.all(files.map(async (url) => {
      const file = await fetch(url);
      // The login page of a public Wi-Fi is an answer to every request.
      if (!file.ok || !file.headers.get('content-type') || file.headers.get('content-type')?.startsWith('text/html')) throw new Error(url);
      await cache.put(url, file);
    }));
    await cache.put('/', page);
    for (const request of await cache.keys()) {
      if (/\/a\//.test(request.url) && !isOurs(request.url)) await cache.delete(request);
    }
    await navigator.serviceWorker.register(workerUrl());
  } catch { /* storage is forbidden or full: the page needs a network */ }
}
