/* result_db - reads tallies, ledgers, applied batches and receipts from PostgreSQL, and runs the queries of exports.
 * SPDX-License-Identifier: MIT
 *
 * It never writes. One result_db owns one connection. Only result_db_give_up may be called from another thread. After
 * any failure the connection is closed: call result_db_connect again. Errors are those of pg/pg_link.h. */
#ifndef SCRUTIN_RESULT_DB_H
#define SCRUTIN_RESULT_DB_H

#include "pg/pg_session.h"
#include "read/refresh_queue.h"
#include "tally/tally.h"

#define RESULT_DB_APPLIED_MAX 20000 /* newly applied batches that one reading reports; the next one reports more */
#define RESULT_DB_RANKINGS_MAX 5000 /* a ranked poll with this many rows in its tally is a large poll */

struct result_db;

/* conninfo is a connection string or URI, "" for the PG* variables. name is what pg_stat_activity shows, and is
 * borrowed. A statement that takes longer than answer_ms, which must be more than 1,000, fails. */
struct result_db *result_db_new(const char *conninfo, const char *name, int answer_ms);
void result_db_free(struct result_db *db); /* NULL is fine */
bool result_db_is_connected(const struct result_db *db);
/* Which connection this is, 1 and up; 0: there is none. Cursors are lost with their connection. */
unsigned result_db_session(const struct result_db *db);
/* From any thread, when the program stops: the statement that runs fails within a quarter of a second, and all later
 * ones fail. */
void result_db_give_up(struct result_db *db);

/* Connects anew. Errors are those of pg_session_open. */
MUST_CHECK enum status result_db_connect(struct result_db *db, struct errmsg *err);

struct result_db_epoch {
    unsigned epoch; /* 0: the database knows no stream */
    int64_t created_ns;
    uint64_t floor; /* every message up to this sequence is applied */
};
/* Reads the newest stream that the database knows. */
MUST_CHECK enum status result_db_read_epoch(struct result_db *db, struct result_db_epoch *out, struct errmsg *err);

/* One look at the database: everything in it is from one moment. */
struct result_db_look {
    const char *const *polls; /* ids to read */
    size_t n_polls;
    struct tally *tallies; /* in their order; the caller zeroes them; they stay zero where the database has no rows */
    unsigned epoch;        /* read the applied batches of this epoch: those above `after`, and those of the gaps */
    uint64_t after;
    const uint64_t *gaps;
    size_t n_gaps;
    uint64_t *applied; /* result: sequences, rising; the caller frees it */
    size_t n_applied;
    unsigned newest_epoch; /* result; 0: none */
    int64_t newest_created_ns;
};
MUST_CHECK enum status result_db_read_look(struct result_db *db, struct result_db_look *look, struct errmsg *err);

/* Reads one large poll, all of it from one moment: call begin, which fills in the tally without its choices, then read,
 * then end. on_ranking is called for each row of the tally, in any order. A ranking may come several times: add its
 * numbers up. */
MUST_CHECK enum status result_db_begin_large(struct result_db *db, const char *poll, struct tally *out,
                                             struct errmsg *err);
MUST_CHECK enum status result_db_read_rankings(struct result_db *db, const char *poll,
                                               void (*on_ranking)(void *arg, const char *ranking, int64_t n), void *arg,
                                               struct errmsg *err);
MUST_CHECK enum status result_db_end_large(struct result_db *db, struct errmsg *err);

/* Fills in the fate of each question in the list. created_ns is when the broker's stream was created. */
MUST_CHECK enum status result_db_find_fates(struct result_db *db, int64_t created_ns,
                                            struct receipt_question *questions, struct errmsg *err);

/* Runs one statement. args may be NULL. The caller frees the rows. `doing` goes before the detail of an error. */
MUST_CHECK enum status result_db_query(struct result_db *db, const char *doing, const char *sql,
                                       const struct pg_args *args, struct pg_rows **out, struct errmsg *err);

#endif
