// Codes that people type: of a poll, and to vote with. Case, hyphens and look-alikes are forgiven.
// SPDX-License-Identifier: MIT

/**
 * What somebody may have meant who typed this as a poll's code, the likeliest first. Made-up codes have no 0, 1, l and o,
 * so a 1 or l was read from an i; codes that an operator chose may have any of them.
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

/** A voting code as it is printed, XXXX-XXXX-XXXX, as far as it was typed. @param {string} typed */
export function votingCode(typed) {
  const symbols = typed.normalize('NFKC').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1').replace(SYMBOLS, '')
    .slice(0, VOTING_CODE_LENGTH);
  return symbols.replace(/(.{4})(?=.)/g, '$1-');
}

/** Whether nothing is missing. @param {string} code as votingCode() gives it */
export const isWholeVotingCode = (code) => code.replaceAll('-', '').length === VOTING_CODE_LENGTH;
