/* poll_unused - decides what happens to polls that nobody votes in. Pure.
 * SPDX-License-Identifier: MIT
 *
 *   open ──unused for long──▶ closed, expiring ──fence passed, still unused──▶ deleted ──fence passed──▶ forgotten
 *
 * A ballot that arrives before the fence counts; then the poll stays, closed. Polls that were created with an API key
 * are kept for ever, and so are polls without a manager, such as the default poll. */
#ifndef WORKER_POLL_UNUSED_H
#define WORKER_POLL_UNUSED_H

#include "ballot/poll_definition.h"

/* From announcing the closing time to closing: by then every vote-api knows of it. */
#define POLL_UNUSED_GRACE_MS 2000
#define POLL_UNUSED_KEPT (-1)

/* When the poll was last edited, opened or closed, in ms since 1970. 0: it is expiring, so it was unused for long
 * enough. POLL_UNUSED_KEPT: it never expires. */
int64_t poll_unused_since(const struct poll *poll);

/* The definition that replaces this one of a poll without ballots; the caller releases it. NULL: the poll stays as it
 * is. is_free: everything before its fence is applied, and nobody has voted. */
struct poll *poll_unused_step(const struct poll *poll, bool is_free, int64_t now_ms, int64_t unused_ms);

#endif
