/* audit_db - reads what the audit needs from PostgreSQL, all from one snapshot.
 * SPDX-License-Identifier: MIT
 *
 * Takes no lock and no tally slot. Not thread-safe. Every function may return the errors of pg/pg_link.h; then the
 * snapshot is lost. */
#ifndef SCRUTIN_AUDIT_DB_H
#define SCRUTIN_AUDIT_DB_H

#include "audit_report.h"
#include "ballot/keys.h"
#include "ballot/marks.h"
#include "ballot/receipt_fate.h"

struct audit_db;

MUST_CHECK enum status audit_db_open(struct audit_db **out, const char *conninfo, struct errmsg *err);
void audit_db_close(struct audit_db *db); /* NULL is fine */

/* *floor: every sequence up to this one of the stream that was created at created_ns is applied now. 0 if the database
 * does not know the stream. */
MUST_CHECK enum status audit_db_floor(struct audit_db *db, int64_t created_ns, uint64_t *floor, struct errmsg *err);

/* Begins the snapshot that all functions below read. Fills in report->now, for the stream that was created at
 * created_ns, and report->older. A stream that the database does not know yet gets the next epoch.
 *
 * ST_EPOCH  the database knows a newer stream */
MUST_CHECK enum status audit_db_begin(struct audit_db *db, int64_t created_ns, struct audit_report *report,
                                      struct errmsg *err);
MUST_CHECK enum status audit_db_end(struct audit_db *db, struct errmsg *err);

/* Fills in report->polls, by key: id, rule, rejections, fence, term. */
MUST_CHECK enum status audit_db_polls(struct audit_db *db, struct audit_report *report, struct errmsg *err);
/* Reports sequences that must be applied and are not. */
MUST_CHECK enum status audit_db_gaps(struct audit_db *db, struct audit_report *report, struct errmsg *err);
/* Reports batches that were applied twice. */
MUST_CHECK enum status audit_db_twice(struct audit_db *db, struct audit_report *report, struct errmsg *err);
/* Counts rejected ballots whose poll was unknown: no ledger has them. */
MUST_CHECK enum status audit_db_unknown(struct audit_db *db, int64_t *n, struct errmsg *err);
/* Recounts one poll: fills in *poll, and reports differences in its tally and timeline. lowest: the ordinal of the
 * first ballot that the stream still has. */
MUST_CHECK enum status audit_db_books(struct audit_db *db, struct audit_report *report, struct audit_poll *poll,
                                      int64_t lowest, struct errmsg *err);

/* A row of applied_batches. */
struct audit_applied {
    uint64_t seq;
    uint8_t batch[BATCH_ID]; /* all zeroes for a dead letter */
    int64_t ballots;
    bool dead;
};
/* Rows of the sequences from..to, rising. Valid until the next call. */
MUST_CHECK enum status audit_db_applied(struct audit_db *db, unsigned epoch, uint64_t from, uint64_t to,
                                        const struct audit_applied **rows, size_t *n, struct errmsg *err);

/* Numbers in the statement `ballots` for what happened to a ballot of the stream. */
enum audit_fate {
    AUDIT_FATE_STANDS = 0,   /* counts */
    AUDIT_FATE_REPLACED = 1, /* lost against another ballot of its voter */
    AUDIT_FATE_REJECTED = 2, /* the other fates are discrepancies; AUDIT_KINDS has their meanings */
    AUDIT_FATE_MISSING = 3,
    AUDIT_FATE_OLDER = 4,
    AUDIT_FATE_ALTERED = 5,
    AUDIT_FATE_REJECTED_STANDS = 6,
    AUDIT_FATE_LATE = 7,
    AUDIT_FATE_EARLY = 8,
};
struct audit_ballot {
    int32_t poll; /* POLL_KEY_MISSING: the database does not have the poll */
    bool revisable;
    bool is_open; /* whether the poll was, at this ordinal */
    int64_t ordinal;
    const struct ballot *ballot;
};
/* Calls on_fate for each poll and fate among n ballots: how many have it, how many of these count now, the index of
 * one. */
MUST_CHECK enum status audit_db_ballots(struct audit_db *db, const struct audit_ballot *ballots, size_t n,
                                        void (*on_fate)(void *arg, int32_t poll, enum audit_fate fate, int64_t count,
                                                        int64_t standing, size_t example),
                                        void *arg, struct errmsg *err);

/* A fence or gate that the database has. */
struct audit_mark {
    char poll[POLL_ID_MAX + 1];
    struct mark mark;
    bool seen; /* the caller's */
};
/* Reads all of them, by ordinal; the caller frees the array. */
MUST_CHECK enum status audit_db_marks(struct audit_db *db, struct audit_mark **marks, size_t *n, struct errmsg *err);

/* Fills in fates[0..n). created_ns is the stream's. */
MUST_CHECK enum status audit_db_receipts(struct audit_db *db, int64_t created_ns, const struct receipt *receipts,
                                         size_t n, enum receipt_fate *fates, struct errmsg *err);

#endif
