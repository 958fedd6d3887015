// Reads an event stream with fetch. Unlike EventSource, fetch can send a token, and tells why a request was refused.
// SPDX-License-Identifier: MIT
//
// Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
import { Problem, backOff, pause, send } from '../web/api.js';

const SILENCE = 45_000; // ms; the server sends at least a heartbeat every 15 s
const STALE = 20_000; // ms; the limit when a laptop was just opened, or the network came back
const LOOK_EVERY = 5000; // ms
const HIDDEN_AGAIN = 10_000; // ms until the next try, if the results are hidden
const WITHOUT_LIMIT = 2 ** 31 - 1;

/**
 * @typedef {object} Listener
 * @property {(id: string, data: string) => void} onEvent
 * @property {() => void} onOpen
 * @property {(problem: Problem) => void} onProblem the stream broke or was refused; it is tried again unless there is no such poll
 */

/** Returns a function that takes the stream piece by piece and finds the events. @param {(id: string, data: string) => void} onEvent */
export function eventParser(onEvent) {
  let rest = '', id = '', data = /** @type {string[]} */ ([]);
  return (/** @type {string} */ text) => {
    const lines = (rest + text).split('\n');
    rest = /** @type {string} */ (lines.pop());
    for (const line of lines) {
      if (line === '') {
        if (data.length) onEvent(id, data.join('\n'));
        data = [];
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5));
      } else if (line.startsWith('id:')) {
        id = line.slice(3).trim();
      }
    }
  };
}

/** Reads one connection until it ends. @param {Response} response @param {(text: string) => void} parse @param {() => void} alive */
async function read(response, parse, alive) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    parse(decoder.decode(value, { stream: true }));
  }
}

/**
 * Reads a stream until it is stopped, and resumes after the last event. Returns a function that stops it.
 * @param {string} path @param {Record<string, string>} headers @param {Listener} listener
 */
export function follow(path, headers, listener) {
  const stop = new AbortController();
  let lastId = '', failures = 0;
  let nudge = new AbortController(); // ends a pause early
  let heardAt = 0; // ms since 1970
  let cutStale = () => {};
  const isSilent = (/** @type {number} */ ms) => Math.abs(Date.now() - heardAt) > ms;

  const once = async () => {
    const connection = new AbortController();
    const cut = () => connection.abort();
    const alive = () => { heardAt = Date.now(); };
    alive();
    // This compares Date.now(), because timers stand still while a laptop sleeps.
    const silence = setInterval(() => isSilent(SILENCE) && cut(), LOOK_EVERY);
    cutStale = () => isSilent(STALE) && cut();
    stop.signal.addEventListener('abort', cut);
    try {
      const response = await send('GET', path, {
        headers: { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }), ...headers },
        signal: connection.signal,
        timeout: WITHOUT_LIMIT,
      });
      failures = 0;
      listener.onOpen();
      await read(response, eventParser((id, data) => {
        lastId = id || lastId;
        listener.onEvent(id, data);
      }), alive);
    } finally {
      clearInterval(silence);
      stop.signal.removeEventListener('abort', cut);
    }
  };

  const run = async () => {
    while (!stop.signal.aborted) {
      let problem = new Problem('offline', 0);
      try {
        await once();
      } catch (error) {
        if (error instanceof Problem) problem = error;
      }
      if (stop.signal.aborted) return;
      listener.onProblem(problem);
      if (problem.status === 404) return;
      failures++;
      nudge = new AbortController();
      await pause(problem.isPassing ? backOff(Math.min(failures, 4), problem.retryAfter) : HIDDEN_AGAIN, nudge.signal);
    }
  };

  const hurry = () => {
    nudge.abort();
    cutStale();
  };
  addEventListener('online', hurry);
  document.addEventListener('visibilitychange', hurry);
  run();
  return () => {
    removeEventListener('online', hurry);
    document.removeEventListener('visibilitychange', hurry);
    stop.abort();
    nudge.abort();
  };
}
