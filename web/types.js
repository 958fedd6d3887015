// The types of the answers of both APIs, as far as the pages use them.
// SPDX-License-Identifier: MIT

/** @typedef {'plurality' | 'approval' | 'ranked' | 'score'} Method */
/** @typedef {'draft' | 'scheduled' | 'open' | 'counting' | 'final' | 'closed'} PollState */
/** @typedef {'always' | 'after_vote' | 'after_close'} Visibility */
/** @typedef {'open' | 'code'} VoterPolicy */
/** @typedef {{id: string, label: string}} Option */
/** @typedef {string[] | Record<string, number>} Selection an array of option ids, or, for method score, a score for each option */

/**
 * @typedef {object} Poll
 * @property {string} id
 * @property {string} title
 * @property {string} description
 * @property {Option[]} options
 * @property {Method} method
 * @property {number} [min_choices]
 * @property {number} [max_choices]
 * @property {boolean} revisable
 * @property {boolean} [reopenable]
 * @property {string | null} opens_at
 * @property {string | null} closes_at
 * @property {PollState} state
 * @property {Visibility} results_visibility
 * @property {VoterPolicy} voter_policy
 * @property {number} [voting_codes] how many were made
 * @property {string} created_at
 * @property {string} [updated_at]
 */

/**
 * @typedef {object} Ledger received = counted + superseded + rejected
 * @property {number} received
 * @property {number} counted
 * @property {number} superseded
 * @property {number} rejected
 * @property {number | null} pending ballots in the stream that no worker has applied; null if this is unknown
 */

/**
 * @typedef {object} OptionResult
 * @property {string} id
 * @property {string} [label]
 * @property {number} count
 * @property {number} [sum]
 * @property {number | null} [mean]
 * @property {number[]} [distribution]
 */

/**
 * @typedef {object} Results
 * @property {Poll} poll
 * @property {PollState} state
 * @property {number} version
 * @property {OptionResult[]} results
 * @property {any} [runoff]
 * @property {number} total
 * @property {Ledger} ledger
 * @property {string} updated_at
 */

export {};
