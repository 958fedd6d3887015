// Removes everything that this page keeps in the browser: values, copies of its files, and its service worker.
// SPDX-License-Identifier: MIT

const PREFIX = 'scrutin.'; // as in store.js

/** @param {() => Storage} area */
function clear(area) {
  try {
    for (const key of Object.keys(area())) if (key.startsWith(PREFIX)) area().removeItem(key);
  } catch { /* the browser forbids storage, so there is nothing to remove */ }
}

/** Values in memory remain until the page is loaded again. */
export async function forgetStored() {
  clear(() => localStorage);
  clear(() => sessionStorage);
  try {
    for (const name of await caches.keys()) await caches.delete(name);
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  } catch { /* plain HTTP has neither caches nor workers */ }
}
