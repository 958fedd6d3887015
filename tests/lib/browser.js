// Drives a real browser, Debian's Chromium, with Playwright. Keeps a page's complaints and its requests to other hosts.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export class Browser {
  /** Starts a browser. CHROMIUM may name another program than Debian's. */
  static async start() {
    const browser = new Browser();
    // Chromium's sandbox does not work as root. The other options forbid requests to its vendor's servers.
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      timeout: 120_000,
    });
    browser.complaints = [];
    return browser;
  }

  /** Makes a new device, without cookies or storage. The options are those of Playwright's newContext. */
  async device(options = {}) {
    // The scripts of a test must run in spite of the page's policy.
    // The service worker would answer before the routes of a test do. So only tests of the worker have one.
    const context = await this.chromium.newContext({ locale: 'en-GB', viewport: { width: 390, height: 844 }, reducedMotion: 'reduce',
      serviceWorkers: 'block', ...options });
    context.setDefaultTimeout(30_000);
    return context;
  }

  /** Opens a page on a new device, or on the given one. Returns when the page has an element that `ready` selects. */
  async open(url, { device, ready = 'html[data-ready]', ...options } = {}) {
    const context = device ?? await this.device(options);
    const page = await context.newPage();
    const origin = new URL(url).hostname;
    page.on('pageerror', (error) => this.complaints.push(`${url}: ${error.stack}`));
    page.on('console', (message) => {
      // Chromium reports every response with an error status. Other tests check how the page handles those.
      if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) this.complaints.push(`${url}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const asked = new URL(request.url());
      if (/^(https?|wss?):$/.test(asked.protocol) && asked.hostname !== origin) this.complaints.push(`${url} asked ${asked.hostname}`);
      if (/[?&]receipt=|\/receipts\/./.test(asked.href)) this.complaints.push(`${url} sent a receipt in an address, which proxies write down`);
    });
    await page.goto(url);
    await page.waitForSelector(ready);
    return page;
  }

  /** Fails if a page had an error, violated its policy or sent a request to a third party. */
  assertNoComplaint() {
    assert.deepEqual(this.complaints, []);
  }

  close() {
    return this.chromium?.close();
  }
}

/** Fails if axe finds a violation (WCAG 2.2 A and AA, and axe's best practices), and names all of them. */
export async function assertAccessible(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  assert.deepEqual(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ').slice(0, 400)}`), []);
}
