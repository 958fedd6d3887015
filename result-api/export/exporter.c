/* exporter - a queue, a thread, a connection.
 * SPDX-License-Identifier: MIT */
#include "export/exporter.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>

#define RETRY_MS 1000 /* after a connection that failed; jobs until then fail at once */

struct exporter {
    const char *name;
    pthread_t thread;
    pthread_mutex_t lock; /* all but store and try_at_ms, which are the thread's */
    pthread_cond_t added;
    struct fair_queue jobs;
    bool stopped;
    struct store *store;
    int64_t try_at_ms; /* monotonic */
};

/* The next job, once there is one; NULL: stop. */
static struct exporter_job *take(struct exporter *exporter)
{
    struct fair_item *item = NULL;

    pthread_mutex_lock(&exporter->lock);
    while (exporter->jobs.first == NULL && !exporter->stopped)
        pthread_cond_wait(&exporter->added, &exporter->lock);
    if (!exporter->stopped)
        item = fair_queue_take(&exporter->jobs);
    pthread_mutex_unlock(&exporter->lock);
    return (struct exporter_job *)item;
}

static bool connect_store(struct exporter *exporter)
{
    struct errmsg err;

    if (store_is_connected(exporter->store))
        return true;
    if (clock_mono_ms() < exporter->try_at_ms)
        return false;
    if (store_connect(exporter->store, &err) == ST_OK)
        return true;
    exporter->try_at_ms = clock_mono_ms() + RETRY_MS;
    log_warn("no database for exports", LOG_S("exporter", exporter->name), LOG_S("error", err.text));
    return false;
}

static void *run(void *arg)
{
    struct exporter *exporter = arg;

    for (struct exporter_job *job; (job = take(exporter)) != NULL;) {
        job->run(job, connect_store(exporter) ? exporter->store : NULL);
        if (job->loop != NULL)
            http_loop_post(job->loop, job->done, job);
        else
            job->done(job);
    }
    return NULL;
}

enum status exporter_open(const char *database_url, const char *name, int answer_ms, struct exporter **out,
                          struct errmsg *err)
{
    struct exporter *exporter = alloc_items(1, sizeof(*exporter));

    *out = NULL;
    exporter->name = name;
    exporter->store = store_new(database_url, name, answer_ms);
    pthread_mutex_init(&exporter->lock, NULL);
    pthread_cond_init(&exporter->added, NULL);
    if (pthread_create(&exporter->thread, NULL, run, exporter) != 0)
        return fail(err, ST_IO, "cannot start a thread");
    *out = exporter;
    return ST_OK;
}

bool exporter_add(struct exporter *exporter, struct exporter_job *job, size_t max, size_t max_of_one)
{
    pthread_mutex_lock(&exporter->lock);
    bool room = fair_queue_add(&exporter->jobs, &job->item, max, max_of_one);
    if (room)
        pthread_cond_signal(&exporter->added);
    pthread_mutex_unlock(&exporter->lock);
    return room;
}

void exporter_close(struct exporter *exporter)
{
    if (exporter == NULL)
        return;
    pthread_mutex_lock(&exporter->lock);
    exporter->stopped = true;
    pthread_cond_signal(&exporter->added);
    pthread_mutex_unlock(&exporter->lock);
    store_give_up(exporter->store);
    pthread_join(exporter->thread, NULL);
    store_free(exporter->store);
    /* The exporter itself stays, and the jobs in it: the process ends. */
}
