/* poll_form - reads polls from the JSON of requests and writes the JSON of answers. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLL_FORM_H
#define VOTE_API_POLL_FORM_H

#include "ballot/poll_definition.h"
#include "base/json.h"

/* Reads the body of POST /v1/polls into a new poll without id, key and manage token. The caller releases the poll. A
 * ballot may name min_choices to max_choices options: 1 with plurality; else from 1 to the number of options, which is
 * also the default. A ranked poll has at most POLL_RANKED_MAX options. NULL with *err: the body makes no poll. */
struct poll *poll_form_create(const json_t *body, int64_t now_ms, struct json_error *err);

/* Writes the fields that everybody may see. The caller decrefs. */
json_t *poll_form_write(const struct poll *poll, int64_t now_ms);

/* --- for poll_edit, which changes a poll. All return false with *err. */

/* Reads the fields of the body into the poll, without the state. Refuses unknown fields. */
bool poll_form_read(const json_t *body, struct poll *poll, struct json_error *err);
/* Checks that method, options and numbers of choices fit each other. */
bool poll_form_check_method(const json_t *body, const struct poll *poll, struct json_error *err);
/* Checks that the closing time, if there is one, is in the future and after the opening. */
bool poll_form_check_closing(const struct poll *poll, int64_t now_ms, struct json_error *err);
/* Fills *err with the sentence and the pointer to the field. Always returns false. */
bool poll_form_refuse(struct json_error *err, const char *field, const char *sentence);

#endif
