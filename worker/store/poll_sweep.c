/* poll_sweep - finds unused polls, then treats each of them.
 * SPDX-License-Identifier: MIT */
#include "store/poll_sweep.h"

#include "ballot/wire.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/ballot_store_internal.h"
#include "store/poll_unused.h"
#include <stdio.h>
#include <stdlib.h>

#define SWEEP_MS_MIN 250
#define SWEEP_MS_MAX 60000
#define CATCH_UP_MS 1000 /* between two checks whether the database has caught up */

struct unused {
    char id[POLL_ID_MAX + 1];
    bool deleted, is_free;
};

static enum status find_unused(const struct poll_sweep *sweep, struct ballot_store *store, struct unused *out,
                               size_t *n, struct errmsg *err)
{
    struct pg_args args = {0};
    int64_t now = clock_wall_ms();
    enum status st = ballot_store_connect(store, err);

    *n = 0;
    if (st != ST_OK)
        return st;
    pg_args_add_int8(&args, pg_time_from_ms(sweep->unused_ms > 0 ? now - sweep->unused_ms : 0));
    pg_args_add_int8(&args, pg_time_from_ms(now - sweep->forget_ms));
    pg_args_add_int8(&args, POLL_SWEEP_MAX);
    pg_link_send(store->session.link, "polls_unused", &args);
    st = pg_session_run(&store->session, "reading unused polls", err);
    for (size_t row = 0; st == ST_OK && row < pg_link_rows(store->session.link, 0); row++) {
        struct unused *one = &out[(*n)++];
        snprintf(one->id, sizeof(one->id), "%s", pg_link_bytes(store->session.link, 0, row, 0, NULL));
        one->deleted = pg_link_number(store->session.link, 0, row, 1) != 0;
        one->is_free = pg_link_number(store->session.link, 0, row, 2) != 0;
    }
    return st;
}

/* Reads and replaces the definition in the bucket: it may be newer than the one in the database. */
static enum status advance_unused(const struct poll_sweep *sweep, const struct unused *unused, struct errmsg *err)
{
    struct bus_value value;
    struct bytes bytes = {NULL, 0};
    struct poll *poll = NULL, *next = NULL;
    enum status st = bus_bucket_get(sweep->bus, BUS_BUCKET_POLLS, unused->id, &value, err);

    if (st == ST_OK)
        st = wire_decode_poll(value.bytes.data, value.bytes.len, &poll, err);
    if (st == ST_OK)
        next = poll_unused_step(poll, unused->is_free, clock_wall_ms(), sweep->unused_ms);
    if (next != NULL) {
        wire_encode_poll(next, &bytes);
        st = bus_bucket_put(sweep->bus, BUS_BUCKET_POLLS, next->id, bytes.data, bytes.len, value.revision, err);
        if (st == ST_OK)
            log_info(next->deleted ? "unused poll deleted" : "unused poll is closing", LOG_S("poll", next->id));
    }
    poll_release(next);
    poll_release(poll);
    free(bytes.data);
    free(value.bytes.data);
    return st == ST_CONFLICT || st == ST_NOT_FOUND ? ST_OK : st; /* another worker or its manager was faster */
}

/* Removes the row first: otherwise a worker could copy it back to the bucket. */
static enum status forget_poll(const struct poll_sweep *sweep, struct ballot_store *store, const struct unused *unused,
                               enum status *of_bus, struct errmsg *err)
{
    struct pg_args args = {0};
    enum status st = ballot_store_connect(store, err);

    if (st != ST_OK)
        return st;
    pg_args_add_text(&args, unused->id);
    pg_link_send(store->session.link, "poll_forget", &args);
    st = pg_session_run(&store->session, "forgetting a deleted poll", err);
    if (st == ST_OK && pg_link_number(store->session.link, 0, 0, 0) != 0) {
        *of_bus = bus_bucket_purge(sweep->bus, BUS_BUCKET_POLLS, unused->id, err);
        log_info("deleted poll forgotten", LOG_S("poll", unused->id));
    }
    return st;
}

/* Whether the database has applied what the stream held when this was first asked. Ballots may wait in the stream while
 * workers or database are away, and until they are applied the poll looks unused. ST_NOT_FOUND: not yet. */
static enum status catch_up(struct poll_sweep *sweep, struct ballot_store *store, unsigned epoch, enum status *of_bus,
                            struct errmsg *err)
{
    struct bus_stream_info stream;
    uint64_t applied;

    if (!sweep->waits || sweep->epoch != epoch) {
        *of_bus = bus_stream_info(sweep->bus, &stream, err);
        if (*of_bus != ST_OK)
            return ST_NOT_FOUND;
        sweep->waits = true;
        sweep->epoch = epoch;
        sweep->end = stream.last_sequence;
    }
    enum status st = ballot_store_find_floor(store, epoch, &applied, err);
    if (st == ST_OK && applied < sweep->end)
        return ST_NOT_FOUND;
    sweep->waits = st != ST_OK;
    return st;
}

enum status poll_sweep_run(struct poll_sweep *sweep, struct ballot_store *store, unsigned epoch, struct errmsg *err)
{
    int64_t now = clock_mono_ms(), pause = SWEEP_MS_MAX;
    struct unused list[POLL_SWEEP_MAX];
    enum status of_bus = ST_OK;
    size_t n = 0;

    if (now < sweep->next_ms || !bus_is_connected(sweep->bus))
        return ST_OK;
    if (sweep->unused_ms > 0 && sweep->unused_ms / 4 < pause)
        pause = sweep->unused_ms / 4;
    if (sweep->forget_ms / 4 < pause)
        pause = sweep->forget_ms / 4;
    if (pause < SWEEP_MS_MIN)
        pause = SWEEP_MS_MIN;
    enum status st = catch_up(sweep, store, epoch, &of_bus, err);
    sweep->next_ms = now + (st == ST_NOT_FOUND && pause > CATCH_UP_MS ? CATCH_UP_MS : pause);
    if (st == ST_OK)
        st = find_unused(sweep, store, list, &n, err);
    for (size_t i = 0; i < n && st == ST_OK && of_bus == ST_OK; i++) {
        if (list[i].deleted && list[i].is_free)
            st = forget_poll(sweep, store, &list[i], &of_bus, err);
        else if (!list[i].deleted)
            of_bus = advance_unused(sweep, &list[i], err);
    }
    if (of_bus != ST_OK)
        log_warn("cannot close or delete unused polls; trying again later", LOG_S("error", err->text));
    return st == ST_NOT_FOUND ? ST_OK : st;
}
