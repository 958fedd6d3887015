/* exports - answers GET /v1/polls/{poll}/timeline, timeline.csv and ballots.csv.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_EXPORTS_H
#define SCRUTIN_EXPORTS_H

#include "http/http.h"

void exports_answer_timeline_json(struct http_call *call);
void exports_answer_timeline_csv(struct http_call *call);
void exports_answer_ballots(struct http_call *call);

#endif
