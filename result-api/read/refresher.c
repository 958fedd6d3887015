/* refresher - doorbell or clock, one query, new snapshots.
 * SPDX-License-Identifier: MIT */
#include "read/refresher.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/metrics.h"
#include "read/large_polls.h"
#include "read/tally_reader.h"
#include "tally/visibility.h"
#include <pthread.h>

#define UNSETTLED_LOOK_MS 500 /* a poll with ballots pending, or closed and not final, is looked at so often */
#define ROWS_PER_LOOK 200000  /* of tallies, at most, that a query is to give: half a second's work */
/* A large poll is not counted again before so many times what the last count took, so that many of them, or one of
 * millions, do not keep the database busy. One that is closed only waits once as long: somebody waits for its end. */
#define LARGE_RESTS 8
#define LARGE_RETRY_MS 1000 /* after a count that failed */

/* A poll that some loop wants. */
struct watched {
    char id[POLL_ID_MAX + 1];
    bool loaded; /* the tally was read once */
    bool listed; /* for the look at hand */
    bool asked;
    int64_t above;
    bool large;                  /* counted by large_polls; then: */
    bool counting;               /* asked for and not there yet */
    bool resting;                /* there is a reason to count it, but it has to wait */
    int64_t rests_ms;            /* monotonic: not to be counted before */
    int64_t counted_ms, took_ms; /* the last count: when it was there, and how long it took */
    bool is_ranked;              /* the tally has no choices, but the rounds are counted */
    struct ranked ranked;
    struct tally tally;
    bool fence_passed;     /* all before the tally's fence was applied when it was read */
    struct snapshot *last; /* a reference, or NULL */
};

struct refresher {
    struct refresher_options options;
    pthread_t thread;
    struct tally_reader *tally_reader;
    struct large_polls *large;
    struct map watched;
    struct watched **list; /* of the look at hand */
    size_t n_list, room;
    int64_t refreshed_ms; /* monotonic: the last look */
    int64_t looked_ms;    /* the last look at everything */
    int64_t settled_ms;   /* the last look at polls that are not settled */
    struct metric *published;
};

/* --- which polls to read */

/* Lists a poll to be read and published. */
static void list(struct refresher *refresher, struct watched *watched)
{
    if (watched->listed)
        return;
    GROW(refresher->list, refresher->room, refresher->n_list + 1);
    watched->listed = true;
    refresher->list[refresher->n_list++] = watched;
}

static void free_watched(struct watched *watched)
{
    tally_fini(&watched->tally);
    ranked_fini(&watched->ranked);
    snapshot_release(watched->last);
    free(watched);
}

static void drop_watched(struct refresher *refresher, const char *id)
{
    struct watched *watched = map_remove_text(&refresher->watched, id);

    if (watched == NULL)
        return;
    free_watched(watched);
}

static void list_noted(struct refresher *refresher)
{
    size_t n;
    struct dirty_poll *notes = refresh_queue_take_polls(refresher->options.queue, &n);

    for (size_t i = 0; i < n; i++) {
        if (!notes[i].wanted) {
            drop_watched(refresher, notes[i].id);
            continue;
        }
        struct watched *watched = map_get_text(&refresher->watched, notes[i].id);
        if (watched == NULL) {
            watched = alloc_items(1, sizeof(*watched));
            memcpy(watched->id, notes[i].id, sizeof(watched->id));
            map_put_text(&refresher->watched, watched->id, watched);
        }
        watched->asked = watched->asked || notes[i].asked;
        watched->above = notes[i].above > watched->above ? notes[i].above : watched->above;
        list(refresher, watched);
    }
    free(notes);
}

/* When the clock alone changes the state of the poll next; INT64_MAX: never. Wall clock. */
static int64_t next_change_ms(const struct snapshot *snapshot)
{
    const struct poll *poll = snapshot->poll;

    if (snapshot->state == RESULT_SCHEDULED)
        return poll->opens_at_ms;
    if (snapshot->state == RESULT_OPEN && poll->closes_at_ms != 0)
        return poll->closes_at_ms;
    return INT64_MAX;
}

/* Whether the next thing to happen is the workers', whose doorbell may be lost. */
static bool is_unsettled(const struct snapshot *snapshot)
{
    return snapshot->pending > 0 || snapshot->state == RESULT_COUNTING;
}

/* Lists the polls whose time has come, and says when the next one's does, monotonic. */
static int64_t list_due(struct refresher *refresher, bool listing)
{
    int64_t now = clock_mono_ms(), wall = clock_wall_ms(), next = INT64_MAX;
    bool everything = now - refresher->looked_ms >= refresher->options.look_ms;
    bool settling = now - refresher->settled_ms >= UNSETTLED_LOOK_MS;
    size_t cursor = 0;

    for (struct watched *watched; (watched = map_next(&refresher->watched, &cursor)) != NULL;) {
        int64_t due = watched->last == NULL ? INT64_MAX : next_change_ms(watched->last);
        if (due != INT64_MAX)
            due = now + (due - wall);
        if (watched->last != NULL && is_unsettled(watched->last) && refresher->settled_ms + UNSETTLED_LOOK_MS < due)
            due = refresher->settled_ms + UNSETTLED_LOOK_MS;
        if (watched->resting && watched->rests_ms < due)
            due = watched->rests_ms;
        if (due < next)
            next = due;
        if (listing && (everything || due <= now))
            list(refresher, watched);
    }
    if (listing && everything)
        refresher->looked_ms = now;
    if (listing && settling)
        refresher->settled_ms = now;
    int64_t look = refresher->looked_ms + refresher->options.look_ms;
    return look < next ? look : next;
}

/* Everything is read again with the next look. */
static void look_soon(struct refresher *refresher)
{
    refresher->looked_ms = INT64_MIN / 2;
}

/* --- looking and publishing */

static void on_applied(void *arg, const char *poll)
{
    struct refresher *refresher = arg;
    const struct watched *watched = map_get_text(&refresher->watched, poll);

    /* Its bell was lost, or is still to ring. */
    if (watched != NULL && !watched->listed)
        refresh_queue_mark(refresher->options.queue, poll, REFRESH_NOW);
}

/* Keeps a tally that was read in passing. What was applied by then is in it, so it is the end of a poll whose fence was
 * passed by then; looks at other polls may come to know of more. */
static void keep_tally(struct watched *watched, struct tally *tally, const struct backlog_point *point)
{
    if (tally->is_large) {
        watched->large = true;
        return;
    }
    tally_fini(&watched->tally);
    watched->tally = *tally;
    watched->fence_passed = backlog_has_passed(point, tally->fence);
    watched->loaded = true;
}

/* Reads listed polls from the database, from `at` on as many as one query is to read; moves `at` behind them. False: it
 * is down. Without polls too: the backlog has to be settled. */
static bool look_at(struct refresher *refresher, size_t *at)
{
    size_t left = refresher->n_list - *at, n = 0, rows = 0;
    struct watched *const *polls = refresher->list + *at;
    const char **ids = alloc_items(left, sizeof(*ids));
    struct tally *tallies = alloc_items(left, sizeof(*tallies));

    for (; n < left && rows < ROWS_PER_LOOK; n++) {
        rows += polls[n]->loaded && !polls[n]->is_ranked ? 1 + polls[n]->tally.n_choices : STORE_RANKINGS_MAX;
        ids[n] = polls[n]->id;
    }
    bool read = tally_reader_read_polls(refresher->tally_reader, ids, tallies, n, on_applied, refresher);
    const struct backlog_point point = backlog_point(backlog_reader_lock(refresher->options.backlog_reader));
    backlog_reader_unlock(refresher->options.backlog_reader);
    for (size_t i = 0; i < n && read; i++)
        keep_tally(polls[i], &tallies[i], &point);
    *at += n;
    free(tallies);
    free(ids);
    return read;
}

/* Also for a loop that has just begun to hold the poll. */
static void publish_last(struct refresher *refresher, struct watched *watched)
{
    refresher->options.publish(refresher->options.arg, watched->id, watched->last);
    watched->asked = false;
}

static void publish_result(struct refresher *refresher, struct watched *watched, const struct poll *poll, bool fresh)
{
    int64_t now_us = clock_read_ns(CLOCK_REALTIME) / 1000;
    struct snapshot_facts facts = {
        .poll = poll,
        .tally = &watched->tally,
        .ranked = watched->is_ranked ? &watched->ranked : NULL,
        .fence_passed = watched->fence_passed,
        .is_public = visibility_is_public(poll, now_us / 1000),
        .now_us = now_us,
        /* Whoever is ahead of us has seen more than we had: only a look that worked is sure to be as new. */
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
    if (snapshot != NULL || watched->asked)
        publish_last(refresher, watched);
    if (fresh)
        watched->above = 0;
}

static void publish(struct refresher *refresher, struct watched *watched, bool fresh)
{
    struct poll *poll = directory_find(refresher->options.directory, watched->id, strlen(watched->id));

    if (poll == NULL || poll->deleted)
        refresher->options.publish(refresher->options.arg, watched->id, NULL);
    else if (watched->loaded)
        publish_result(refresher, watched, poll, fresh);
    poll_release(poll);
}

/* --- large polls */

static void keep_count(struct watched *watched, struct large_count *count)
{
    tally_fini(&watched->tally);
    watched->tally = count->tally;
    watched->fence_passed = count->fence_passed;
    watched->loaded = true;
    if (count->unchanged)
        return;
    ranked_fini(&watched->ranked);
    watched->ranked = count->ranked;
    watched->is_ranked = true;
    count->ranked.rounds = NULL; /* the poll's now */
}

/* What was counted since the last time. */
static void take_counts(struct refresher *refresher)
{
    struct large_count *next;

    for (struct large_count *count = large_polls_take(refresher->large); count != NULL; count = next) {
        struct watched *watched = map_get_text(&refresher->watched, count->poll->id);
        next = large_count_next(count);
        if (watched != NULL) {
            watched->counting = false;
            watched->counted_ms = refresher->refreshed_ms;
            watched->took_ms = count->failed ? LARGE_RETRY_MS : count->took_ms;
        }
        if (watched != NULL && !count->failed) {
            keep_count(watched, count);
            publish(refresher, watched, true);
        }
        large_count_free(count);
    }
}

/* Has a large poll counted, unless that is under way or it has to rest; meanwhile what else changed about it is shown
 * beside the numbers that there are. */
static void tend_large(struct refresher *refresher, struct watched *watched)
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
    publish(refresher, watched, false);
}

/* Moves the large polls out of what is to be read. */
static void tend_listed(struct refresher *refresher)
{
    size_t kept = 0;

    for (size_t i = 0; i < refresher->n_list; i++) {
        struct watched *watched = refresher->list[i];
        if (!watched->large) {
            refresher->list[kept++] = watched;
            continue;
        }
        watched->listed = false;
        tend_large(refresher, watched);
    }
    refresher->n_list = kept;
}

/* --- one refresh */

static void refresh(struct refresher *refresher)
{
    bool fresh = tally_reader_is_connected(refresher->tally_reader);
    size_t at = 0;

    refresher->refreshed_ms = clock_mono_ms();
    list_noted(refresher);
    take_counts(refresher);
    list_due(refresher, true);
    tend_listed(refresher);
    if (fresh) {
        do
            fresh = look_at(refresher, &at) && tally_reader_is_connected(refresher->tally_reader);
        while (fresh && at < refresher->n_list);
    }
    tend_listed(refresher); /* those that turned out to be large */
    for (size_t i = 0; i < refresher->n_list; i++) {
        publish(refresher, refresher->list[i], fresh);
        refresher->list[i]->listed = false;
    }
    refresher->n_list = 0;
    if (tally_reader_is_behind(refresher->tally_reader))
        look_soon(refresher);
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

static void *run(void *arg)
{
    struct refresher *refresher = arg;
    struct refresh_queue *queue = refresher->options.queue;

    while (!refresh_queue_is_stopped(queue)) {
        int64_t not_before = refresher->refreshed_ms + refresher->options.refresh_ms;
        int64_t until = list_due(refresher, false);
        if (until < not_before)
            until = not_before;
        if (!tally_reader_is_connected(refresher->tally_reader) &&
            tally_reader_next_try_ms(refresher->tally_reader) < until)
            until = tally_reader_next_try_ms(refresher->tally_reader);
        bool due = refresh_queue_wait(queue, not_before, until);
        if (tally_reader_reconnect(refresher->tally_reader))
            look_soon(refresher);
        answer_questions(refresher);
        int64_t now = clock_mono_ms();
        if (due || (now >= not_before && now >= list_due(refresher, false)))
            refresh(refresher);
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
    refresher->refreshed_ms = refresher->looked_ms = refresher->settled_ms = clock_mono_ms();
    refresher->published = metric_counter("result_snapshots_total", "", "Snapshots made, each a new version.");
    metric_gauge_from("result_polls_dirty", "", "Polls that wait to be read again.", read_dirty, refresher);
    if (pthread_create(&refresher->thread, NULL, run, refresher) != 0)
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
    for (struct watched *watched; (watched = map_next(&refresher->watched, &cursor)) != NULL;)
        free_watched(watched);
    map_fini(&refresher->watched);
    free(refresher->list);
    tally_reader_close(refresher->tally_reader);
    /* The refresher itself stays: metrics read from it until the process ends. */
}
