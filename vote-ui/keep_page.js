// Keeps the page's own files, for sw.js to open it again without a network: somebody may reload while a ballot waits.
// SPDX-License-Identifier: MIT

const FOLDER = new URL('.', import.meta.url).pathname; // of this version's files

/** The name of our worker as a browser that enforces trusted types wants it: a policy that says nothing else. */
function workerUrl() {
  const { trustedTypes } = /** @type {any} */ (window);
  return trustedTypes ? trustedTypes.createPolicy('worker', { createScriptURL: () => '/sw.js' }).createScriptURL('') : '/sw.js';
}

/** What is loaded so far; the worker adds what is loaded later. Only where the address is https, or this machine. */
export async function keepPage() {
  if (!('serviceWorker' in navigator)) return;
  try {
    const page = await fetch('/', { cache: 'no-cache' });
    // A newer version, which this page's files do not belong to, keeps itself when it is opened.
    if (!page.ok || !(await page.clone().text()).includes(FOLDER)) return;
    const cache = await caches.open('page');
    const isOurs = (/** @type {string} */ url) => new URL(url).pathname.startsWith(FOLDER);
    const files = [...new Set(performance.getEntriesByType('resource').map(({ name }) => name).filter(isOurs))];
    await Promise.all(files.map(async (url) => {
      const file = await fetch(url);
      // An open Wi-Fi answers its own page to everything.
      if (!file.ok || !file.headers.get('content-type') || file.headers.get('content-type')?.startsWith('text/html')) throw new Error(url);
      await cache.put(url, file);
    }));
    await cache.put('/', page);
    for (const request of await cache.keys()) {
      if (/\/a\//.test(request.url) && !isOurs(request.url)) await cache.delete(request);
    }
    await navigator.serviceWorker.register(workerUrl());
  } catch { /* forbidden, or no room: then the page needs a network */ }
}
