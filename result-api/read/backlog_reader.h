/* backlog_reader - reads the messages of the stream BALLOTS that are not applied yet, and keeps the backlog.
 * SPDX-License-Identifier: MIT
 *
 * Its thread owns the subscription. It shares the backlog with the refresher under a lock. It does not read before the
 * refresher has told it up to which message the stream is applied. */
#ifndef SCRUTIN_BACKLOG_READER_H
#define SCRUTIN_BACKLOG_READER_H

#include "bus/bus.h"
#include "read/backlog.h"
#include "read/refresh_queue.h"

struct backlog_reader;

/* While more than max_messages are not applied, the number of pending ballots is not known. On failure, ST_IO: the
 * thread cannot be started. */
MUST_CHECK enum status backlog_reader_open(struct bus *bus, struct refresh_queue *queue, size_t max_messages,
                                           struct backlog_reader **out, struct errmsg *err);
void backlog_reader_close(struct backlog_reader *reader); /* call it before bus_close; NULL is fine */

/* Locks the backlog and returns it. Do not use it after backlog_reader_unlock. */
struct backlog *backlog_reader_lock(struct backlog_reader *reader);
void backlog_reader_unlock(struct backlog_reader *reader);
/* Says whether the stream is being read. */
bool backlog_reader_is_following(struct backlog_reader *reader);
/* Calls backlog_set_epoch, and starts the reader over if the backlog asks for it. */
void backlog_reader_set_epoch(struct backlog_reader *reader, unsigned epoch, int64_t created_ns, uint64_t floor);

#endif
