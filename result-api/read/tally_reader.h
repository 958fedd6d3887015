/* tally_reader - the refresher's connection to the database: reads tallies, applied batches and receipts.
 * SPDX-License-Identifier: MIT
 *
 * It compares the applied batches with the backlog. The refresher's thread alone may use it, except for
 * tally_reader_is_ready. */
#ifndef SCRUTIN_TALLY_READER_H
#define SCRUTIN_TALLY_READER_H

#include "read/backlog_reader.h"
#include "read/refresh_queue.h"
#include "tally/tally.h"

#define TALLY_READER_ANSWER_MS 5000 /* a database that does not answer for so long is down */

struct tally_reader;

struct tally_reader *tally_reader_new(const char *database_url, struct backlog_reader *backlog_reader);
/* Closes the connection. Does not free the reader, because the metrics read from it until the process ends. */
void tally_reader_close(struct tally_reader *reader);

bool tally_reader_is_connected(const struct tally_reader *reader);
/* When to try to connect again, monotonic. */
int64_t tally_reader_next_try_ms(const struct tally_reader *reader);
/* Connects if it is time to. True: there is a new connection. Polls may have changed while there was none, so all must
 * be read again. */
bool tally_reader_reconnect(struct tally_reader *reader);

/* Reads n polls, which may be 0, and the applied batches. Fills tallies, which the caller has zeroed, in the order of
 * ids. Removes the applied batches from the backlog, and calls on_applied for each of their polls. False: the database
 * is down, and nothing was filled. */
bool tally_reader_read_polls(struct tally_reader *reader, const char *const *ids, struct tally *tallies, size_t n,
                             backlog_on_change on_applied, void *arg);
/* Says whether there were more newly applied batches than one read takes. Then all must be read again soon. */
bool tally_reader_is_behind(const struct tally_reader *reader);
/* Fills in the fate of each question in the list. */
void tally_reader_answer_questions(struct tally_reader *reader, struct receipt_question *questions);

/* Says whether the database answers, and if not, why. From any thread. */
bool tally_reader_is_ready(struct tally_reader *reader, char detail[128]);

#endif
