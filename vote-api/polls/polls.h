/* polls - the routes that make, show and change polls.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLLS_H
#define VOTE_API_POLLS_H

#include "http/http.h"
#include "vote_api.h"

/* Bytes: everything at its limit, four bytes a character, as a poll is shown: 93 KB. */
#define POLL_BODY_MAX (128 * 1024)

void polls_handle_create(struct http_call *call); /* POST /v1/polls */
void polls_handle_list(struct http_call *call);   /* GET /v1/polls */
void polls_handle_get(struct http_call *call);    /* GET /v1/polls/{poll} */
void polls_handle_patch(struct http_call *call);  /* PATCH /v1/polls/{poll} */
void polls_handle_delete(struct http_call *call); /* DELETE /v1/polls/{poll} */

/* How much of a limit of all polls together is for one that is made with an API key, or without. */
size_t polls_share(int64_t max, bool with_key);

/* Answers 401 or 403 and returns false unless the request carries the poll's manage token. */
bool polls_check_manager(struct http_call *call, const struct poll *poll);
/* Writes a poll to the bucket over the given revision (0: as a new key) and into the directory. Blocks: not on a loop.
 */
MUST_CHECK enum status polls_store(const struct vote_api *api, const struct poll *poll, uint64_t revision,
                                   struct errmsg *err);

#endif
