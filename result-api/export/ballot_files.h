/* ballot_files - GET /v1/polls/{poll}/ballots.csv: the anonymous ballots of a final poll, so that anyone can recount.
 * SPDX-License-Identifier: MIT
 *
 * The database is asked once: equal ballots are one row with their number, in the order of their choices, kept on the
 * server's disk (a cursor WITH HOLD) and fetched in small pieces as the client takes them. So the file says nothing of
 * who voted or when, a million ballots cost this process a page, and no transaction stays open for a slow client. */
#ifndef SCRUTIN_BALLOT_FILES_H
#define SCRUTIN_BALLOT_FILES_H

#include "http/http.h"

struct ballot_files;

struct ballot_files_options {
    const char *database_url;
    int64_t max;         /* files on their way at once; one more is answered 503, half of them to one address */
    int64_t deadline_ms; /* a client who has not read for so long what was sent is cut off … */
    int64_t patience_ms; /* … and after so long when somebody else was refused meanwhile */
};

MUST_CHECK enum status ballot_files_open(const struct ballot_files_options *options, struct ballot_files **out,
                                         struct errmsg *err);
void ballot_files_close(struct ballot_files *files);

void ballot_files_handle(struct http_call *call);

#endif
