/* code_watch - adds each value of the bucket to the code book.
 * SPDX-License-Identifier: MIT */
#include "codes/code_watch.h"

#include "ballot/wire.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void code_watch_purge(struct code_watch *watch, const char *poll)
{
    char pattern[POLL_ID_MAX + 3];
    struct errmsg err;

    code_book_drop(watch->book, poll);
    snprintf(pattern, sizeof(pattern), "%s.>", poll);
    if (bus_bucket_purge(watch->bus, BUS_BUCKET_CODES, pattern, &err) != ST_OK)
        log_warn("voting codes of a deleted poll were not removed", LOG_S("poll", poll), LOG_S("error", err.text));
}

static bool is_poll_deleted(const struct code_watch *watch, const char *id)
{
    struct poll *poll = directory_find(watch->polls, id, strlen(id));
    bool deleted = poll != NULL && poll->deleted;

    poll_release(poll);
    return deleted;
}

void code_watch_on_poll_change(struct code_watch *watch, const char *poll)
{
    if (is_poll_deleted(watch, poll))
        code_book_drop(watch->book, poll);
}

static void on_value(void *arg, const char *key, const void *data, size_t len, uint64_t revision)
{
    struct code_watch *watch = arg;
    struct code_chunk chunk;
    struct errmsg err;

    if (wire_decode_codes(data, len, &chunk, &err) != ST_OK) {
        log_warn("voting codes cannot be read", LOG_S("key", key), LOG_S("error", err.text));
        return;
    }
    if (!is_poll_deleted(watch, chunk.poll))
        code_book_add(watch->book, chunk.poll, chunk.hashes, chunk.n);
    if (is_poll_deleted(watch, chunk.poll)) /* just now, or earlier and its codes were not removed */
        code_watch_purge(watch, chunk.poll);
    free(chunk.memory);
}

static void on_synced(void *arg, size_t bucket_size)
{
    struct code_watch *watch = arg;

    if (!atomic_exchange(&watch->is_known, true))
        log_info("all voting codes are read", LOG_I("codes", code_book_total(watch->book)));
}

enum status code_watch_start(struct code_watch *watch, struct errmsg *err)
{
    const struct bus_watch bus_watch = {on_value, on_synced, watch};

    return bus_watch_bucket(watch->bus, BUS_BUCKET_CODES, &bus_watch, err);
}

bool code_watch_is_ready(void *arg, char detail[128])
{
    struct code_watch *watch = arg;
    bool known = atomic_load(&watch->is_known);

    if (!known)
        snprintf(detail, 128, "the voting codes are still being read");
    return known;
}

bool code_watch_has_all(struct code_watch *watch, const struct poll *poll)
{
    return atomic_load(&watch->is_known) && code_book_count(watch->book, poll->id) >= poll->voting_codes;
}
