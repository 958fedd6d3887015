/* bucket_copy - copies a bucket to a table of PostgreSQL, and fills a bucket that lost values from the table.
 * SPDX-License-Identifier: MIT
 *
 * The watch thread notes what changed. The thread that owns the store writes it. */
#ifndef WORKER_BUCKET_COPY_H
#define WORKER_BUCKET_COPY_H

#include "bus/bus.h"
#include "store/ballot_store.h"

#define BUCKET_KEY_MAX 79 /* bytes */

typedef void (*bucket_copy_row)(void *arg, const char *key, const void *value, size_t len);

/* A bucket, and the store's functions for its table. */
struct bucket_copy_kind {
    enum bus_bucket bucket;
    const char *name; /* for the log */
    /* Stores a value. Returns ST_OK also for a value that can never be stored. */
    enum status (*put)(struct ballot_store *store, const char *key, const void *value, size_t len, struct errmsg *err);
    enum status (*count)(struct ballot_store *store, size_t *n, struct errmsg *err);
    enum status (*each)(struct ballot_store *store, bucket_copy_row on_row, void *arg, struct errmsg *err);
};

struct bucket_copy;

/* Starts to watch the bucket. The copy is never freed. */
MUST_CHECK enum status bucket_copy_open(struct bus *bus, const struct bucket_copy_kind *kind, struct bucket_copy **out,
                                        struct errmsg *err);
/* On the store's thread: writes the noted values that the database does not have, and fills the bucket if it holds
 * fewer values than the table. Values that could not be written stay noted. */
MUST_CHECK enum status bucket_copy_run(struct bucket_copy *copy, struct ballot_store *store, struct errmsg *err);

#endif
