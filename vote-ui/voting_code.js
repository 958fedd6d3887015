// Poll codes and voting codes that people type. Case, hyphens and similar characters do not matter.
// SPDX-License-Identifier: MIT

/**
 * The poll codes that a typed text can mean, the most likely first. Generated codes have no 0, 1, l or o, so a 1 or l was
 * meant as an i. Codes that an operator chose can have any of these characters.
 * @param {string} typed @returns {string[]}
 */
export function pollCodes(typed) {
  const text = pollCodeIn(typed).normalize('NFKC').trim().toLowerCase().replace(/\s+/g, '');
  const bare = text.replace(/[^a-z0-9]/g, '');
  const guesses = [text.replace(/[^a-z0-9-]/g, ''), bare, bare.replace(/[1l|]/g, 'i'), bare.replace(/0/g, 'o')];
  return [...new Set(guesses)].filter((code) => code.length > 0 && code.length <= 32);
}

/** The code in a pasted link, or the text itself. @param {string} typed */
const pollCodeIn = (typed) => /\/p\/([^/?#\s]+)/.exec(typed)?.[1] ?? typed;

const SYMBOLS = /[^0-9A-HJKMNP-TV-Z]/g; // Crockford's base 32
export const VOTING_CODE_LENGTH = 12;

/** The typed part of a voting code, in the form XXXX-XXXX-XXXX. @param {string} typed */
export function votingCode(typed) {
  const symbols = typed.normalize('NFKC').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1').replace(SYMBOLS, '')
    .slice(0, VOTING_CODE_LENGTH);
  return symbols.replace(/(.{4})(?=.)/g, '$1-');
}

/** @param {string} code from votingCode() */
export const isWholeVotingCode = (code) => code.replaceAll('-', '').length === VOTING_CODE_LENGTH;
