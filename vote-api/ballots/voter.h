/* voter - who is voting: a signed cookie, or the same token as a bearer.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_VOTER_H
#define VOTE_API_VOTER_H

#include "ballot/keys.h"
#include "http/http.h"

#define VOTER_COOKIE_NAME "voter_id"
#define VOTER_COOKIE_AGE_S "34560000" /* 400 days, the longest that browsers keep one */

struct voter {
    uint8_t id[VOTER_ID];
    bool is_new; /* the answer must carry the cookie */
};

/* A forged, truncated or foreign token counts as none: the voter is a new one. Of several cookies a good one counts. */
struct voter voter_identify(const struct http_call *call, const struct keyring *ring);
/* Takes a ballot from a known voter's own quota, or of a new one from the address's in `of_new`. Answers and returns
 * false when there is none left. */
bool voter_admit(struct http_call *call, const struct voter *voter, struct http_limit *of_new);
/* Adds Set-Cookie to the answer. */
void voter_set_cookie(struct http_call *call, const struct keyring *ring, const uint8_t id[VOTER_ID]);
/* POST /v1/voters: a token for clients without cookies. */
void voter_handle_create(struct http_call *call);
/* DELETE /v1/voters/me: takes the cookie, which no script can reach, away from this browser. Ballots stay. */
void voter_handle_forget(struct http_call *call);

#endif
