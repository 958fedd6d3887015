/* batch_set - the batches of one transaction, taken apart into what each table gets.
 * SPDX-License-Identifier: MIT
 *
 * Decides, does no I/O: which ballots count as candidates, which are rejected, what each poll's ledger gains, which
 * fences and gates were met. Storage is reused from set to set; everything in a set borrows from the batches and lives
 * until the next fill. */
#ifndef SCRUTIN_BATCH_SET_H
#define SCRUTIN_BATCH_SET_H

#include "ballot/marks.h"
#include "ballot/poll_keys.h"
#include "base/clock.h"
#include "store/collapse.h"

#define REASON_MAX 200 /* bytes */

/* One message of the stream. */
struct store_batch {
    uint64_t seq;                     /* in the stream, 1..ORDINAL_SEQUENCE_MAX */
    const struct ballot_batch *batch; /* NULL: went to the dead letters, only to be written down */
    bool known;                       /* set by the store: it was applied before */
};

/* What one poll's row of the ledger gains. */
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
    int32_t poll; /* POLL_KEY_MISSING where the poll is unknown, and so has no ledger */
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
    struct ledger_line *lines; /* in order of the key */
    size_t n_lines, room_lines;
    struct moment *moments; /* in order of poll and second, each once; the sum of a poll's is what its line received */
    size_t n_moments, room_moments;
    struct rejection *rejections;
    size_t n_rejections, room_rejections;
    struct met_mark *marks;
    size_t n_marks, room_marks;
};

/* A zeroed set is empty. */
void batch_set_fini(struct batch_set *set);

/* Takes apart the batches that are not `known`. keys must have every poll in them; a ballot whose poll it has as
 * missing is rejected, and so is one whose poll is not open at its ordinal by the book, which must have every mark up
 * to the highest sequence of the batches. */
void batch_set_fill(struct batch_set *set, const struct poll_keys *keys, const struct marks *book, unsigned epoch,
                    const struct store_batch *batches, size_t n);

/* Moves the winners of the candidates to winners and leaves the others. */
void batch_set_pick(struct batch_set *set);

/* Notes that a candidate cannot be stored, in the ledger too. */
void batch_set_reject(struct batch_set *set, const struct candidate *candidate, const char *reason);

/* The line of this poll, or NULL. */
struct ledger_line *batch_set_line(struct batch_set *set, int32_t poll);

#endif
