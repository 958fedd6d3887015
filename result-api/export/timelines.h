/* timelines - GET /v1/polls/{poll}/timeline and timeline.csv: turnout over time.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_TIMELINES_H
#define SCRUTIN_TIMELINES_H

#include "http/http.h"

#define TIMELINES_WAITING_MAX 1000   /* requests; one more is answered 503 */
#define TIMELINES_WAITING_OF_ONE 750 /* of them, of one address: three quarters */
#define TIMELINES_BUCKETS_READ 20000 /* of a poll, at most: half a megabyte; 27 hours in steps of 5 s */

struct timelines;

MUST_CHECK enum status timelines_open(const char *database_url, struct timelines **out, struct errmsg *err);
void timelines_close(struct timelines *timelines);

void timelines_handle_json(struct http_call *call);
void timelines_handle_csv(struct http_call *call);

#endif
