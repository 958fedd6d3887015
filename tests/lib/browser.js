// A real browser: Debian's Chromium, led by Playwright. What a page complains about, or asks of strangers, is kept.
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export class Browser {
  /** Starts one; CHROMIUM names another program than Debian's. */
  static async start() {
    const browser = new Browser();
    // As root Chromium has no sandbox; the other options keep it from asking its maker's servers.
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      timeout: 120_000,
    });
    browser.complaints = [];
    return browser;
  }

  /** A device of its own: no cookie, nothing kept. Options as Playwright's newContext has them. */
  async device(options = {}) {
    // Scripts of a test are not the page's: they pass its policy.
    // Without its service worker, which would answer before a test's routes do; tests of the worker ask for it.
    const context = await this.chromium.newContext({ locale: 'en-GB', viewport: { width: 390, height: 844 }, reducedMotion: 'reduce',
      serviceWorkers: 'block', ...options });
    context.setDefaultTimeout(30_000);
    return context;
  }

  /** A page at an address, on a device of its own unless one is given, when it has what `ready` selects. */
  async open(url, { device, ready = 'html[data-ready]', ...options } = {}) {
    const context = device ?? await this.device(options);
    const page = await context.newPage();
    const origin = new URL(url).hostname;
    page.on('pageerror', (error) => this.complaints.push(`${url}: ${error.stack}`));
    page.on('console', (message) => {
      // Chromium itself notes every answer with an error status; what the page makes of it is for the tests to see.
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

  /** Fails when a page had an error, broke its policy, or asked a third party. */
  assertNoComplaint() {
    assert.deepEqual(this.complaints, []);
  }

  close() {
    return this.chromium?.close();
  }
}

/** Fails with every violation that axe finds (WCAG 2.2 AA and below, and its best practices). */
export async function assertAccessible(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  assert.deepEqual(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ').slice(0, 400)}`), []);
}
