/* poll_form - polls as the JSON of requests and answers. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLL_FORM_H
#define VOTE_API_POLL_FORM_H

#include "ballot/poll_definition.h"
#include "base/json.h"

/* Reads the body of POST /v1/polls into a new poll without id, key and manage token. min_choices and max_choices are
 * how many options a ballot may name: 1 to the number of options, by default all that; with plurality 1. A ranked poll
 * has at most POLL_RANKED_MAX options. NULL with *err. */
struct poll *poll_form_create(const json_t *body, int64_t now_ms, struct json_error *err);

/* A poll's public fields; the caller decrefs. */
json_t *poll_form_write(const struct poll *poll, int64_t now_ms);

/* --- for poll_edit, which changes a poll. False with *err. */
/* Reads the fields that the body has, but for the state, into the poll; unknown ones are refused. */
bool poll_form_read(const json_t *body, struct poll *poll, struct json_error *err);
/* Whether method, options and numbers of choices fit each other. */
bool poll_form_check_method(const json_t *body, const struct poll *poll, struct json_error *err);
/* Whether the closing time, if there is one, is still to come and after the opening. */
bool poll_form_check_closing(const struct poll *poll, int64_t now_ms, struct json_error *err);
/* Fills *err with the pointer to the field; always false. */
bool poll_form_refuse(struct json_error *err, const char *field, const char *sentence);

#endif
