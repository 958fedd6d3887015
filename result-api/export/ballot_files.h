/* ballot_files - sends the anonymous ballots of a final poll as a file of CSV, so that anybody can count them again.
 * SPDX-License-Identifier: MIT
 *
 * One query groups equal ballots into one row with their number, in the order of their choices. PostgreSQL keeps the
 * rows on its disk (a cursor WITH HOLD), and this program fetches them in small parts while the client reads. So the
 * file does not show who voted or when, a million ballots take the memory of one page, and no transaction stays open
 * for a slow client. */
#ifndef SCRUTIN_BALLOT_FILES_H
#define SCRUTIN_BALLOT_FILES_H

#include "ballot/poll_definition.h"
#include "http/http.h"

struct ballot_files;

struct ballot_files_options {
    const char *database_url;
    int64_t max;         /* downloads at once, half of them for one address; one more is answered 503 */
    int64_t deadline_ms; /* a client that does not read for so long is cut off … */
    int64_t patience_ms; /* … or after so long, if another client was refused meanwhile */
};

/* On failure, ST_IO: the thread cannot be started. */
MUST_CHECK enum status ballot_files_open(const struct ballot_files_options *options, struct ballot_files **out,
                                         struct errmsg *err);
void ballot_files_close(struct ballot_files *files);

/* Answers the request with the ballots of the poll, which must be final. Answers 503 when there are too many downloads
 * or the database cannot be read. */
void ballot_files_answer(struct ballot_files *files, struct http_call *call, const struct poll *poll);

#endif
