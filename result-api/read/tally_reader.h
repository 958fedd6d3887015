/* reader - the refresher's eyes: keeps the connection to the database, and holds what it reads against the backlog.
 * SPDX-License-Identifier: MIT
 *
 * Belongs to the refresher's thread, but for tally_reader_is_ready. */
#ifndef SCRUTIN_TALLY_READER_H
#define SCRUTIN_TALLY_READER_H

#include "read/backlog_reader.h"
#include "read/refresh_queue.h"
#include "tally/tally.h"

#define TALLY_READER_ANSWER_MS 5000 /* a database that has not answered for so long is down */

struct tally_reader;

struct tally_reader *tally_reader_new(const char *database_url, struct backlog_reader *backlog_reader);
/* Closes the connection. The reader itself stays: metrics read from it until the process ends. */
void tally_reader_close(struct tally_reader *reader);

bool tally_reader_is_connected(const struct tally_reader *reader);
/* When to try again, monotonic. */
int64_t tally_reader_next_try_ms(const struct tally_reader *reader);
/* Tries to connect where it is time to. Returns whether there is a connection that was not there before: all that was
 * read earlier may have changed without a bell. */
bool tally_reader_reconnect(struct tally_reader *reader);

/* One look at n polls, 0 too: fills tallies (zeroed, in the order of ids) and settles the backlog; on_applied is called
 * for polls of batches that turned out to be applied. False: the database is down, nothing was filled in. */
bool tally_reader_read_polls(struct tally_reader *reader, const char *const *ids, struct tally *tallies, size_t n,
                             backlog_on_change on_applied, void *arg);
/* Whether the last look stopped before the end of the newly applied batches: look again soon. */
bool tally_reader_is_behind(const struct tally_reader *reader);
/* Fills in the states of the questions. */
void tally_reader_answer_questions(struct tally_reader *reader, struct receipt_question *questions);

/* From any thread: whether the database answers, or why not. */
bool tally_reader_is_ready(struct tally_reader *reader, char detail[128]);

#endif
