/* request_limits - vote-api's limits of requests, from the settings.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_REQUEST_LIMITS_H
#define VOTE_API_REQUEST_LIMITS_H

#include "http.h"
#include "poll.h"

extern struct http_limit limit_ballots, limit_voter_tokens, limit_polls, limit_changes, limit_reads,
    limit_wrong_codes;                        /* an address's */
extern struct http_limit limit_voter_ballots; /* a voter's */

extern struct http_limit *const limits_all[];
extern const size_t limits_count;

/* ST_CONFIG names the setting that is not valid. */
MUST_CHECK enum status limits_open(struct errmsg *err);
/* Takes a ballot of a voter whom we knew before: somebody new has all of it left. Answers and returns false when the
 * voter has none. voter: as the database has it, a hash under the poll's key. */
bool limits_admit_voter(struct http_call *call, const uint8_t voter[VOTER_HASH]);

#endif
