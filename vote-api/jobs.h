/* jobs - a thread for work that blocks: reading and writing the buckets.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_JOBS_H
#define VOTE_API_JOBS_H

#include "http/http.h"

#define JOBS_MAX 256 /* jobs that wait; one more is answered 503. Polls change rarely, so this means a slow broker */
#define JOBS_WAIT_MS 5000 /* a job that waited longer is not run: 503 */

struct jobs;

struct job {
    void (*run)(struct job *job);  /* on the jobs' thread; not called when the job is late */
    void (*done)(struct job *job); /* then on the loop; from here on the caller owns the job again */
    struct http_loop *loop;
    bool is_late; /* set before done: the job waited longer than JOBS_WAIT_MS, and run was not called */

    /* private to jobs */
    int64_t since_ms;
    struct job *next;
};

/* Answers 503: too many jobs wait, or this one waited too long. */
void jobs_refuse(struct http_call *call);

/* Starts the thread, which runs as long as the process. ST_IO: no thread. */
MUST_CHECK enum status jobs_open(struct jobs **out, struct errmsg *err);
/* Lends the job until done is called. False: JOBS_MAX jobs wait, and the job is still the caller's. From any thread. */
bool jobs_submit(struct jobs *jobs, struct job *job);

#endif
