// Forgets all that this page has kept in the browser: values, copies of the page's files, the worker that hands them out.
// SPDX-License-Identifier: MIT

const PREFIX = 'scrutin.'; // as in store.js

/** @param {() => Storage} area */
function clear(area) {
  try {
    for (const key of Object.keys(area())) if (key.startsWith(PREFIX)) area().removeItem(key);
  } catch { /* forbidden: nothing was kept there */ }
}

/** What lasts as long as the page goes when it is loaded anew. */
export async function forgetStored() {
  clear(() => localStorage);
  clear(() => sessionStorage);
  try {
    for (const name of await caches.keys()) await caches.delete(name);
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  } catch { /* on plain HTTP there are none */ }
}
