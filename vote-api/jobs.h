/* jobs - a thread for what may wait on the broker: reading and writing the bucket of polls.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_JOBS_H
#define VOTE_API_JOBS_H

#include "http.h"

#define JOBS_MAX 256 /* waiting ones; creating polls is rare, and one more is answered 503 */

struct jobs;

struct job {
    void (*run)(struct job *job);  /* on the jobs' thread */
    void (*done)(struct job *job); /* then on the loop's; the job is the caller's again */
    struct http_loop *loop;
    struct job *next;
};

MUST_CHECK enum status jobs_open(struct jobs **out, struct errmsg *err);
/* False when too many wait. */
bool jobs_submit(struct jobs *jobs, struct job *job);

#endif
