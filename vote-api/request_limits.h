/* request_limits - the limits of requests, from the settings.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_REQUEST_LIMITS_H
#define VOTE_API_REQUEST_LIMITS_H

#include "http/http.h"

/* A network gets this many times the quota of an address for polls and codes. It is less than for other requests
 * (HTTP_LIMIT_NETWORK), because polls and codes stay. */
#define LIMIT_LASTING_NETWORK 2
/* A known voter can always cast this many ballots at once, even when others have used up the quota of the address. */
#define LIMIT_OWN_BALLOTS 10

/* Limits of an address. limit_ballots is for new voters, who have no cookie, token or voting code. */
extern struct http_limit limit_ballots, limit_classic, limit_revisions, limit_voter_tokens, limit_polls, limit_codes,
    limit_changes, limit_reads, limit_wrong_codes;
/* The limit of a voter. */
extern struct http_limit limit_voter_ballots;

/* How many polls, or codes, may be in use for this request. max: the setting for all of them. The last quarter is kept
 * for requests with an API key. */
size_t limits_share(int64_t max, bool has_key);

/* All of them, for their metrics. */
extern struct http_limit *const limits_all[];
extern const size_t limits_count;

/* Reads the limits from the settings. ST_CONFIG: the error names the setting. */
MUST_CHECK enum status limits_open(struct errmsg *err);

#endif
