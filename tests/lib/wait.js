// Waiting for conditions: tests poll, they never sleep for a guess.
// SPDX-License-Identifier: MIT
import { setTimeout as pause } from 'node:timers/promises';

/** Asks `probe` until it answers something true, and returns that. An error of the probe counts as "not yet". */
export async function until(what, probe, { timeout = 30_000, every = 25 } = {}) {
  const deadline = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const detail = last instanceof Error ? (last.stack ?? String(last)) : JSON.stringify(last);
      throw new Error(`waited ${timeout} ms in vain until ${what}; last answer: ${detail}`);
    }
    await pause(every);
  }
}

/** The result of `promise`, or an error that says what took too long. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
