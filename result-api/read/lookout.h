/* lookout - the refresher's eyes: keeps the connection to the database, and holds what it reads against the backlog.
 * SPDX-License-Identifier: MIT
 *
 * Belongs to the refresher's thread, but for lookout_is_ready. */
#ifndef SCRUTIN_LOOKOUT_H
#define SCRUTIN_LOOKOUT_H

#include "read/board.h"
#include "read/tail.h"
#include "tally/tally.h"

#define LOOKOUT_ANSWER_MS 5000 /* a database that has not answered for so long is down */

struct lookout;

struct lookout *lookout_new(const char *database_url, struct tail *tail);
/* Closes the connection. The lookout itself stays: metrics read from it until the process ends. */
void lookout_close(struct lookout *lookout);

bool lookout_is_connected(const struct lookout *lookout);
/* When to try again, monotonic. */
int64_t lookout_next_try_ms(const struct lookout *lookout);
/* Tries to connect where it is time to. Returns whether there is a connection that was not there before: all that was
 * read earlier may have changed without a bell. */
bool lookout_reconnect(struct lookout *lookout);

/* One look at n polls, 0 too: fills tallies (zeroed, in the order of ids) and settles the backlog; on_applied is called
 * for polls of batches that turned out to be applied. False: the database is down, nothing was filled in. */
bool lookout_read(struct lookout *lookout, const char *const *ids, struct tally *tallies, size_t n,
                  backlog_on_change on_applied, void *arg);
/* Whether the last look stopped before the end of the newly applied batches: look again soon. */
bool lookout_is_behind(const struct lookout *lookout);
/* Fills in the states of the questions. */
void lookout_answer(struct lookout *lookout, struct receipt_question *questions);

/* From any thread: whether the database answers, or why not. */
bool lookout_is_ready(struct lookout *lookout, char detail[128]);

#endif
