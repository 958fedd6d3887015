// Counts instant-runoff ballot by ballot, without the code of the services.
// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';

const lot = (poll, option) => createHash('sha256').update(`${poll}:${option}`).digest('hex');

/** Decides which of the tied options is eliminated, and by which rule. */
function breakTie(poll, tied, rounds) {
  let left = tied;
  for (let i = rounds.length - 1; i >= 0 && left.length > 1; i--) {
    const fewest = Math.min(...left.map((option) => rounds[i].counts[option]));
    left = left.filter((option) => rounds[i].counts[option] === fewest);
    if (left.length === 1) return [left[0], { between: tied, broken_by: 'earlier_round', round: i + 1 }];
  }
  left = [...left].sort((a, b) => (lot(poll, a) < lot(poll, b) ? -1 : 1));
  return [left[0], { between: tied, broken_by: 'lot' }];
}

/** The winner and all rounds, in the form of a ranked poll's result. */
export function runoff(poll, options, ballots) {
  const rounds = [];
  let inside = [...options];
  for (;;) {
    const counts = Object.fromEntries(inside.map((option) => [option, 0]));
    let exhausted = 0;
    for (const ballot of ballots) {
      const option = ballot.find((one) => inside.includes(one));
      if (option) counts[option]++;
      else exhausted++;
    }
    const round = { round: rounds.length + 1, counts, exhausted, eliminated: [], tie: null };
    const winner = inside.find((option) => 2 * counts[option] > ballots.length - exhausted);
    if (!winner) {
      const fewest = Math.min(...Object.values(counts));
      const tied = inside.filter((option) => counts[option] === fewest);
      if (fewest === 0 || tied.length === 1) {
        round.eliminated = tied;
      } else {
        const [loser, tie] = breakTie(poll, tied, rounds);
        round.eliminated = [loser];
        round.tie = tie;
      }
    }
    rounds.push(round);
    if (winner) return { winner, rounds };
    inside = inside.filter((option) => !round.eliminated.includes(option));
  }
}
