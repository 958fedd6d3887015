/* large_polls - a job of the query thread for each count, and a list of counts that are ready.
 * SPDX-License-Identifier: MIT */
#include "read/large_polls.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include <pthread.h>

#define ANSWER_MS 120000 /* of the database, to read all rankings of a poll */

struct large_polls {
    struct query_thread *query_thread;
    struct backlog_reader *backlog_reader;
    struct refresh_queue *queue;
    struct metric *duration;
    pthread_mutex_t lock; /* guards done */
    struct large_count *done;
};

static struct large_count *count_of(struct query_job *job)
{
    return (struct large_count *)job;
}

/* --- on the query thread */

static void on_ranking(void *arg, const char *ranking, int64_t n)
{
    ranked_count_add(arg, ranking, n);
}

/* Every applied ballot raises `received`, so equal ledgers mean equal tallies. */
static bool is_unchanged(const struct tally *known, const struct tally *tally)
{
    return known->received == tally->received && known->counted == tally->counted &&
           known->superseded == tally->superseded && known->rejected == tally->rejected;
}

static enum status count_poll(struct large_count *count, struct result_db *db, struct errmsg *err)
{
    enum status st = result_db_begin_large(db, count->poll->id, &count->tally, err);

    if (st != ST_OK)
        return st;
    count->unchanged = count->has_known && is_unchanged(&count->known, &count->tally);
    if (!count->unchanged) {
        struct ranked_count *ranked = ranked_count_open(count->poll);
        st = result_db_read_rankings(db, count->poll->id, on_ranking, ranked, err);
        ranked_count_close(ranked, st == ST_OK ? &count->ranked : NULL);
    }
    return st == ST_OK ? result_db_end_large(db, err) : st;
}

static void run_count(struct query_job *job, struct result_db *db)
{
    struct large_count *count = count_of(job);
    struct large_polls *polls = count->polls;
    struct errmsg err;
    int64_t began = clock_mono_ns();

    count->failed = true;
    if (db == NULL)
        return;
    /* The point is taken before the tally is read, so the tally contains all that was applied by then. */
    const struct backlog_point point = backlog_point(backlog_reader_lock(polls->backlog_reader));
    backlog_reader_unlock(polls->backlog_reader);
    count->failed = count_poll(count, db, &err) != ST_OK;
    count->fence_passed = !count->failed && backlog_has_passed(&point, count->tally.fence);
    if (count->failed)
        log_warn("large poll not counted", LOG_S("poll", count->poll->id), LOG_S("error", err.text));
    metric_observe_ns(polls->duration, clock_mono_ns() - began);
    count->took_ms = (clock_mono_ns() - began) / 1000000;
}

static void on_count_done(void *job)
{
    struct large_count *count = count_of(job);
    struct large_polls *polls = count->polls;
    char id[POLL_ID_MAX + 1];

    memcpy(id, count->poll->id, sizeof(id));
    pthread_mutex_lock(&polls->lock);
    count->next = polls->done;
    polls->done = count;
    pthread_mutex_unlock(&polls->lock); /* from here on the refresher may free the count */
    refresh_queue_mark(polls->queue, id, REFRESH_NOW);
}

/* --- for the refresher */

void large_polls_ask(struct large_polls *polls, const struct poll *poll, const struct tally *known)
{
    struct large_count *count = alloc_items(1, sizeof(*count));

    count->job = (struct query_job){.run = run_count, .done = on_count_done};
    count->polls = polls;
    count->poll = poll_retain(poll);
    count->has_known = known != NULL;
    if (known != NULL)
        count->known = *known;
    (void)!query_thread_add(polls->query_thread, &count->job, SIZE_MAX,
                            SIZE_MAX); /* there are at most as many jobs as polls */
}

struct large_count *large_polls_take(struct large_polls *polls)
{
    pthread_mutex_lock(&polls->lock);
    struct large_count *done = polls->done;
    polls->done = NULL;
    pthread_mutex_unlock(&polls->lock);
    return done;
}

struct large_count *large_count_next(const struct large_count *count)
{
    return count->next;
}

void large_count_free(struct large_count *count)
{
    ranked_fini(&count->ranked);
    poll_release(count->poll);
    free(count);
}

enum status large_polls_open(const char *database_url, struct backlog_reader *backlog_reader,
                             struct refresh_queue *queue, struct large_polls **out, struct errmsg *err)
{
    *out = alloc_items(1, sizeof(**out));
    (*out)->backlog_reader = backlog_reader;
    (*out)->queue = queue;
    pthread_mutex_init(&(*out)->lock, NULL);
    (*out)->duration = metric_histogram_seconds("result_large_count_duration_seconds", "",
                                                "Reading and counting a ranked poll of many rankings.");
    return query_thread_open(database_url, "result-api rankings", ANSWER_MS, &(*out)->query_thread, err);
}

/* Does not free the polls and their counts: the process ends. */
void large_polls_close(struct large_polls *polls)
{
    query_thread_close(polls->query_thread);
}
