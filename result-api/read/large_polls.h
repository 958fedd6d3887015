/* large_polls - counts ranked polls with many different rankings on a thread of their own.
 * SPDX-License-Identifier: MIT
 *
 * The tally of a ranked poll has a row for each different ranking, so it may have as many rows as the poll has ballots.
 * A million rows take a second or two to read and count. Meanwhile the refresher must go on with the other polls. So a
 * query thread counts the large polls, one after the other. */
#ifndef SCRUTIN_LARGE_POLLS_H
#define SCRUTIN_LARGE_POLLS_H

#include "read/backlog_reader.h"
#include "read/query_thread.h"
#include "tally/method_ranked.h"

struct large_polls;

/* A count. It belongs to the caller of large_polls_take. */
struct large_count {
    struct query_job job;
    struct large_count *next; /* in the list of large_polls_take */
    struct large_polls *polls;
    const struct poll *poll; /* a reference */
    bool has_known;
    struct tally known; /* the caller's last tally, without choices */
    bool failed;        /* then the members below are empty */
    bool unchanged;     /* no ballot was applied since the known tally: `ranked` is empty */
    bool fence_passed;  /* all ballots before the tally's fence were applied when the tally was read */
    struct tally tally; /* without choices */
    struct ranked ranked;
    int64_t took_ms;
};

/* On failure, ST_IO: the thread cannot be started. */
MUST_CHECK enum status large_polls_open(const char *database_url, struct backlog_reader *backlog_reader,
                                        struct refresh_queue *queue, struct large_polls **out, struct errmsg *err);
/* Ends the thread and its present query. */
void large_polls_close(struct large_polls *polls);

/* Starts a count of the poll. The count is skipped if the ledger is still that of `known`; NULL: nothing is known. When
 * the count is ready, the poll is marked in the refresh queue. */
void large_polls_ask(struct large_polls *polls, const struct poll *poll, const struct tally *known);
/* Takes the counts that are ready, as a list. The caller must free each of them. */
struct large_count *large_polls_take(struct large_polls *polls);
struct large_count *large_count_next(const struct large_count *count);
void large_count_free(struct large_count *count);

#endif
