/* poll_copy - keeps the polls in PostgreSQL equal to the bucket, and fills an emptied bucket again.
 * SPDX-License-Identifier: MIT
 *
 * The watch thread notes what changed; the thread that owns the store writes it. */
#ifndef WORKER_POLL_COPY_H
#define WORKER_POLL_COPY_H

#include "ballot_store.h"
#include "bus.h"

struct poll_copy;

/* Starts watching the bucket. */
MUST_CHECK enum status poll_copy_open(struct bus *bus, struct poll_copy **out, struct errmsg *err);
/* Writes what was noted since the last call; refills the bucket when it holds fewer polls than the database. On the
 * store's thread. What could not be written stays noted. */
MUST_CHECK enum status poll_copy_run(struct poll_copy *copy, struct ballot_store *store, struct errmsg *err);
/* For ballot_store_on_unknown_poll: asks the bucket itself, since the watch may lag behind the stream. */
enum status poll_copy_fetch(void *copy, struct ballot_store *store, const char *poll_id, struct errmsg *err);

#endif
