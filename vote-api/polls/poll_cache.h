/* poll_cache - the polls that one loop needed lately, as copies of its own.
 * SPDX-License-Identifier: MIT
 *
 * Loops that share a poll also share its reference count, and that costs more than a search of a few copies. The
 * audience in a hall votes in one poll, so the copy that a request needs is usually there. A cache belongs to its
 * loop's thread. */
#ifndef VOTE_API_POLL_CACHE_H
#define VOTE_API_POLL_CACHE_H

#include "ballot/directory.h"
#include "http/http.h"

#define POLL_CACHE_MAX 8 /* copies */

struct poll_cache {
    struct poll *polls[POLL_CACHE_MAX];
    size_t n;
    unsigned misses;  /* lookups that found all places taken by other polls */
    uint64_t version; /* of the directory when the copies were made */
};

/* Finds the poll whose id is in the path, for a handler. Returns a reference; the caller releases it. Returns NULL
 * after it answered: 404 when there is no such poll, 503 while this process does not know all polls yet. */
struct poll *find_poll_or_refuse(struct http_call *call, h2o_iovec_t id);

#endif
