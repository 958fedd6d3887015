/* poll_unused - what becomes of polls that nobody votes in. Pure.
 * SPDX-License-Identifier: MIT
 *
 *   open ──unused for long──▶ closed, expiring ──fence passed, still unused──▶ deleted ──fence passed──▶ forgotten
 *
 * A ballot that comes while the poll is being closed is before the fence and counts: then the poll stays, closed.
 * Polls that are made with an API key, or that nobody manages, as the default poll, are kept for good. */
#ifndef WORKER_POLL_UNUSED_H
#define WORKER_POLL_UNUSED_H

#include "ballot/poll_definition.h"

/* From being told so to the closing: by then every vote-api knows of it. */
#define POLL_UNUSED_GRACE_MS 2000
#define POLL_UNUSED_KEPT (-1)

/* Since when the poll could have had ballots, ms since 1970: its last edit, opening or closing; 0: it is expiring, so
 * long enough. POLL_UNUSED_KEPT: it does not expire. */
int64_t poll_unused_since(const struct poll *poll);

/* The poll as it is to be stored in place of this one, in which nobody has voted so far, with a reference; NULL: it
 * stays as it is. is_free: everything before its fence is applied, and nobody has voted. */
struct poll *poll_unused_step(const struct poll *poll, bool is_free, int64_t now_ms, int64_t unused_ms);

#endif
