/* poll_watch - keeps a directory of polls equal to the bucket `polls`.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_POLL_WATCH_H
#define SCRUTIN_POLL_WATCH_H

#include "ballot/directory.h"
#include <stdatomic.h>

/* The caller owns it, and keeps it until the bus is closed. Set polls and the callbacks, and zero the rest. The
 * callbacks run on the thread of the watch; NULL is fine. */
struct poll_watch {
    void (*on_change)(const char *poll);   /* the directory has a newer definition of this poll */
    void (*on_synced)(size_t bucket_size); /* the whole bucket was read; is_known is set after that */
    struct directory *polls;               /* owned by the caller */
    atomic_bool is_known; /* the whole bucket was read once, so a poll that is not in the directory does not exist */
};

/* For struct bus_watch of the bucket `polls`; arg is the watch. */
void poll_watch_on_value(void *watch, const char *key, const void *data, size_t len, uint64_t revision);
void poll_watch_on_synced(void *watch, size_t bucket_size);

/* For struct http_check; arg is the watch. */
bool poll_watch_is_ready(void *watch, char detail[128]);

#endif
