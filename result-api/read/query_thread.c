/* query_thread - a queue, a thread, a connection.
 * SPDX-License-Identifier: MIT */
#include "read/query_thread.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>

#define RETRY_MS 1000 /* before it connects again; until then jobs fail at once */

struct query_thread {
    const char *name;
    pthread_t id;
    pthread_mutex_t lock; /* guards jobs and stopped */
    pthread_cond_t added;
    struct fair_queue jobs;
    bool stopped;
    struct result_db *db;
    int64_t try_at_ms; /* monotonic */
};

/* Waits for the next job. NULL: the thread must end. */
static struct query_job *take_job(struct query_thread *thread)
{
    struct fair_item *item = NULL;

    pthread_mutex_lock(&thread->lock);
    while (thread->jobs.first == NULL && !thread->stopped)
        pthread_cond_wait(&thread->added, &thread->lock);
    if (!thread->stopped)
        item = fair_queue_take(&thread->jobs);
    pthread_mutex_unlock(&thread->lock);
    return (struct query_job *)item;
}

static bool connect_db(struct query_thread *thread)
{
    struct errmsg err;

    if (result_db_is_connected(thread->db))
        return true;
    if (clock_mono_ms() < thread->try_at_ms)
        return false;
    if (result_db_connect(thread->db, &err) == ST_OK)
        return true;
    thread->try_at_ms = clock_mono_ms() + RETRY_MS;
    log_warn("query thread cannot connect to the database", LOG_S("thread", thread->name), LOG_S("error", err.text));
    return false;
}

static void *run_jobs(void *arg)
{
    struct query_thread *thread = arg;

    for (struct query_job *job; (job = take_job(thread)) != NULL;) {
        job->run(job, connect_db(thread) ? thread->db : NULL);
        if (job->loop != NULL)
            http_loop_post(job->loop, job->done, job);
        else
            job->done(job);
    }
    return NULL;
}

enum status query_thread_open(const char *database_url, const char *name, int answer_ms, struct query_thread **out,
                              struct errmsg *err)
{
    struct query_thread *thread = alloc_items(1, sizeof(*thread));

    *out = NULL;
    thread->name = name;
    thread->db = result_db_new(database_url, name, answer_ms);
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->added, NULL);
    if (pthread_create(&thread->id, NULL, run_jobs, thread) != 0)
        return fail(err, ST_IO, "cannot start a thread");
    *out = thread;
    return ST_OK;
}

bool query_thread_add(struct query_thread *thread, struct query_job *job, size_t max, size_t max_of_one)
{
    pthread_mutex_lock(&thread->lock);
    bool room = fair_queue_add(&thread->jobs, &job->item, max, max_of_one);
    if (room)
        pthread_cond_signal(&thread->added);
    pthread_mutex_unlock(&thread->lock);
    return room;
}

void query_thread_close(struct query_thread *thread)
{
    if (thread == NULL)
        return;
    pthread_mutex_lock(&thread->lock);
    thread->stopped = true;
    pthread_cond_signal(&thread->added);
    pthread_mutex_unlock(&thread->lock);
    result_db_give_up(thread->db);
    pthread_join(thread->id, NULL);
    result_db_free(thread->db);
    /* Does not free the thread and the jobs in its queue: the process ends. */
}
