/* request_limits - vote-api's limits of requests, from the settings.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_REQUEST_LIMITS_H
#define VOTE_API_REQUEST_LIMITS_H

#include "http/http.h"

/* Of polls and codes, which last, a network gets less times what an address gets than of requests, which pass. */
#define LIMIT_LASTING_NETWORK 2
/* Ballots that a known voter has cast lately and that are nobody's business but his own: whatever others at the address
 * do, these are taken. */
#define LIMIT_OWN_BALLOTS 10

/* An address's. Ballots: those of new voters, who have no cookie, token or voting code. */
extern struct http_limit limit_ballots, limit_classic, limit_revisions, limit_voter_tokens, limit_polls, limit_codes,
    limit_changes, limit_reads, limit_wrong_codes;
/* A voter's. */
extern struct http_limit limit_voter_ballots;

/* How many of all polls, or of all codes, may be in use. max: the setting for all of them. A quarter is kept for those
 * who have an API key. */
size_t limits_share(int64_t max, bool has_key);

extern struct http_limit *const limits_all[];
extern const size_t limits_count;

/* ST_CONFIG names the setting that is not valid. */
MUST_CHECK enum status limits_open(struct errmsg *err);

#endif
