// Waits for conditions. Tests ask repeatedly and never sleep for a guessed time.
// SPDX-License-Identifier: MIT
import { setTimeout as pause } from 'node:timers/promises';

/** Calls `probe` until its result is truthy, and returns the result. An error of the probe means "not yet". */
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

/** The result of `promise`. If it takes too long, an error names `what`. */
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
