/* poll_copy - copies polls from their bucket to PostgreSQL.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_POLL_COPY_H
#define WORKER_POLL_COPY_H

#include "store/bucket_copy.h"

extern const struct bucket_copy_kind poll_copy_kind;

/* Copies one poll now. For ballot_store_on_unknown_poll: the bucket's watch may lag behind the stream. Returns ST_OK
 * also when the bucket has no such poll. */
enum status poll_copy_fetch(void *bus, struct ballot_store *store, const char *poll_id, struct errmsg *err);

#endif
