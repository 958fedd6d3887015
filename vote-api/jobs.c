/* jobs - one thread, one queue.
 * SPDX-License-Identifier: MIT */
#include "jobs.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdlib.h>

struct jobs {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first, **last;
    unsigned waiting;
};

static void on_job_done(void *arg)
{
    struct job *job = arg;

    job->done(job);
}

static void *jobs_run(void *arg)
{
    struct jobs *jobs = arg;

    for (;;) {
        pthread_mutex_lock(&jobs->lock);
        while (jobs->first == NULL)
            pthread_cond_wait(&jobs->wake, &jobs->lock);
        struct job *job = jobs->first;
        jobs->first = job->next;
        if (jobs->first == NULL)
            jobs->last = &jobs->first;
        jobs->waiting--;
        pthread_mutex_unlock(&jobs->lock);
        job->is_late = clock_mono_ms() - job->since_ms > JOBS_WAIT_MS;
        if (!job->is_late)
            job->run(job);
        http_loop_post(job->loop, on_job_done, job);
    }
    return NULL;
}

enum status jobs_open(struct jobs **out, struct errmsg *err)
{
    struct jobs *jobs = alloc_items(1, sizeof(*jobs));

    *out = NULL;
    jobs->last = &jobs->first;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->wake, NULL);
    if (pthread_create(&jobs->thread, NULL, jobs_run, jobs) != 0) {
        free(jobs);
        return fail(err, ST_IO, "cannot start a thread");
    }
    *out = jobs;
    return ST_OK;
}

void jobs_refuse(struct http_call *call)
{
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Too many polls are being changed. Try again in a second.");
}

bool jobs_submit(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&jobs->lock);
    bool room = jobs->waiting < JOBS_MAX;
    if (room) {
        job->next = NULL;
        job->since_ms = clock_mono_ms();
        *jobs->last = job;
        jobs->last = &job->next;
        jobs->waiting++;
        pthread_cond_signal(&jobs->wake);
    }
    pthread_mutex_unlock(&jobs->lock);
    return room;
}
