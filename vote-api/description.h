/* description - /openapi.json, /docs and /problems/{problem}: the HTTP interface described, and nothing that polls
 * hold. SPDX-License-Identifier: MIT */
#ifndef VOTE_API_DESCRIPTION_H
#define VOTE_API_DESCRIPTION_H

#include "http/http.h"

/* The file whose path is the route's. */
void description_handle_file(struct http_call *call);
/* Leads to the problem's place in the page: its `type` is a URI reference, so there is something at it. */
void description_handle_problem(struct http_call *call);

#endif
