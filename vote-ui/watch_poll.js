// Keeps a poll up to date while somebody looks at it. It reads the poll regularly, and when the poll opens or closes.
// SPDX-License-Identifier: MIT
import { Problem, ask, backOff } from '../web/api.js';
import { now } from '../web/clock.js';

const EVERY = 12_000; // ms on average; a random part spreads the requests of a hall

/** @typedef {import('../web/types.js').Poll} Poll */

/** ms until the poll opens or closes. @param {Poll} poll */
function untilTurn(poll) {
  const times = [poll.opens_at, poll.closes_at].map((at) => (at ? Date.parse(at) - now() : -1)).filter((ms) => ms > 0);
  return Math.min(Infinity, ...times);
}

/**
 * @param {string} code @param {(poll: Poll) => void} onPoll @param {(problem: Problem) => void} onProblem
 */
export function watchPoll(code, onPoll, onProblem) {
  let timer = 0;
  let tries = 0;
  let isOver = false;
  /** @type {Poll | undefined} */
  let poll;

  async function look() {
    clearTimeout(timer);
    let wait = EVERY * (0.75 + Math.random() / 2);
    try {
      poll = /** @type {Poll} */ (await ask('GET', `/v1/polls/${encodeURIComponent(code)}`));
      tries = 0;
      if (isOver) return;
      onPoll(poll);
      wait = Math.min(wait, untilTurn(poll) + 100 + Math.random() * 900);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (isOver) return;
      onProblem(error);
      if (!error.isPassing) return;
      wait = backOff(++tries, error.retryAfter);
    }
    clearTimeout(timer);
    timer = window.setTimeout(look, document.hidden ? wait * 5 : wait);
  }
  const wake = () => {
    if (!document.hidden) look();
  };
  document.addEventListener('visibilitychange', wake);
  addEventListener('online', wake);
  look();
  return {
    look,
    close() {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
      removeEventListener('online', wake);
    },
  };
}
