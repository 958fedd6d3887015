// A random source with a seed, so that a failed run can be repeated.
// SPDX-License-Identifier: MIT

/** A generator of numbers from 0 to 1, excluding 1 (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed of this run: SEED if it is set, else a new one. It is printed, so that you can set it. */
export function seedOfRun() {
  const seed = process.env.SEED ? Number(process.env.SEED) : Date.now() % 1_000_000_007;
  console.log(`# SEED=${seed}`);
  return seed;
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];
