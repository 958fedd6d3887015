/* tail - reads the stream BALLOTS behind what is applied, and keeps the backlog.
 * SPDX-License-Identifier: MIT
 *
 * One thread, which owns the subscription. The backlog is shared with the refresher under a lock. The tail reads only
 * once the refresher has said where the applied part of the stream ends. */
#ifndef SCRUTIN_TAIL_H
#define SCRUTIN_TAIL_H

#include "bus/bus.h"
#include "read/backlog.h"
#include "read/board.h"

struct tail;

/* max_messages: of the backlog; where more wait, `pending` is not known until the workers have caught up. */
MUST_CHECK enum status tail_open(struct bus *bus, struct board *board, size_t max_messages, struct tail **out,
                                 struct errmsg *err);
void tail_close(struct tail *tail); /* before bus_close; NULL is fine */

/* The backlog, until tail_unlock. */
struct backlog *tail_lock(struct tail *tail);
void tail_unlock(struct tail *tail);
/* Whether the stream is being read. */
bool tail_is_following(struct tail *tail);
/* backlog_set_epoch, and a new start of the reader where it says so. */
void tail_set_epoch(struct tail *tail, unsigned epoch, int64_t created_ns, uint64_t floor);

#endif
