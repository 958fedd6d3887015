/* poll_watch - keeps a directory of polls equal to the bucket.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_POLL_WATCH_H
#define SCRUTIN_POLL_WATCH_H

#include "ballot/directory.h"
#include <stdatomic.h>

/* The caller's, for as long as the bus that calls it. Zeroed but for the callbacks, which run on the watch's thread;
 * NULL is fine. */
struct poll_watch {
    void (*on_change)(const char *poll);   /* the directory has a newer definition */
    void (*on_synced)(size_t bucket_size); /* the bucket was read as a whole, before is_known is set */
    struct directory *polls;               /* the caller's */
    atomic_bool is_known;                  /* the bucket was read once as a whole: what is not there does not exist */
};

/* For struct bus_watch of the bucket `polls`; arg is the watch. */
void poll_watch_on_value(void *watch, const char *key, const void *data, size_t len, uint64_t revision);
void poll_watch_on_synced(void *watch, size_t bucket_size);

/* For struct http_check; arg is the watch. */
bool poll_watch_is_ready(void *watch, char detail[128]);

#endif
