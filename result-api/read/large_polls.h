/* large_polls - counts ranked polls of many rankings, beside the refresher.
 * SPDX-License-Identifier: MIT
 *
 * A ranked poll has a row for each ranking that somebody gave, up to one for each ballot: a million take a second or
 * two to read and count, which must hold up neither other polls nor the whole look until its limit. So they are counted
 * on a thread and a connection of their own, one poll after the other. */
#ifndef SCRUTIN_LARGE_POLLS_H
#define SCRUTIN_LARGE_POLLS_H

#include "read/backlog_reader.h"
#include "read/query_thread.h"
#include "tally/method_ranked.h"

struct large_polls;

/* A poll that is counted; the asker's from large_polls_take on. */
struct large_count {
    struct query_job job;
    struct large_count *next; /* in the list that _take gives */
    struct large_polls *polls;
    const struct poll *poll; /* a reference */
    bool has_known;
    struct tally known; /* what the asker had before, without choices */
    bool failed;        /* and what follows is empty */
    bool unchanged;     /* no ballot came since the known one: ranked is empty */
    bool fence_passed;  /* all before the tally's fence was applied when it was read */
    struct tally tally; /* without choices */
    struct ranked ranked;
    int64_t took_ms;
};

MUST_CHECK enum status large_polls_open(const char *database_url, struct backlog_reader *backlog_reader,
                                        struct refresh_queue *queue, struct large_polls **out, struct errmsg *err);
/* Ends the thread and what it is asking. */
void large_polls_close(struct large_polls *polls);

/* Has the poll counted, unless its ledger is that of `known` still (NULL: nothing is known); the queue says when. */
void large_polls_ask(struct large_polls *polls, const struct poll *poll, const struct tally *known);
/* Those that were counted since the last time, as a list. The caller frees each. */
struct large_count *large_polls_take(struct large_polls *polls);
struct large_count *large_count_next(const struct large_count *count);
void large_count_free(struct large_count *count);

#endif
