/* closer - a thread that looks for closed polls twice a second.
 * SPDX-License-Identifier: MIT */
#include "closer.h"

#include "clock.h"
#include "log.h"
#include "polls.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 500
#define WRITE_DEADLINE_MS 500

/* --- marks */

static enum status publish(struct bus *bus, const struct ballot_batch *mark, const char *what, const char *poll,
                           struct errmsg *err)
{
    struct bytes bytes;
    uint64_t sequence;

    wire_encode_batch(mark, &bytes);
    enum status st = bus_publish_acked(bus, BUS_SUBJECT_FENCE, NULL, bytes.data, bytes.len, &sequence, err);
    free(bytes.data);
    if (st == ST_OK)
        log_info(what, LOG_S("poll", poll), LOG_I("term", mark->term), LOG_I("sequence", sequence));
    return st;
}

enum status closer_publish_fence(struct bus *bus, const char *poll, unsigned term, struct errmsg *err)
{
    struct ballot_batch mark = {.term = term};

    voter_id_random(mark.id);
    memcpy(mark.fence_poll, poll, strlen(poll) + 1);
    return publish(bus, &mark, "poll fenced", poll, err);
}

enum status closer_publish_gate(struct bus *bus, const char *poll, unsigned term, struct errmsg *err)
{
    struct ballot_batch mark = {.term = term};

    voter_id_random(mark.id);
    memcpy(mark.gate_poll, poll, strlen(poll) + 1);
    return publish(bus, &mark, "poll opened again", poll, err);
}

/* --- the thread */

/* A poll that this process has fenced, or is to, and in which term. */
struct fenced {
    char poll[POLL_ID_MAX + 1];
    unsigned term;
};

struct closer {
    const struct vote_api *api;
    int64_t delay_ms;
    struct fenced *fenced;
    size_t n_fenced, size;
    struct fenced due[16]; /* found in one look */
    size_t n_due;
    int64_t now_ms;
};

static struct fenced *find_fenced(struct closer *closer, const char *poll)
{
    for (size_t i = 0; i < closer->n_fenced; i++)
        if (strcmp(closer->fenced[i].poll, poll) == 0)
            return &closer->fenced[i];
    return NULL;
}

static bool is_due(const struct closer *closer, const struct poll *poll)
{
    return !poll->draft && poll->closes_at_ms != 0 && poll->closes_at_ms + closer->delay_ms <= closer->now_ms;
}

/* Somebody was about to open it again and did not come to it. */
static bool is_abandoned(const struct closer *closer, const struct poll *poll)
{
    return poll->opening_term > poll->term && !poll->deleted && poll_state_at(poll, closer->now_ms) == POLL_CLOSED &&
           poll->updated_at_ms + closer->delay_ms <= closer->now_ms;
}

static void look_at(void *arg, const struct poll *poll)
{
    struct closer *closer = arg;

    if (closer->n_due == sizeof(closer->due) / sizeof(closer->due[0]))
        return;
    const struct fenced *fenced = find_fenced(closer, poll->id);
    bool is_fenced = fenced != NULL && fenced->term >= poll->term;
    if (!is_abandoned(closer, poll) && (is_fenced || !is_due(closer, poll)))
        return;
    struct fenced *due = &closer->due[closer->n_due++];
    memcpy(due->poll, poll->id, sizeof(due->poll));
    due->term = poll->term;
}

static void remember(struct closer *closer, const struct fenced *due)
{
    struct fenced *fenced = find_fenced(closer, due->poll);

    if (fenced == NULL) {
        if (closer->n_fenced == closer->size) {
            closer->size = closer->size == 0 ? 64 : 2 * closer->size;
            closer->fenced = h2o_mem_realloc(closer->fenced, closer->size * sizeof(*closer->fenced));
        }
        fenced = &closer->fenced[closer->n_fenced++];
    }
    *fenced = *due;
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
    enum status st = polls_store(closer->api, changed, revision, err);
    poll_release(changed);
    log_warn("poll was not opened again after all", LOG_S("poll", poll->id), LOG_I("term", poll->opening_term));
    return st == ST_CONFLICT ? ST_OK : st; /* another vote-api did it */
}

/* What this process has seen of the poll may be old: its closing time may have been put off, or the poll opened again.
 * A fence cannot be taken back, so the bucket is asked. Whoever edits the poll from now on finds it closed. */
static void fence(struct closer *closer, const struct fenced *due)
{
    struct bus_value value;
    struct poll *poll = NULL;
    struct errmsg err;
    enum status st = bus_bucket_get(closer->api->bus, BUS_BUCKET_POLLS, due->poll, &value, &err);

    if (st == ST_OK)
        st = wire_decode_poll(value.bytes.data, value.bytes.len, &poll, &err);
    if (st == ST_OK && is_abandoned(closer, poll)) {
        st = give_up(closer, poll, value.revision, &err);
    } else if (st == ST_OK && poll->term == due->term && is_due(closer, poll)) {
        st = closer_publish_fence(closer->api->bus, due->poll, due->term, &err);
        if (st == ST_OK)
            remember(closer, due);
    }
    if (st != ST_OK)
        log_warn("fence not published", LOG_S("poll", due->poll), LOG_S("error", err.text));
    poll_release(poll);
    free(value.bytes.data);
}

static void *closer_run(void *arg)
{
    struct closer *closer = arg;

    for (;;) {
        struct timespec pause = {0, LOOK_MS * 1000000L};
        closer->n_due = 0;
        closer->now_ms = clock_wall_ms();
        if (bus_is_connected(closer->api->bus))
            directory_each(closer->api->watch.polls, look_at, closer);
        for (size_t i = 0; i < closer->n_due; i++)
            fence(closer, &closer->due[i]);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

enum status closer_start(const struct vote_api *api, int64_t ack_timeout_ms, struct errmsg *err)
{
    struct closer *closer = calloc(1, sizeof(*closer));
    pthread_t thread;

    if (closer == NULL)
        abort();
    closer->api = api;
    closer->delay_ms = ack_timeout_ms + WRITE_DEADLINE_MS + CLOSER_MARGIN_MS;
    if (pthread_create(&thread, NULL, closer_run, closer) != 0) {
        free(closer);
        return fail(err, ST_IO, "cannot start a thread");
    }
    pthread_detach(thread);
    return ST_OK;
}
