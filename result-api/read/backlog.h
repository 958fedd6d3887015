/* backlog - which messages of the stream are not applied yet, and how many ballots of which poll they hold.
 * SPDX-License-Identifier: MIT
 *
 * Two witnesses tell it what they see, in any order: a reader of the stream (backlog_read) and the table of applied
 * batches (backlog_examine). It keeps one entry for each sequence that may not be applied:
 *
 *     floor          hi                read
 *       |  gaps only  |  all that was read |        (the reader ahead of the database)
 *     floor          read              hi
 *       |  gaps only  |     gaps only      |        (the reader behind; counts come when it gets there)
 *
 * Pure: no I/O, no clock, no lock. One thread at a time. */
#ifndef SCRUTIN_BACKLOG_H
#define SCRUTIN_BACKLOG_H

#include "ballot/wire.h"
#include "base/map.h"

struct backlog_entry;
struct backlog_part;

struct backlog {
    int64_t created_ns; /* of the stream's incarnation that is followed */
    unsigned epoch;     /* its number; where the database does not know it yet, the number that it would get */
    bool anchored;      /* the database has said once which epoch is its newest */
    int64_t told_ns;    /* the creation time of the newest stream that the database last named */
    uint64_t read;      /* every sequence up to this one was read, or is applied */
    uint64_t hi;        /* every sequence up to this one was looked for in the table of applied batches */
    bool caught_up;     /* the reader has seen all that the stream holds: counts are complete */
    struct backlog_entry *entries; /* by rising sequence, from head on; dead ones in between */
    size_t head, n, room, n_dead;
    struct map polls;           /* struct backlog_poll */
    uint64_t stamp;             /* of the message being read */
    struct backlog_part *parts; /* of that message */
    size_t room_parts;
    uint64_t gaps_after; /* where the next look at the gaps goes on */
    size_t limit;        /* entries that backlog_examine may come to; 0: any number */
};

/* Called for each poll whose number of pending ballots changed. */
typedef void (*backlog_on_change)(void *arg, const char *poll);

/* A zeroed backlog is empty. */
void backlog_fini(struct backlog *backlog);

/* The database's newest epoch, and the sequence up to which all its messages are applied; epoch 0: it knows none. One
 * older than it named before means that the database was restored: all is read again.
 * Returns whether the stream's reader has to start anew behind backlog_floor. */
bool backlog_set_epoch(struct backlog *backlog, unsigned epoch, int64_t created_ns, uint64_t floor);
/* The reader found the stream and starts to read behind the floor, or behind what the stream still holds. Forgets the
 * entries, so that they are all read again. False: the stream is older than what the database knows, do not read. */
bool backlog_start(struct backlog *backlog, int64_t created_ns, uint64_t first_sequence);
/* The reader has come to the end of the stream, or has lost touch with it: the counts are complete, or not. */
void backlog_set_caught_up(struct backlog *backlog, bool caught_up);

/* A message of the stream. batch is NULL where it does not decode: nobody can count it, but it has to be dealt with
 * like any other. Sequences rise; one that was read before is passed over. */
void backlog_read(struct backlog *backlog, uint64_t sequence, const struct ballot_batch *batch,
                  backlog_on_change on_change, void *arg);

/* What one look at the table of applied batches found: `applied` are, of the sequences up to `hi`, those that are
 * applied and either above the last hi or among the gaps asked for. They rise. At the limit of entries the look counts
 * only so far, and backlog->hi says how far. */
void backlog_examine(struct backlog *backlog, uint64_t hi, const uint64_t *applied, size_t n,
                     backlog_on_change on_change, void *arg);
/* Up to max sequences up to hi that were not applied at the last look, to be looked for again; they do not rise. Where
 * there are more, the next call goes on behind them. */
size_t backlog_gaps(struct backlog *backlog, uint64_t *out, size_t max);

/* Ballots of the poll that the stream holds and nobody applied; -1: not known now. */
int64_t backlog_pending(const struct backlog *backlog, const char *poll);
/* Every message up to this sequence is applied. */
uint64_t backlog_floor(const struct backlog *backlog);
/* How far the stream was applied at some moment. A zeroed one: not known. */
struct backlog_point {
    bool known;
    unsigned epoch;
    uint64_t floor;
};
struct backlog_point backlog_point(const struct backlog *backlog);
/* Whether everything up to a fence, given by its ordinal, was applied. */
bool backlog_has_passed(const struct backlog_point *point, int64_t fence);
/* Entries held, for the caller's limit. */
size_t backlog_count(const struct backlog *backlog);

#endif
