/* watched_poll - what the refresher knows of a poll that some loop follows.
 * SPDX-License-Identifier: MIT
 *
 * No I/O and no lock. The refresher's thread alone uses it. */
#ifndef SCRUTIN_WATCHED_POLL_H
#define SCRUTIN_WATCHED_POLL_H

#include "read/backlog.h"
#include "read/large_polls.h"
#include "tally/snapshot.h"

struct watched_poll {
    char id[POLL_ID_MAX + 1];
    bool loaded;                 /* the tally was read at least once */
    bool listed;                 /* it is in the list of this refresh */
    bool must_publish;           /* also if nothing has changed */
    int64_t above;               /* the next version must be higher */
    bool large;                  /* large_polls counts it; then: */
    bool counting;               /* the count is under way */
    bool resting;                /* it should be counted, but must rest first */
    int64_t rests_ms;            /* monotonic: it rests until then */
    int64_t counted_ms, took_ms; /* the last count: when it ended (monotonic), and how long it took */
    bool is_ranked;              /* the tally has no choices, but `ranked` has the rounds */
    struct ranked ranked;
    struct tally tally;
    bool fence_passed;     /* all ballots before the tally's fence were applied when the tally was read */
    struct snapshot *last; /* the last one published, a reference, or NULL */
};

struct watched_poll *watched_poll_new(const char *id);
void watched_poll_free(struct watched_poll *watched);

/* Keeps a tally that was just read, and owns its choices from then on. The point says how far the stream was applied
 * at that time. The tally contains all that was applied, so the poll is final if its fence was passed by then. Later
 * reads for other polls may move the point further, but this tally does not contain more. */
void watched_poll_keep_tally(struct watched_poll *watched, struct tally *tally, const struct backlog_point *point);
/* Keeps the result of a count that did not fail, and takes its rounds out of it. */
void watched_poll_keep_count(struct watched_poll *watched, struct large_count *count);

/* Returns when the poll will open or close by itself, in milliseconds since 1970. INT64_MAX: never. */
int64_t watched_poll_next_change_ms(const struct watched_poll *watched);
/* Says whether the workers still have work to do for the poll. Their doorbell may be lost. */
bool watched_poll_is_unsettled(const struct watched_poll *watched);

#endif
