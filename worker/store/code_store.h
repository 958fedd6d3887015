/* code_store - copies the bucket `codes`, which has the hashes of voting codes, to PostgreSQL.
 * SPDX-License-Identifier: MIT
 *
 * Errors are those of ballot_store.h. */
#ifndef WORKER_CODE_STORE_H
#define WORKER_CODE_STORE_H

#include "store/bucket_copy.h"

extern const struct bucket_copy_kind code_store_kind;

/* Stores a value of the bucket unless its poll is deleted. A key that is already stored does not change. */
MUST_CHECK enum status code_store_put(struct ballot_store *store, const char *key, const void *value, size_t len,
                                      struct errmsg *err);
/* Removes the codes of a deleted poll. */
MUST_CHECK enum status code_store_drop(struct ballot_store *store, const char *poll, struct errmsg *err);
MUST_CHECK enum status code_store_count(struct ballot_store *store, size_t *n, struct errmsg *err);
MUST_CHECK enum status code_store_each(struct ballot_store *store, bucket_copy_row on_row, void *arg,
                                       struct errmsg *err);

#endif
