/* batch_set - the batches of one transaction, sorted into the rows that each table gets.
 * SPDX-License-Identifier: MIT
 *
 * Decides which ballots are candidates, which are rejected, what each poll's ledger gains, and which fences and gates
 * are in the batches. Does no I/O. A set is filled again and again and reuses its storage. What is in it borrows from
 * the batches and is valid until the next fill. */
#ifndef SCRUTIN_BATCH_SET_H
#define SCRUTIN_BATCH_SET_H

#include "ballot/marks.h"
#include "ballot/poll_keys.h"
#include "base/clock.h"
#include "store/collapse.h"

#define REASON_MAX 200 /* bytes */

/* One message of the stream. */
struct stream_batch {
    uint64_t seq;                     /* in the stream, 1..ORDINAL_SEQUENCE_MAX */
    const struct ballot_batch *batch; /* NULL: a dead letter; only the sequence is written down */
    bool known;                       /* set by the store: the batch was applied before */
};

/* What one poll's row in the ledger gains. */
struct ledger_line {
    int32_t poll;
    const char *id;
    int64_t received, rejected;
    int64_t counted_before; /* filled in from the database */
};

/* Ballots of one poll cast within one second. */
struct moment {
    int32_t poll;
    int64_t second; /* since 1970, 0..MOMENT_SECOND_MAX */
    int64_t received;
};
#define MOMENT_SECOND_MAX (CLOCK_MAX_MS / 1000) /* the end of the year 9999 */

struct rejection {
    int64_t ordinal;
    const char *poll_id;
    int32_t poll; /* POLL_KEY_MISSING: the poll is unknown and has no ledger */
    char reason[REASON_MAX + 1];
};

/* A fence or a gate. */
struct met_mark {
    const char *poll_id;
    struct mark mark;
};

struct batch_set {
    struct candidate *candidates; /* sorted by collapse_sort */
    size_t n_candidates, room_candidates;
    struct candidate *winners; /* room for every candidate */
    size_t n_winners, room_winners;
    struct ledger_line *lines; /* by the poll's key */
    size_t n_lines, room_lines;
    struct moment *moments; /* by poll and second, each once; a poll's sum is `received` of its line */
    size_t n_moments, room_moments;
    struct rejection *rejections;
    size_t n_rejections, room_rejections;
    struct met_mark *marks;
    size_t n_marks, room_marks;
};

/* A zeroed set is empty. The caller owns it; this frees what it holds. */
void batch_set_fini(struct batch_set *set);

/* Fills the set with the batches that are not `known`. keys must have an answer for every poll in them: a ballot whose
 * poll is POLL_KEY_MISSING is rejected. The book must have every mark up to the highest sequence: a ballot is rejected
 * if its poll was not open at its ordinal. */
void batch_set_fill(struct batch_set *set, const struct poll_keys *keys, const struct marks *book, unsigned epoch,
                    const struct stream_batch *batches, size_t n);

/* Moves the winner of each voter and poll from candidates to winners. */
void batch_set_pick(struct batch_set *set);

/* Rejects a candidate that cannot be stored, and counts that in its ledger line. */
void batch_set_reject(struct batch_set *set, const struct candidate *candidate, const char *reason);

/* The ledger line of this poll, or NULL. */
struct ledger_line *batch_set_line(struct batch_set *set, int32_t poll);

#endif
