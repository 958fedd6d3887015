/* timelines - reads the turnout of polls over time from the database, for requests that wait for it.
 * SPDX-License-Identifier: MIT
 *
 * A thread with its own database connection reads and folds the timelines. It keeps the timelines that it read last for
 * a second or longer, so that a chart on many screens does not load the database. */
#ifndef SCRUTIN_TIMELINES_H
#define SCRUTIN_TIMELINES_H

#include "ballot/poll_definition.h"
#include "export/timeline.h"
#include "http/http.h"

#define TIMELINES_WAITING_MAX 1000   /* requests; one more is answered 503 */
#define TIMELINES_WAITING_OF_ONE 750 /* requests of one address: three quarters */
#define TIMELINES_BUCKETS_READ 20000 /* of a poll, at most: half a megabyte; 27 hours in steps of 5 s */

enum timeline_format { TIMELINE_JSON, TIMELINE_CSV };

struct timeline_request {
    char poll[POLL_ID_MAX + 1];
    int64_t step_s, buckets_max; /* as timeline_fold takes them */
    enum timeline_format format;
};

struct timelines;

/* On failure, ST_IO: the thread cannot be started. */
MUST_CHECK enum status timelines_open(const char *database_url, struct timelines **out, struct errmsg *err);
void timelines_close(struct timelines *timelines);

/* Reads the timeline, then calls reply on the loop of the request. text is borrowed, and NULL if the database cannot
 * be read. reply must answer the request. Answers 503 itself when too many requests wait. */
void timelines_answer(struct timelines *timelines, struct http_call *call, const struct timeline_request *request,
                      void (*reply)(struct http_call *call, const struct timeline_request *request, const char *text,
                                    size_t len));

#endif
