/* codes - the routes that make and count voting codes.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_CODES_H
#define VOTE_API_CODES_H

#include "http/http.h"

#define CODES_BODY_MAX 256 /* bytes */
/* Codes in one value of the bucket. 160 KB is far below the broker's limit of 1 MB. */
#define CODES_CHUNK 10000

void codes_handle_create(struct http_call *call); /* POST /v1/polls/{poll}/codes */
void codes_handle_count(struct http_call *call);  /* GET /v1/polls/{poll}/codes */

#endif
