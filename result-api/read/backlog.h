/* backlog - which messages of the stream are not applied yet, and how many ballots of each poll they hold. Pure.
 * SPDX-License-Identifier: MIT
 *
 * It learns from two sources, in any order: a reader of the stream (backlog_read), and the table of applied batches
 * (backlog_examine). It keeps an entry for every sequence that may not be applied. A gap is an entry whose message was
 * not read yet or could not be read.
 *
 *     floor        examined             read
 *       |  gaps only  |  all that was read |        (the reader is ahead of the database)
 *     floor          read             examined
 *       |  gaps only  |     gaps only      |        (the reader is behind; counts come when it gets there)
 *
 * No I/O, no clock, no lock. One thread at a time may use it. */
#ifndef SCRUTIN_BACKLOG_H
#define SCRUTIN_BACKLOG_H

#include "ballot/wire.h"
#include "base/map.h"

struct backlog_entry;
struct backlog_part;

struct backlog {
    int64_t created_ns; /* when the stream that is read was created */
    unsigned epoch;     /* of that stream; if the database does not know the stream yet, the epoch that it will get */
    bool anchored;      /* the database has named its newest epoch at least once */
    int64_t told_ns;    /* when the stream was created that the database named last */
    uint64_t read;      /* every sequence up to this one was read or is applied */
    uint64_t examined;  /* every sequence up to this one was looked up in the table of applied batches */
    bool caught_up;     /* the reader has read the whole stream, so the counts are complete */
    struct backlog_entry *entries; /* from head to n, by rising sequence; some are dead */
    size_t head, n, room, n_dead;
    struct map polls;           /* struct backlog_poll */
    uint64_t stamp;             /* of the message that is being read */
    struct backlog_part *parts; /* of that message */
    size_t room_parts;
    uint64_t gaps_after; /* the next call of backlog_gaps begins behind this sequence */
    size_t limit;        /* backlog_examine makes no more entries than this; 0: no limit */
};

/* Called for each poll whose number of pending ballots has changed. */
typedef void (*backlog_on_change)(void *arg, const char *poll);

/* A zeroed backlog is empty. */
void backlog_fini(struct backlog *backlog);

/* The database names its newest epoch, when that stream was created, and the sequence up to which all its messages are
 * applied. Epoch 0: it knows no stream. An older stream than before means that the database was restored from a backup,
 * so all is read again. True: the reader must start again behind backlog_floor. */
bool backlog_set_epoch(struct backlog *backlog, unsigned epoch, int64_t created_ns, uint64_t floor);
/* The reader is about to read the stream, behind the floor or from the first message that the stream still has. Forgets
 * the entries, because they are read again. False: the stream is older than the one the database knows, so the reader
 * must not read it. */
bool backlog_start(struct backlog *backlog, int64_t created_ns, uint64_t first_sequence);
/* True: the reader has reached the end of the stream, so the counts are complete. False: it has lost the stream. */
void backlog_set_caught_up(struct backlog *backlog, bool caught_up);

/* A message of the stream. batch is NULL if it cannot be decoded: nobody can count its ballots, but a worker must still
 * deal with it. Sequences rise. A sequence that was read before is ignored. */
void backlog_read(struct backlog *backlog, uint64_t sequence, const struct ballot_batch *batch,
                  backlog_on_change on_change, void *arg);

/* The result of a query of the table of applied batches. `applied` are the sequences that are applied, not above up_to,
 * and either not examined before or among the gaps asked for. They rise. When the limit of entries is reached, only the
 * part up to backlog->examined has been examined. */
void backlog_examine(struct backlog *backlog, uint64_t up_to, const uint64_t *applied, size_t n,
                     backlog_on_change on_change, void *arg);
/* Writes up to max sequences that were examined and found not applied, in any order. They must be looked up again. If
 * there are more, the next call goes on behind them. */
size_t backlog_gaps(struct backlog *backlog, uint64_t *out, size_t max);

/* Returns how many ballots of the poll are in the stream and not applied. -1: not known now. */
int64_t backlog_pending(const struct backlog *backlog, const char *poll);
/* Every message up to this sequence is applied. */
uint64_t backlog_floor(const struct backlog *backlog);
/* How far the stream was applied at one time. A zeroed point is not known. */
struct backlog_point {
    bool known;
    unsigned epoch;
    uint64_t floor;
};
struct backlog_point backlog_point(const struct backlog *backlog);
/* Says whether all messages up to a fence were applied. fence is its ordinal. */
bool backlog_has_passed(const struct backlog_point *point, int64_t fence);
/* Returns the number of entries. */
size_t backlog_count(const struct backlog *backlog);

#endif
