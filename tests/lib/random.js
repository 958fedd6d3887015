// A seeded random source, so that a failing run can be run again.
// SPDX-License-Identifier: MIT

/** Numbers in 0..1 from a seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed of this run: SEED, or one of the moment; it is printed so that it can be given again. */
export function seedOfRun() {
  const seed = process.env.SEED ? Number(process.env.SEED) : Date.now() % 1_000_000_007;
  console.log(`# SEED=${seed}`);
  return seed;
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];
