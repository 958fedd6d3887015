/* poll_copy - the copy of the polls in PostgreSQL.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_POLL_COPY_H
#define WORKER_POLL_COPY_H

#include "store/bucket_copy.h"

extern const struct bucket_copy_kind poll_copy_kind;

/* For ballot_store_on_unknown_poll: asks the bucket itself, since the watch may lag behind the stream. */
enum status poll_copy_fetch(void *bus, struct ballot_store *store, const char *poll_id, struct errmsg *err);

#endif
