// What every test of the pages needs: one instance, one browser, and the steps that most tests take.
// SPDX-License-Identifier: MIT
import { after, before } from 'node:test';
import { Browser } from './browser.js';
import { Instance } from './instance.js';

export let instance;
export let browser;

/** Starts both before the tests of a file, then calls `prepare`. Stops both after the tests. */
export function usePages(prepare) {
  before(async () => {
    [instance, browser] = await Promise.all([Instance.start({ workers: 1 }), Browser.start()]);
    await prepare?.();
  });
  after(async () => {
    await browser?.close();
    await instance?.stop();
  });
}

/** Opens a path of the vote page. Options as in Browser.open(). */
export const openVote = (path, options) => browser.open(instance.votePage + path, options);

/** Waits until the page shows a text. */
export const sees = (page, text) => page.getByText(text).first().waitFor();

export const counted = (page) => sees(page, 'Your vote has been counted. Thank you!');
