/* refusals - answers to requests that several routes refuse for the same reason.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_REFUSALS_H
#define VOTE_API_REFUSALS_H

#include "ballot/poll_definition.h"
#include "http/http.h"

/* Answers 401 or 403 and returns true unless the request carries the poll's manage token. */
bool refuse_unless_manager(struct http_call *call, const struct poll *poll);
/* Answers 503: SECRET_KEYS lacks the key that hashes this poll's voters. */
void refuse_missing_key(struct http_call *call);
/* Logs and answers 500. what: "ballot", "poll" or "codes", for the log. Either what this request was about to store for
 * the poll could not be read back, or the bucket's value cannot be read. Nothing was stored. */
void refuse_unreadable(struct http_call *call, const char *what, const char *poll, const char *reason);

#endif
