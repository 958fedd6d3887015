/* reader - reads the stream BALLOTS behind what is applied, and keeps the backlog.
 * SPDX-License-Identifier: MIT
 *
 * One thread, which owns the subscription. The backlog is shared with the refresher under a lock. The reader reads only
 * once the refresher has said where the applied part of the stream ends. */
#ifndef SCRUTIN_BACKLOG_READER_H
#define SCRUTIN_BACKLOG_READER_H

#include "bus/bus.h"
#include "read/backlog.h"
#include "read/refresh_queue.h"

struct backlog_reader;

/* max_messages: of the backlog; where more wait, `pending` is not known until the workers have caught up. */
MUST_CHECK enum status backlog_reader_open(struct bus *bus, struct refresh_queue *queue, size_t max_messages,
                                           struct backlog_reader **out, struct errmsg *err);
void backlog_reader_close(struct backlog_reader *reader); /* before bus_close; NULL is fine */

/* The backlog, until backlog_reader_unlock. */
struct backlog *backlog_reader_lock(struct backlog_reader *reader);
void backlog_reader_unlock(struct backlog_reader *reader);
/* Whether the stream is being read. */
bool backlog_reader_is_following(struct backlog_reader *reader);
/* backlog_set_epoch, and a new start of the reader where it says so. */
void backlog_reader_set_epoch(struct backlog_reader *reader, unsigned epoch, int64_t created_ns, uint64_t floor);

#endif
