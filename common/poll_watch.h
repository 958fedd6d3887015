/* poll_watch - keeps a directory of polls equal to the bucket.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_POLL_WATCH_H
#define SCRUTIN_POLL_WATCH_H

#include "bus.h"
#include "directory.h"
#include <stdatomic.h>

/* The caller's, for as long as the bus. Zeroed but for the callbacks, which run on the watch's thread; NULL is fine. */
struct poll_watch {
    void (*on_change)(const char *poll);   /* the directory has a newer definition */
    void (*on_synced)(size_t bucket_size); /* the bucket was read as a whole, before is_known is set */
    struct directory *polls;               /* the caller's */
    atomic_bool is_known;                  /* the bucket was read once as a whole: what is not there does not exist */
};

MUST_CHECK enum status poll_watch_start(struct poll_watch *watch, struct bus *bus, struct errmsg *err);

/* For struct http_check; arg is the watch. */
bool poll_watch_is_ready(void *watch, char detail[128]);

#endif
