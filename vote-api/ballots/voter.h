/* voter - who votes: a signed token, in a cookie or in Authorization: Bearer.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_VOTER_H
#define VOTE_API_VOTER_H

#include "ballot/keys.h"
#include "http/http.h"

#define VOTER_COOKIE_NAME "voter_id"
#define VOTER_COOKIE_AGE_S "34560000" /* 400 days, the longest time that browsers keep a cookie */

struct voter {
    uint8_t id[VOTER_ID];
    bool is_new; /* the answer must carry the cookie */
};

/* Identifies the voter by a token in Authorization: Bearer or by the cookie. A token that is forged, cut off or from
 * another instance counts as none, and then the voter is new. Of several cookies, the first one with a valid token
 * counts. Takes the ballot from the known voter's quota, or for a new voter from the address's quota in limit_of_new.
 * Answers 429 and returns false when the quota is used up. */
bool voter_identify_or_refuse(struct http_call *call, const struct keyring *keyring, struct http_limit *limit_of_new,
                              struct voter *voter);
/* Takes a ballot from a known voter's quota. voter: bytes that name the voter in all polls. A voter who cast more than
 * LIMIT_OWN_BALLOTS lately also uses up the address's quota. So a stranger at the same address, with any number of
 * tokens, cannot keep others from voting now and then. Answers 429 and returns false when a quota is used up. */
bool voter_admit_or_refuse(struct http_call *call, const void *voter, size_t len);
/* Adds Set-Cookie with the voter's token to the answer. */
void voter_set_cookie(struct http_call *call, const struct keyring *keyring, const uint8_t id[VOTER_ID]);
/* POST /v1/voters: a token for clients without cookies. */
void voter_handle_create(struct http_call *call);
/* DELETE /v1/voters/me: removes the cookie, which scripts cannot reach, from this browser. Ballots stay. */
void voter_handle_forget(struct http_call *call);

#endif
