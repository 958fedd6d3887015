/* poll_form - polls as the JSON of requests and answers. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLL_FORM_H
#define VOTE_API_POLL_FORM_H

#include "json.h"
#include "poll.h"

/* Reads the body of POST /v1/polls into a new poll without id, key and manage token. min_choices and max_choices are
 * how many options a ballot may name: 1 to the number of options, by default all that; with plurality 1. A ranked poll
 * has at most POLL_RANKED_MAX options. NULL with *err. */
struct poll *poll_form_create(const json_t *body, int64_t now_ms, struct json_error *err);

/* Applies the body of PATCH to a copy of the poll: title, description, opens_at, closes_at, and state "closed". What
 * people may have voted on (options, method, min_choices, max_choices, revisable) stays. NULL with *err. */
struct poll *poll_form_patch(const struct poll *old, const json_t *body, int64_t now_ms, struct json_error *err);

/* A poll's public fields; the caller decrefs. */
json_t *poll_form_write(const struct poll *poll, int64_t now_ms);

#endif
