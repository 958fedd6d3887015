/* results - answers GET /v1/polls/{poll}/results: as JSON, as a file of JSON or CSV, and as an event stream.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_RESULTS_H
#define SCRUTIN_RESULTS_H

#include "http/http.h"

void results_answer_json(struct http_call *call);
void results_answer_json_file(struct http_call *call);
void results_answer_csv(struct http_call *call);
void results_answer_stream(struct http_call *call);

#endif
