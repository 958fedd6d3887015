/* closer - a thread that looks for closed polls twice a second, and at once again while there are many.
 * SPDX-License-Identifier: MIT */
#include "polls/closer.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/log.h"
#include "polls/poll_marks.h"
#include "polls/poll_store.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 500
#define DUE_MAX 16 /* fenced after one look */
#define STREAM_LOOK_MS 5000

/* A poll that this process has fenced, or is to, and in which term. */
struct fenced {
    char poll[POLL_ID_MAX + 1];
    unsigned term;
    int64_t changed_ms; /* when it closed, or was last edited */
};

struct closer {
    const struct vote_api *api;
    int64_t delay_ms;
    struct fenced *fenced; /* by id */
    size_t n_fenced, room;
    struct fenced due[DUE_MAX]; /* found in one look */
    size_t n_due;
    int64_t now_ms;
    int64_t created_ns, next_stream_look_ms; /* of the stream */
};

/* The first that has this id or one behind it. */
static struct fenced *find_place(const struct closer *closer, const char *poll)
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

static const struct fenced *find_fenced(const struct closer *closer, const char *poll)
{
    if (closer->n_fenced == 0)
        return NULL;
    const struct fenced *place = find_place(closer, poll);
    return place < closer->fenced + closer->n_fenced && strcmp(place->poll, poll) == 0 ? place : NULL;
}

/* Deleted ones too: behind the fence nobody can have voted who had not before, so a worker may forget the poll. */
static bool is_due(const struct closer *closer, const struct poll *poll)
{
    if (poll->deleted && poll->updated_at_ms + closer->delay_ms <= closer->now_ms)
        return true;
    return !poll->draft && poll->closes_at_ms != 0 && poll->closes_at_ms + closer->delay_ms <= closer->now_ms;
}

/* Somebody was about to open it again and did not come to it. */
static bool is_abandoned(const struct closer *closer, const struct poll *poll)
{
    return poll->opening_term > poll->term && !poll->deleted && poll_state_at(poll, closer->now_ms) == POLL_CLOSED &&
           poll->updated_at_ms + closer->delay_ms <= closer->now_ms;
}

/* Where more are due than one look takes, as after a start, those that closed last come first: somebody waits for them,
 * and the others most likely have a fence. */
static void note_due(struct closer *closer, const struct fenced *due)
{
    struct fenced *place = closer->due;

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

static void look_at(void *arg, const struct poll *poll)
{
    struct closer *closer = arg;
    struct fenced due = {.term = poll->term, .changed_ms = poll->updated_at_ms};

    if (!is_abandoned(closer, poll) && !is_due(closer, poll))
        return;
    const struct fenced *fenced = find_fenced(closer, poll->id);
    if (fenced != NULL && fenced->term >= poll->term && !is_abandoned(closer, poll))
        return;
    if (due.changed_ms < poll->closes_at_ms)
        due.changed_ms = poll->closes_at_ms;
    memcpy(due.poll, poll->id, sizeof(due.poll));
    note_due(closer, &due);
}

static void remember(struct closer *closer, const struct fenced *due)
{
    GROW(closer->fenced, closer->room, closer->n_fenced + 1);
    struct fenced *place = find_place(closer, due->poll), *end = closer->fenced + closer->n_fenced;
    if (place == end || strcmp(place->poll, due->poll) != 0) {
        memmove(place + 1, place, (size_t)(end - place) * sizeof(*place));
        closer->n_fenced++;
    }
    *place = *due;
}

/* The term that was to begin counts as begun and over: its gate may be in the stream, and only a fence of the same term
 * closes what it opened. Whoever is still about to open the poll finds the definition changed, and tries again with the
 * next term. */
static enum status give_up(const struct closer *closer, const struct poll *poll, uint64_t revision, struct errmsg *err)
{
    struct poll *changed = poll_copy(poll);

    changed->term = poll->opening_term;
    changed->opening_term = 0;
    changed->updated_at_ms = closer->now_ms > poll->updated_at_ms ? closer->now_ms : poll->updated_at_ms + 1;
    enum status st = poll_store_put(closer->api, changed, revision, err);
    poll_release(changed);
    log_warn("poll was not opened again after all", LOG_S("poll", poll->id), LOG_I("term", poll->opening_term));
    return st == ST_CONFLICT ? ST_OK : st; /* another vote-api did it */
}

/* What this process has seen of the poll may be old: its closing time may have been put off, or the poll opened again.
 * A fence cannot be taken back, so the bucket is asked. Whoever edits the poll from now on finds it closed. Returns
 * whether it was published. */
static bool fence(struct closer *closer, const struct fenced *due)
{
    bool published = false;
    struct bus_value value;
    struct poll *poll = NULL;
    struct errmsg err;
    enum status st = bus_bucket_get(closer->api->bus, BUS_BUCKET_POLLS, due->poll, &value, &err);

    if (st == ST_OK)
        st = wire_decode_poll(value.bytes.data, value.bytes.len, &poll, &err);
    if (st == ST_OK && is_abandoned(closer, poll)) {
        st = give_up(closer, poll, value.revision, &err);
    } else if (st == ST_OK && poll->term == due->term && is_due(closer, poll)) {
        st = poll_marks_publish_fence(closer->api->bus, due->poll, due->term, &err);
        published = st == ST_OK;
        if (published)
            remember(closer, due);
    }
    if (st != ST_OK)
        log_warn("fence not published", LOG_S("poll", due->poll), LOG_S("error", err.text));
    poll_release(poll);
    free(value.bytes.data);
    return published;
}

static void look_for_reopened(void *arg, const struct poll *poll)
{
    struct closer *closer = arg;
    struct fenced reopened = {.term = poll->term};

    if (poll->term == 0 || poll_state_at(poll, closer->now_ms) != POLL_OPEN)
        return;
    memcpy(reopened.poll, poll->id, sizeof(reopened.poll));
    remember(closer, &reopened);
}

/* A stream that was made anew has none of the marks that nobody had applied by then: closed polls are fenced again, and
 * those that were opened again get their gate, which changes nothing where it was known. */
static bool mark_again(struct closer *closer)
{
    struct errmsg err;
    size_t published = 0;

    closer->n_fenced = 0;
    directory_each(closer->api->watch.polls, look_for_reopened, closer);
    for (size_t i = 0; i < closer->n_fenced; i++)
        published += poll_marks_publish_gate(closer->api->bus, closer->fenced[i].poll, closer->fenced[i].term, &err) ==
                     ST_OK;
    bool all = published == closer->n_fenced;
    closer->n_fenced = 0;
    return all;
}

static void look_at_stream(struct closer *closer)
{
    struct bus_stream_info info;
    struct errmsg err;
    int64_t now = clock_mono_ms();

    if (now < closer->next_stream_look_ms)
        return;
    closer->next_stream_look_ms = now + STREAM_LOOK_MS;
    if (bus_stream_info(closer->api->bus, &info, &err) != ST_OK || closer->created_ns == info.created_ns)
        return;
    if (closer->created_ns != 0) {
        log_warn("the stream is another one: its fences and gates are published again",
                 LOG_I("polls", closer->n_fenced));
        if (!mark_again(closer))
            return; /* the next look tries again */
    }
    closer->created_ns = info.created_ns;
}

/* Returns whether there may be more to do at once. */
static bool closer_turn(struct closer *closer)
{
    size_t published = 0;

    closer->n_due = 0;
    closer->now_ms = clock_wall_ms();
    if (!bus_is_connected(closer->api->bus) || !atomic_load(&closer->api->watch.is_known))
        return false;
    look_at_stream(closer);
    directory_each(closer->api->watch.polls, look_at, closer);
    for (size_t i = 0; i < closer->n_due; i++)
        published += fence(closer, &closer->due[i]);
    return published == DUE_MAX;
}

static void *closer_run(void *arg)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};

    for (;;)
        if (!closer_turn(arg))
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
