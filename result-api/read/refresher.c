/* refresher - waits for a doorbell or the clock, reads polls with one query, publishes new snapshots.
 * SPDX-License-Identifier: MIT */
#include "read/refresher.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/metrics.h"
#include "read/large_polls.h"
#include "read/tally_reader.h"
#include "read/watched_poll.h"
#include "tally/visibility.h"
#include <pthread.h>

/* A poll with pending ballots, or a closed poll that is not final, is read again after this time. */
#define UNSETTLED_MS 500
#define ROWS_PER_READ 200000 /* rows of tallies that one query may give: half a second's work */
/* After a count of a large poll that took t, the poll rests for LARGE_RESTS × t. So many large polls, or one of
 * millions of ballots, do not keep the database busy. A closed poll rests for t alone, because people wait for its
 * result. */
#define LARGE_RESTS 8
#define LARGE_RETRY_MS 1000 /* what a count that failed is taken to have lasted */

struct refresher {
    struct refresher_options options;
    pthread_t thread;
    struct tally_reader *tally_reader;
    struct large_polls *large;
    struct map watched;         /* by id */
    struct watched_poll **list; /* the polls of this refresh */
    size_t n_list, room;
    int64_t refreshed_ms;        /* monotonic: the last refresh */
    int64_t all_listed_ms;       /* the last time that all polls were listed */
    int64_t unsettled_listed_ms; /* the last time that unsettled polls were listed */
    struct metric *published;
};

/* --- which polls to read */

/* Adds a poll to those that this refresh reads and publishes. */
static void list_poll(struct refresher *refresher, struct watched_poll *watched)
{
    if (watched->listed)
        return;
    GROW(refresher->list, refresher->room, refresher->n_list + 1);
    watched->listed = true;
    refresher->list[refresher->n_list++] = watched;
}

static void list_dirty_polls(struct refresher *refresher)
{
    size_t n;
    struct dirty_poll *polls = refresh_queue_take_polls(refresher->options.queue, &n);

    for (size_t i = 0; i < n; i++) {
        struct watched_poll *watched = map_get_text(&refresher->watched, polls[i].id);
        if (!polls[i].is_followed) {
            if (watched != NULL) {
                map_remove_text(&refresher->watched, watched->id);
                watched_poll_free(watched);
            }
            continue;
        }
        if (watched == NULL) {
            watched = watched_poll_new(polls[i].id);
            map_put_text(&refresher->watched, watched->id, watched);
        }
        watched->must_publish = watched->must_publish || polls[i].must_publish;
        watched->above = polls[i].above > watched->above ? polls[i].above : watched->above;
        list_poll(refresher, watched);
    }
    free(polls);
}

/* Lists the polls that must be read now, if `listing`. Returns when the next poll must be read, monotonic. */
static int64_t list_due_polls(struct refresher *refresher, bool listing)
{
    int64_t now = clock_mono_ms(), wall = clock_wall_ms(), next = INT64_MAX;
    bool everything = now - refresher->all_listed_ms >= refresher->options.look_ms;
    bool settling = now - refresher->unsettled_listed_ms >= UNSETTLED_MS;
    size_t cursor = 0;

    for (struct watched_poll *watched; (watched = map_next(&refresher->watched, &cursor)) != NULL;) {
        int64_t due = watched_poll_next_change_ms(watched);
        if (due != INT64_MAX)
            due = now + (due - wall);
        if (watched_poll_is_unsettled(watched) && refresher->unsettled_listed_ms + UNSETTLED_MS < due)
            due = refresher->unsettled_listed_ms + UNSETTLED_MS;
        if (watched->resting && watched->rests_ms < due)
            due = watched->rests_ms;
        if (due < next)
            next = due;
        if (listing && (everything || due <= now))
            list_poll(refresher, watched);
    }
    if (listing && everything)
        refresher->all_listed_ms = now;
    if (listing && settling)
        refresher->unsettled_listed_ms = now;
    int64_t all_due = refresher->all_listed_ms + refresher->options.look_ms;
    return all_due < next ? all_due : next;
}

/* The next refresh reads all polls again. */
static void read_all_soon(struct refresher *refresher)
{
    refresher->all_listed_ms = INT64_MIN / 2;
}

/* --- reading and publishing */

static void on_applied(void *arg, const char *poll)
{
    struct refresher *refresher = arg;
    const struct watched_poll *watched = map_get_text(&refresher->watched, poll);

    /* The doorbell of the worker was lost, or has not rung yet. */
    if (watched != NULL && !watched->listed)
        refresh_queue_mark(refresher->options.queue, poll, REFRESH_NOW);
}

/* Reads listed polls from the database, beginning at *at: as many as one query may read. Moves *at behind them. Reads
 * the applied batches even if there are no polls. False: the database is down. */
static bool read_listed(struct refresher *refresher, size_t *at)
{
    size_t left = refresher->n_list - *at, n = 0, rows = 0;
    struct watched_poll *const *polls = refresher->list + *at;
    const char **ids = alloc_items(left, sizeof(*ids));
    struct tally *tallies = alloc_items(left, sizeof(*tallies));

    for (; n < left && rows < ROWS_PER_READ; n++) {
        rows += polls[n]->loaded && !polls[n]->is_ranked ? 1 + polls[n]->tally.n_choices : RESULT_DB_RANKINGS_MAX;
        ids[n] = polls[n]->id;
    }
    bool read = tally_reader_read_polls(refresher->tally_reader, ids, tallies, n, on_applied, refresher);
    const struct backlog_point point = backlog_point(backlog_reader_lock(refresher->options.backlog_reader));
    backlog_reader_unlock(refresher->options.backlog_reader);
    for (size_t i = 0; i < n && read; i++)
        watched_poll_keep_tally(polls[i], &tallies[i], &point);
    *at += n;
    free(tallies);
    free(ids);
    return read;
}

static void publish_result(struct refresher *refresher, struct watched_poll *watched, const struct poll *poll,
                           bool fresh)
{
    int64_t now_us = clock_read_ns(CLOCK_REALTIME) / 1000;
    struct snapshot_facts facts = {
        .poll = poll,
        .tally = &watched->tally,
        .ranked = watched->is_ranked ? &watched->ranked : NULL,
        .fence_passed = watched->fence_passed,
        .is_public = visibility_is_public(poll, now_us / 1000),
        .now_us = now_us,
        /* A subscriber with a higher version has seen newer data than ours. Only data that was just read is as new. */
        .above = fresh ? watched->above : 0,
    };

    struct backlog *backlog = backlog_reader_lock(refresher->options.backlog_reader);
    facts.pending = backlog_pending(backlog, watched->id);
    backlog_reader_unlock(refresher->options.backlog_reader);
    struct snapshot *snapshot = snapshot_make(&facts, watched->last);
    if (snapshot != NULL) {
        snapshot_release(watched->last);
        watched->last = snapshot;
        metric_add(refresher->published, 1);
    }
    if (snapshot != NULL || watched->must_publish)
        refresher->options.publish(refresher->options.arg, watched->id, watched->last);
    watched->must_publish = false;
    if (fresh)
        watched->above = 0;
}

static void publish_poll(struct refresher *refresher, struct watched_poll *watched, bool fresh)
{
    struct poll *poll = directory_find(refresher->options.directory, watched->id, strlen(watched->id));

    if (poll == NULL || poll->deleted)
        refresher->options.publish(refresher->options.arg, watched->id, NULL);
    else if (watched->loaded)
        publish_result(refresher, watched, poll, fresh);
    poll_release(poll);
}

/* --- large polls */

/* Keeps and publishes what was counted since the last refresh. */
static void publish_counts(struct refresher *refresher)
{
    struct large_count *next;

    for (struct large_count *count = large_polls_take(refresher->large); count != NULL; count = next) {
        struct watched_poll *watched = map_get_text(&refresher->watched, count->poll->id);
        next = large_count_next(count);
        if (watched != NULL) {
            watched->counting = false;
            watched->counted_ms = refresher->refreshed_ms;
            watched->took_ms = count->failed ? LARGE_RETRY_MS : count->took_ms;
        }
        if (watched != NULL && !count->failed) {
            watched_poll_keep_count(watched, count);
            publish_poll(refresher, watched, true);
        }
        large_count_free(count);
    }
}

/* Starts a count of a large poll, unless one is under way or the poll must rest. Publishes what else has changed about
 * the poll, with the numbers of the last count. */
static void refresh_large_poll(struct refresher *refresher, struct watched_poll *watched)
{
    struct poll *poll = directory_find(refresher->options.directory, watched->id, strlen(watched->id));

    bool closed = poll != NULL && poll_state_at(poll, clock_wall_ms()) == POLL_CLOSED;
    watched->rests_ms = watched->counted_ms + watched->took_ms * (closed ? 1 : LARGE_RESTS);
    watched->resting = !watched->counting && watched->rests_ms > refresher->refreshed_ms;
    if (poll != NULL && !poll->deleted && !watched->counting && !watched->resting) {
        watched->counting = true;
        large_polls_ask(refresher->large, poll, watched->is_ranked ? &watched->tally : NULL);
    }
    poll_release(poll);
    publish_poll(refresher, watched, false);
}

/* Takes the large polls out of the list. */
static void refresh_large_polls(struct refresher *refresher)
{
    size_t kept = 0;

    for (size_t i = 0; i < refresher->n_list; i++) {
        struct watched_poll *watched = refresher->list[i];
        if (!watched->large) {
            refresher->list[kept++] = watched;
            continue;
        }
        watched->listed = false;
        refresh_large_poll(refresher, watched);
    }
    refresher->n_list = kept;
}

/* --- a refresh */

static void refresh_polls(struct refresher *refresher)
{
    bool fresh = tally_reader_is_connected(refresher->tally_reader);
    size_t at = 0;

    refresher->refreshed_ms = clock_mono_ms();
    list_dirty_polls(refresher);
    publish_counts(refresher);
    list_due_polls(refresher, true);
    refresh_large_polls(refresher);
    if (fresh) {
        do
            fresh = read_listed(refresher, &at) && tally_reader_is_connected(refresher->tally_reader);
        while (fresh && at < refresher->n_list);
    }
    refresh_large_polls(refresher); /* polls that turned out to be large */
    for (size_t i = 0; i < refresher->n_list; i++) {
        publish_poll(refresher, refresher->list[i], fresh);
        refresher->list[i]->listed = false;
    }
    refresher->n_list = 0;
    if (tally_reader_is_behind(refresher->tally_reader))
        read_all_soon(refresher);
}

/* --- the thread */

static void answer_questions(struct refresher *refresher)
{
    struct receipt_question *questions = refresh_queue_take_questions(refresher->options.queue), *next;

    if (questions == NULL)
        return;
    tally_reader_answer_questions(refresher->tally_reader, questions);
    for (struct receipt_question *question = questions; question != NULL; question = next) {
        next = question->next;
        http_loop_post(question->loop, question->done, question);
    }
}

static void *run_refresher(void *arg)
{
    struct refresher *refresher = arg;
    struct refresh_queue *queue = refresher->options.queue;

    while (!refresh_queue_is_stopped(queue)) {
        int64_t not_before = refresher->refreshed_ms + refresher->options.refresh_ms;
        int64_t until = list_due_polls(refresher, false);
        if (until < not_before)
            until = not_before;
        if (!tally_reader_is_connected(refresher->tally_reader) &&
            tally_reader_next_try_ms(refresher->tally_reader) < until)
            until = tally_reader_next_try_ms(refresher->tally_reader);
        bool due = refresh_queue_wait(queue, not_before, until);
        if (tally_reader_reconnect(refresher->tally_reader))
            read_all_soon(refresher);
        answer_questions(refresher);
        int64_t now = clock_mono_ms();
        if (due || (now >= not_before && now >= list_due_polls(refresher, false)))
            refresh_polls(refresher);
    }
    answer_questions(refresher);
    return NULL;
}

/* --- life */

static double read_dirty(void *arg)
{
    return (double)refresh_queue_count_polls(((struct refresher *)arg)->options.queue);
}

enum status refresher_open(const struct refresher_options *options, struct refresher **out, struct errmsg *err)
{
    struct refresher *refresher = alloc_items(1, sizeof(*refresher));

    *out = NULL;
    refresher->options = *options;
    enum status st = large_polls_open(options->database_url, options->backlog_reader, options->queue, &refresher->large,
                                      err);
    if (st != ST_OK)
        return st;
    refresher->tally_reader = tally_reader_new(options->database_url, options->backlog_reader);
    refresher->refreshed_ms = refresher->all_listed_ms = refresher->unsettled_listed_ms = clock_mono_ms();
    refresher->published = metric_counter("result_snapshots_total", "", "Snapshots made, each a new version.");
    metric_gauge_from("result_polls_dirty", "", "Polls that wait to be read again.", read_dirty, refresher);
    if (pthread_create(&refresher->thread, NULL, run_refresher, refresher) != 0)
        return fail(err, ST_IO, "cannot start a thread");
    *out = refresher;
    return ST_OK;
}

bool refresher_is_ready(struct refresher *refresher, char detail[128])
{
    return tally_reader_is_ready(refresher->tally_reader, detail);
}

void refresher_close(struct refresher *refresher)
{
    size_t cursor = 0;

    if (refresher == NULL)
        return;
    refresh_queue_stop(refresher->options.queue);
    pthread_join(refresher->thread, NULL);
    large_polls_close(refresher->large);
    for (struct watched_poll *watched; (watched = map_next(&refresher->watched, &cursor)) != NULL;)
        watched_poll_free(watched);
    map_fini(&refresher->watched);
    free(refresher->list);
    tally_reader_close(refresher->tally_reader);
    /* Does not free the refresher: the metrics read from it until the process ends. */
}
