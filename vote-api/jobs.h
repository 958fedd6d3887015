/* jobs - a thread for what may wait on the broker: reading and writing the bucket of polls.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_JOBS_H
#define VOTE_API_JOBS_H

#include "http/http.h"

#define JOBS_MAX 256 /* waiting ones; creating polls is rare, and one more is answered 503 */
#define JOBS_WAIT_MS                                                                                                   \
    5000 /* who waited longer, behind a broker that does not answer, is told so and nothing is done                    \
          */

struct jobs;

struct job {
    void (*run)(struct job *job);  /* on the jobs' thread; not where it came too late */
    void (*done)(struct job *job); /* then on the loop's; the job is the caller's again */
    struct http_loop *loop;
    bool is_late; /* filled before done: nothing was run */

    /* the jobs' */
    int64_t since_ms;
    struct job *next;
};

/* Answers who could not be served: too many wait, or this one waited too long. */
void jobs_refuse(struct http_call *call);

MUST_CHECK enum status jobs_open(struct jobs **out, struct errmsg *err);
/* False when too many wait. */
bool jobs_submit(struct jobs *jobs, struct job *job);

#endif
