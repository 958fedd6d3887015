/* poll_store - writes a poll's definition to the bucket `polls`.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLL_STORE_H
#define VOTE_API_POLL_STORE_H

#include "vote_api.h"

/* Writes the poll in place of the given revision (0: the poll must be new), and puts it into this process's directory.
 * Blocks until the broker answers, so it must not run on a loop.
 *
 * ST_CONFLICT  the bucket has another revision
 * ST_DECODE    the encoded poll cannot be read back; nothing was written
 * other        as bus_bucket_put */
MUST_CHECK enum status poll_store_put(const struct vote_api *api, const struct poll *poll, uint64_t revision,
                                      struct errmsg *err);

#endif
