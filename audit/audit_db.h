/* audit_db - what the audit asks of PostgreSQL: reads only, from one snapshot.
 * SPDX-License-Identifier: MIT
 *
 * Takes no lock and no tally slot. Not thread-safe. Every function may return ST_DB_DOWN, ST_DB_RETRY or ST_DB_SCHEMA
 * as ballot_store.h has them; after that the snapshot is gone. */
#ifndef SCRUTIN_AUDIT_DB_H
#define SCRUTIN_AUDIT_DB_H

#include "audit_report.h"
#include "ballot/keys.h"
#include "ballot/marks.h"
#include "ballot/receipt_fate.h"

struct audit_db;

MUST_CHECK enum status audit_db_open(struct audit_db **out, const char *conninfo, struct errmsg *err);
void audit_db_close(struct audit_db *db); /* NULL is fine */

/* The highest sequence of the stream created at created_ns up to which nothing is missing, as of now; 0 where the
 * database does not know the stream. */
MUST_CHECK enum status audit_db_floor(struct audit_db *db, int64_t created_ns, uint64_t *floor, struct errmsg *err);

/* Fixes the moment that everything below sees, and fills in report->now, of the stream created at created_ns, and
 * report->older. A stream that the database does not know yet gets the next epoch.
 *
 * ST_EPOCH  the database knows a newer stream */
MUST_CHECK enum status audit_db_begin(struct audit_db *db, int64_t created_ns, struct audit_report *report,
                                      struct errmsg *err);
MUST_CHECK enum status audit_db_end(struct audit_db *db, struct errmsg *err);

/* Fills in report->polls, in order of the key: id, rule, rejections, fence. */
MUST_CHECK enum status audit_db_polls(struct audit_db *db, struct audit_report *report, struct errmsg *err);
/* Adds the runs of sequences that have to be applied and are not. */
MUST_CHECK enum status audit_db_gaps(struct audit_db *db, struct audit_report *report, struct errmsg *err);
/* Adds batches that were applied twice. */
MUST_CHECK enum status audit_db_twice(struct audit_db *db, struct audit_report *report, struct errmsg *err);
/* Rejected ballots whose poll was unknown, so that no ledger has them. */
MUST_CHECK enum status audit_db_unknown(struct audit_db *db, int64_t *n, struct errmsg *err);
/* Reads the books of one poll into *poll and adds choices whose tally is wrong. lowest: the ordinal of the first ballot
 * that the stream still has. */
MUST_CHECK enum status audit_db_books(struct audit_db *db, struct audit_report *report, struct audit_poll *poll,
                                      int64_t lowest, struct errmsg *err);

/* A row of applied_batches. */
struct audit_applied {
    uint64_t seq;
    uint8_t batch[BATCH_ID]; /* zeroes for a dead letter */
    int64_t ballots;
    bool dead;
};
/* Rows of the sequences from..to, rising; valid until the next call. */
MUST_CHECK enum status audit_db_applied(struct audit_db *db, unsigned epoch, uint64_t from, uint64_t to,
                                        const struct audit_applied **rows, size_t *n, struct errmsg *err);

/* What the statement `ballots` says of a ballot of the stream. */
enum audit_fate {
    AUDIT_FATE_STANDS = 0,
    AUDIT_FATE_REPLACED = 1,
    AUDIT_FATE_REJECTED = 2,
    AUDIT_FATE_MISSING = 3,
    AUDIT_FATE_OLDER = 4,
    AUDIT_FATE_ALTERED = 5,
    AUDIT_FATE_REJECTED_STANDS = 6,
    AUDIT_FATE_LATE = 7,
    AUDIT_FATE_EARLY = 8,
};
struct audit_ballot {
    int32_t poll; /* POLL_KEY_MISSING where the database has no such poll */
    bool revisable;
    bool is_open; /* the poll, at this ordinal */
    int64_t ordinal;
    const struct ballot *ballot;
};
/* Calls on_fate for each poll and fate among n ballots: how many, how many of them stand, and the index of one. */
MUST_CHECK enum status audit_db_ballots(struct audit_db *db, const struct audit_ballot *ballots, size_t n,
                                        void (*on_fate)(void *arg, int32_t poll, enum audit_fate fate, int64_t count,
                                                        int64_t standing, size_t example),
                                        void *arg, struct errmsg *err);

/* A fence or gate that the database has written down. */
struct audit_mark {
    char poll[POLL_ID_MAX + 1];
    struct mark mark;
    bool seen; /* the caller's */
};
/* All of them, in order of the ordinal; the caller frees the array. */
MUST_CHECK enum status audit_db_marks(struct audit_db *db, struct audit_mark **marks, size_t *n, struct errmsg *err);

/* Fills fates[0..n) in. */
MUST_CHECK enum status audit_db_receipts(struct audit_db *db, int64_t created_ns, const struct receipt *receipts,
                                         size_t n, enum receipt_fate *fates, struct errmsg *err);

#endif
