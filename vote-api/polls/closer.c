/* closer - a thread that looks for closed polls twice a second, and without a pause while there are many.
 * SPDX-License-Identifier: MIT */
#include "polls/closer.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/log.h"
#include "polls/poll_edit.h"
#include "polls/poll_marks.h"
#include "polls/poll_store.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_MS 500         /* between two rounds through the directory */
#define DUE_MAX 16           /* polls that one round fences */
#define STREAM_CHECK_MS 5000 /* between two checks whether the stream is still the same */

/* A poll in one of its terms. */
struct poll_term {
    char poll[POLL_ID_MAX + 1];
    unsigned term;
    int64_t changed_ms; /* when it closed or was last edited, whichever is later */
};

struct closer {
    const struct vote_api *api;
    int64_t delay_ms;
    struct poll_term *fenced; /* the last term of each poll that this process has fenced, sorted by id */
    size_t n_fenced, room;
    struct poll_term due[DUE_MAX]; /* to fence in this round */
    size_t n_due;
    int64_t now_ms;               /* wall clock at the beginning of this round */
    int64_t stream_created_ns;    /* of the stream that has our marks; 0: not known yet */
    int64_t next_stream_check_ms; /* monotonic */
};

/* The place of this id in `fenced`, or the place where it belongs. */
static struct poll_term *find_fenced_place(const struct closer *closer, const char *poll)
{
    size_t low = 0, high = closer->n_fenced;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(closer->fenced[middle].poll, poll) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return closer->fenced + low;
}

static const struct poll_term *find_fenced(const struct closer *closer, const char *poll)
{
    if (closer->n_fenced == 0)
        return NULL;
    const struct poll_term *place = find_fenced_place(closer, poll);
    return place < closer->fenced + closer->n_fenced && strcmp(place->poll, poll) == 0 ? place : NULL;
}

/* A deleted poll gets a fence too. No ballot behind the fence counts, so a worker may then forget the poll. */
static bool is_due(const struct closer *closer, const struct poll *poll)
{
    if (poll->deleted && poll->updated_at_ms + closer->delay_ms <= closer->now_ms)
        return true;
    return !poll->draft && poll->closes_at_ms != 0 && poll->closes_at_ms + closer->delay_ms <= closer->now_ms;
}

/* Whether a reopening was announced but never completed. */
static bool is_abandoned(const struct closer *closer, const struct poll *poll)
{
    return poll->opening_term > poll->term && !poll->deleted && poll_state_at(poll, closer->now_ms) == POLL_CLOSED &&
           poll->updated_at_ms + closer->delay_ms <= closer->now_ms;
}

/* After a start, more polls may be due than fit in one round. Then the polls that closed last come first: people wait
 * for their results, and the other polls most likely have a fence already. */
static void add_due(struct closer *closer, const struct poll_term *due)
{
    struct poll_term *place = closer->due;

    if (closer->n_due < DUE_MAX) {
        closer->due[closer->n_due++] = *due;
        return;
    }
    for (size_t i = 1; i < DUE_MAX; i++)
        if (closer->due[i].changed_ms < place->changed_ms)
            place = &closer->due[i];
    if (place->changed_ms < due->changed_ms)
        *place = *due;
}

/* For directory_each. */
static void add_if_due(void *arg, const struct poll *poll)
{
    struct closer *closer = arg;
    struct poll_term due = {.term = poll->term, .changed_ms = poll->updated_at_ms};

    if (!is_abandoned(closer, poll) && !is_due(closer, poll))
        return;
    const struct poll_term *fenced = find_fenced(closer, poll->id);
    if (fenced != NULL && fenced->term >= poll->term && !is_abandoned(closer, poll))
        return;
    if (due.changed_ms < poll->closes_at_ms)
        due.changed_ms = poll->closes_at_ms;
    memcpy(due.poll, poll->id, sizeof(due.poll));
    add_due(closer, &due);
}

static void remember_fenced(struct closer *closer, const struct poll_term *due)
{
    GROW(closer->fenced, closer->room, closer->n_fenced + 1);
    struct poll_term *place = find_fenced_place(closer, due->poll), *end = closer->fenced + closer->n_fenced;
    if (place == end || strcmp(place->poll, due->poll) != 0) {
        memmove(place + 1, place, (size_t)(end - place) * sizeof(*place));
        closer->n_fenced++;
    }
    *place = *due;
}

/* Ends a reopening that was never completed. The gate of the announced term may be in the stream, and only a fence of
 * the same term closes it. So the definition takes that term, and the poll is fenced in it. A request that is still
 * about to open the poll finds the definition changed, and tries again with the next term. */
static enum status abandon_reopening(const struct closer *closer, const struct poll *poll, uint64_t revision,
                                     struct errmsg *err)
{
    struct poll *changed = poll_copy(poll);

    changed->term = poll->opening_term;
    changed->opening_term = 0;
    poll_edit_touch(changed, closer->now_ms);
    enum status st = poll_store_put(closer->api, changed, revision, err);
    poll_release(changed);
    log_warn("reopening was announced but not completed", LOG_S("poll", poll->id), LOG_I("term", poll->opening_term));
    return st == ST_CONFLICT ? ST_OK : st; /* another vote-api was faster */
}

/* Publishes a fence; returns whether it did. A fence cannot be taken back, and this process's copy of the definition
 * may be outdated: the closing time may be later now, or the poll open again. So the definition is read from the
 * bucket. After that nobody can move the closing time, because the poll is closed. */
static bool fence_poll(struct closer *closer, const struct poll_term *due)
{
    bool published = false;
    struct bus_value value;
    struct poll *poll = NULL;
    struct errmsg err;
    enum status st = bus_bucket_get(closer->api->bus, BUS_BUCKET_POLLS, due->poll, &value, &err);

    if (st == ST_OK)
        st = wire_decode_poll(value.bytes.data, value.bytes.len, &poll, &err);
    if (st == ST_OK && is_abandoned(closer, poll)) {
        st = abandon_reopening(closer, poll, value.revision, &err);
    } else if (st == ST_OK && poll->term == due->term && is_due(closer, poll)) {
        st = poll_marks_publish_fence(closer->api->bus, due->poll, due->term, &err);
        published = st == ST_OK;
        if (published)
            remember_fenced(closer, due);
    }
    if (st != ST_OK)
        log_warn("fence not published", LOG_S("poll", due->poll), LOG_S("error", err.text));
    poll_release(poll);
    free(value.bytes.data);
    return published;
}

/* For directory_each. */
static void remember_reopened(void *arg, const struct poll *poll)
{
    struct closer *closer = arg;
    struct poll_term reopened = {.term = poll->term};

    if (poll->term == 0 || poll_state_at(poll, closer->now_ms) != POLL_OPEN)
        return;
    memcpy(reopened.poll, poll->id, sizeof(reopened.poll));
    remember_fenced(closer, &reopened);
}

/* A new stream lacks the marks of the old one, and workers may not have applied all of them. So polls that were opened
 * again get their gate once more, and forgetting the fences lets the next round fence closed polls once more. A mark
 * that was applied before changes nothing. Returns whether all gates were published. */
static bool repeat_marks(struct closer *closer)
{
    struct errmsg err;
    size_t published = 0;

    closer->n_fenced = 0;
    directory_each(closer->api->watch.polls, remember_reopened, closer);
    for (size_t i = 0; i < closer->n_fenced; i++)
        published += poll_marks_publish_gate(closer->api->bus, closer->fenced[i].poll, closer->fenced[i].term, &err) ==
                     ST_OK;
    bool all = published == closer->n_fenced;
    closer->n_fenced = 0;
    return all;
}

static void check_stream(struct closer *closer)
{
    struct bus_stream_info info;
    struct errmsg err;
    int64_t now = clock_mono_ms();

    if (now < closer->next_stream_check_ms)
        return;
    closer->next_stream_check_ms = now + STREAM_CHECK_MS;
    if (bus_stream_info(closer->api->bus, &info, &err) != ST_OK || closer->stream_created_ns == info.created_ns)
        return;
    if (closer->stream_created_ns != 0) {
        log_warn("the stream is new: its fences and gates are published again", LOG_I("polls", closer->n_fenced));
        if (!repeat_marks(closer))
            return; /* the next check tries again */
    }
    closer->stream_created_ns = info.created_ns;
}

/* Returns whether more polls may be due. */
static bool run_round(struct closer *closer)
{
    size_t published = 0;

    closer->n_due = 0;
    closer->now_ms = clock_wall_ms();
    if (!bus_is_connected(closer->api->bus) || !atomic_load(&closer->api->watch.is_known))
        return false;
    check_stream(closer);
    directory_each(closer->api->watch.polls, add_if_due, closer);
    for (size_t i = 0; i < closer->n_due; i++)
        published += fence_poll(closer, &closer->due[i]);
    return published == DUE_MAX;
}

static void *closer_run(void *arg)
{
    const struct timespec pause = {0, ROUND_MS * 1000000L};

    for (;;)
        if (!run_round(arg))
            nanosleep(&pause, NULL);
    return NULL;
}

enum status closer_start(const struct vote_api *api, int64_t ack_timeout_ms, struct errmsg *err)
{
    struct closer *closer = alloc_items(1, sizeof(*closer));
    pthread_t thread;

    closer->api = api;
    closer->delay_ms = ack_timeout_ms + BUS_WRITE_DEADLINE_MS + CLOSER_MARGIN_MS;
    if (pthread_create(&thread, NULL, closer_run, closer) != 0) {
        free(closer);
        return fail(err, ST_IO, "cannot start a thread");
    }
    pthread_detach(thread);
    return ST_OK;
}
