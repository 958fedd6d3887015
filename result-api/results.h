/* results - GET /v1/polls/{poll}/results, as JSON, as files and as a stream of events.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_RESULTS_H
#define SCRUTIN_RESULTS_H

#include "http/http.h"

/* So that a browser keeps the answer as a file: named POLL-name. */
void results_add_file_name(struct http_call *call, const char *poll, const char *name);

void results_handle_json(struct http_call *call);
void results_handle_json_file(struct http_call *call);
void results_handle_csv(struct http_call *call);
void results_handle_stream(struct http_call *call);

#endif
