/* poll_watch - puts the values of the bucket into the directory.
 * SPDX-License-Identifier: MIT */
#include "ballot/poll_watch.h"

#include "ballot/wire.h"
#include "base/log.h"
#include <stdio.h>
#include <string.h>

void poll_watch_on_value(void *arg, const char *key, const void *data, size_t len, uint64_t revision)
{
    struct poll_watch *watch = arg;
    struct poll *poll;
    struct errmsg err;
    char id[POLL_ID_MAX + 1];

    if (wire_decode_poll(data, len, &poll, &err) != ST_OK) {
        log_warn("a poll in the bucket cannot be decoded", LOG_S("key", key), LOG_S("error", err.text));
        return;
    }
    memcpy(id, poll->id, sizeof(id));
    if (directory_put(watch->polls, poll) && watch->on_change != NULL)
        watch->on_change(id);
}

void poll_watch_on_synced(void *arg, size_t bucket_size)
{
    struct poll_watch *watch = arg;

    directory_end_round(watch->polls);
    if (watch->on_synced != NULL)
        watch->on_synced(bucket_size);
    if (!atomic_exchange(&watch->is_known, true))
        log_info("all polls read", LOG_I("polls", directory_count(watch->polls)));
}

bool poll_watch_is_ready(void *arg, char detail[128])
{
    struct poll_watch *watch = arg;
    bool known = atomic_load(&watch->is_known);

    if (!known)
        snprintf(detail, 128, "the polls have not been read yet");
    return known;
}
