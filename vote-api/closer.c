/* closer - a thread that looks for closed polls twice a second.
 * SPDX-License-Identifier: MIT */
#include "closer.h"

#include "clock.h"
#include "log.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 500
#define WRITE_DEADLINE_MS 500

struct fenced {
    char poll[POLL_ID_MAX + 1];
    int64_t closes_at_ms;
};

struct closer {
    const struct vote_api *api;
    int64_t delay_ms;
    struct fenced *fenced; /* by this process */
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

static void look_at(void *arg, const struct poll *poll)
{
    struct closer *closer = arg;
    const struct fenced *fenced;

    if (poll->closes_at_ms == 0 || poll->closes_at_ms + closer->delay_ms > closer->now_ms ||
        closer->n_due == sizeof(closer->due) / sizeof(closer->due[0]))
        return;
    fenced = find_fenced(closer, poll->id);
    if (fenced != NULL && fenced->closes_at_ms == poll->closes_at_ms)
        return;
    struct fenced *due = &closer->due[closer->n_due++];
    memcpy(due->poll, poll->id, sizeof(due->poll));
    due->closes_at_ms = poll->closes_at_ms;
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

static void publish_fence(struct closer *closer, const struct fenced *due)
{
    struct ballot_batch batch = {.n_ballots = 0};
    struct bytes bytes;
    struct errmsg err;
    uint64_t sequence;

    voter_id_random(batch.id);
    memcpy(batch.fence_poll, due->poll, sizeof(batch.fence_poll));
    wire_encode_batch(&batch, &bytes);
    enum status st = bus_publish_acked(closer->api->bus, BUS_SUBJECT_FENCE, NULL, bytes.data, bytes.len, &sequence,
                                       &err);
    free(bytes.data);
    if (st == ST_OK) {
        log_info("poll fenced", LOG_S("poll", due->poll), LOG_I("sequence", sequence));
        remember(closer, due);
    } else {
        log_warn("fence not published", LOG_S("poll", due->poll), LOG_S("error", err.text));
    }
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
            publish_fence(closer, &closer->due[i]);
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
