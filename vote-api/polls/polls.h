/* polls - the routes that make, show and change polls.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLLS_H
#define VOTE_API_POLLS_H

#include "http/http.h"

/* Bytes. The largest poll, with four bytes for each character, is 93 KB of JSON. */
#define POLL_BODY_MAX (128 * 1024)

void polls_handle_create(struct http_call *call); /* POST /v1/polls */
void polls_handle_list(struct http_call *call);   /* GET /v1/polls */
void polls_handle_get(struct http_call *call);    /* GET /v1/polls/{poll} */
void polls_handle_patch(struct http_call *call);  /* PATCH /v1/polls/{poll} */
void polls_handle_delete(struct http_call *call); /* DELETE /v1/polls/{poll} */

#endif
