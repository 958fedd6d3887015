/* description - the routes that describe the HTTP interface: /openapi.json, /docs and /problems/{problem}.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_DESCRIPTION_H
#define VOTE_API_DESCRIPTION_H

#include "http/http.h"

/* Answers the file that has the path of the route. */
void description_handle_file(struct http_call *call);
/* Redirects to the description of the problem in /docs. A problem's `type` is a URI reference, so it should resolve. */
void description_handle_problem(struct http_call *call);

#endif
