/* bucket_copy - keeps a table of PostgreSQL equal to a bucket, and fills an emptied bucket again.
 * SPDX-License-Identifier: MIT
 *
 * The watch thread notes what changed; the thread that owns the store writes it. */
#ifndef WORKER_BUCKET_COPY_H
#define WORKER_BUCKET_COPY_H

#include "bus/bus.h"
#include "store/ballot_store.h"

#define BUCKET_KEY_MAX 79 /* bytes */

typedef void (*bucket_copy_row)(void *arg, const char *key, const void *value, size_t len);

/* What is copied, and how the store has it. */
struct bucket_copy_kind {
    enum bus_bucket bucket;
    const char *name; /* for the log */
    /* Keeps a value; ST_OK also for one that no later try could keep. */
    enum status (*put)(struct ballot_store *store, const char *key, const void *value, size_t len, struct errmsg *err);
    enum status (*count)(struct ballot_store *store, size_t *n, struct errmsg *err);
    enum status (*each)(struct ballot_store *store, bucket_copy_row on_row, void *arg, struct errmsg *err);
};

struct bucket_copy;

/* Starts watching the bucket. */
MUST_CHECK enum status bucket_copy_open(struct bus *bus, const struct bucket_copy_kind *kind, struct bucket_copy **out,
                                        struct errmsg *err);
/* Writes what was noted since the last call and the database does not have; refills the bucket when it holds fewer
 * values than the database. On the store's thread. What could not be written stays noted. */
MUST_CHECK enum status bucket_copy_run(struct bucket_copy *copy, struct ballot_store *store, struct errmsg *err);

#endif
