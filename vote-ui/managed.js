// The polls that this device can manage, and their tokens.
// SPDX-License-Identifier: MIT
import { storeJson, storedJson } from '../web/store.js';

/** @typedef {{token: string, title: string, at: number}} Managed */

/** @returns {Record<string, Managed>} */
const all = () => storedJson('managed', {});

/** @param {string} poll @returns {string | undefined} */
export const manageToken = (poll) => all()[poll]?.token;

/** @param {string} poll @param {string} token @param {string} [title] */
export function keepToken(poll, token, title) {
  const polls = all();
  polls[poll] = { token, title: title ?? polls[poll]?.title ?? poll, at: polls[poll]?.at ?? Date.now() };
  storeJson('managed', polls);
}

/** @param {string} poll */
export function forgetToken(poll) {
  const { [poll]: _, ...others } = all();
  storeJson('managed', others);
}

/** The newest first. @returns {(Managed & {poll: string})[]} */
export const managedPolls = () => Object.entries(all()).map(([poll, managed]) => ({ poll, ...managed }))
  .sort((a, b) => b.at - a.at);
