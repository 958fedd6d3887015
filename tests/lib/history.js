// The history of a load, in the manner of Jepsen: each ballot is invoked, and then acknowledged, refused or of unknown fate.
// SPDX-License-Identifier: MIT

export const ACKNOWLEDGED = 'acknowledged'; // 202 with a receipt: it must count
export const REFUSED = 'refused'; // the response says that it was not recorded: it must not count
export const UNKNOWN = 'unknown'; // connection lost, time-out, 503 without a reason: it may count, now or later

/** Problem types of a 503 that guarantee that the broker never got the ballot. */
const NEVER_RECORDED = new Set(['/problems/overloaded', '/problems/stream-full']);

/** The fate of a ballot by its response. Without a response, status is undefined and the fate unknown. */
export function fateOf(status, problemType) {
  if (status === 202 || status === 200) return ACKNOWLEDGED;
  if (status === undefined || status < 400) return UNKNOWN;
  if (status < 500) return REFUSED;
  return NEVER_RECORDED.has(problemType) ? REFUSED : UNKNOWN;
}

/** All ballots of a poll's voters. The operations of a voter are in order: each was invoked after the one before had ended. */
export class History {
  constructor(poll) {
    this.poll = poll;
    this.voters = [];
  }

  /** `key` is the voter's uuid in the database, `token` is the token that the client sends. */
  addVoter(key, token) {
    const voter = { key, token, ops: [] };
    this.voters.push(voter);
    return voter;
  }

  static begin(voter, selection) {
    const op = { selection, fate: UNKNOWN, status: undefined, why: 'not answered', receipt: undefined };
    voter.ops.push(op);
    return op;
  }

  count(fate) {
    let n = 0;
    for (const voter of this.voters) for (const op of voter.ops) if (op.fate === fate) n++;
    return n;
  }

  summary() {
    const reasons = {};
    for (const voter of this.voters) {
      for (const op of voter.ops) {
        if (op.fate === ACKNOWLEDGED) continue;
        const reason = `${op.fate}: ${op.status ?? ''} ${op.why ?? ''}`.replace(/ +/g, ' ').trim();
        reasons[reason] = (reasons[reason] ?? 0) + 1;
      }
    }
    return {
      voters: this.voters.length,
      acknowledged: this.count(ACKNOWLEDGED),
      refused: this.count(REFUSED),
      unknown: this.count(UNKNOWN),
      reasons,
    };
  }
}
