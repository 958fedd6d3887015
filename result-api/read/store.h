/* store - reads PostgreSQL: tallies, ledgers, applied batches, receipts, and whatever an export asks. Never writes.
 * SPDX-License-Identifier: MIT
 *
 * Only store*.c know libpq. One store owns one connection. Not thread-safe, but for store_give_up.
 * Whatever fails, the connection is closed: call store_connect again. */
#ifndef SCRUTIN_STORE_H
#define SCRUTIN_STORE_H

#include "base/status.h"
#include "read/refresh_queue.h"
#include "tally/tally.h"

#define STORE_SCHEMA 8          /* the newest number in db/migrations that this program was written for */
#define STORE_CONNECT_S 3       /* and one that does not let us in for so long */
#define STORE_APPLIED_MAX 20000 /* newly applied batches that one look reports; the next one goes on */
#define STORE_RANKINGS_MAX 5000 /* rows of a ranked poll's tally that make it a large one */

struct store;

/* conninfo is a connection string or URI, "" for the PG* variables; name is what the server's activity list shows, and
 * is borrowed; a server that does not answer for answer_ms, more than 1,000, is given up. */
struct store *store_new(const char *conninfo, const char *name, int answer_ms);
void store_free(struct store *store); /* NULL is fine */
bool store_is_connected(const struct store *store);
/* Which connection this is, 1 and up: what a connection holds is gone with it. 0: there is none. */
unsigned store_session(const struct store *store);
/* From any thread: what is being asked fails within a quarter of a second, and so does all that is asked later. */
void store_give_up(struct store *store);

/* ST_DB_DOWN    not reachable, or it does not let us in
 * ST_DB_SCHEMA  its tables are older or newer than this program knows, or it may not read them */
MUST_CHECK enum status store_connect(struct store *store, struct errmsg *err);

struct store_epoch {
    unsigned epoch; /* 0: the database knows no stream */
    int64_t created_ns;
    uint64_t floor; /* every message up to this sequence is applied */
};
/* Of the newest stream. */
MUST_CHECK enum status store_read_epoch(struct store *store, struct store_epoch *out, struct errmsg *err);

/* One look: everything in it is from one moment. */
struct store_look {
    const char *const *polls; /* ids to read */
    size_t n_polls;
    struct tally *tallies; /* in their order; zeroed by the caller, filled here; zero where the database has none */
    unsigned epoch; /* whose applied batches to read: those with a sequence above `after`, and those of the gaps */
    uint64_t after;
    const uint64_t *gaps;
    size_t n_gaps;
    uint64_t *applied; /* found here, rising; the caller frees it */
    size_t n_applied;
    unsigned newest_epoch; /* found here; 0: none */
    int64_t newest_created_ns;
};
MUST_CHECK enum status store_look(struct store *store, struct store_look *look, struct errmsg *err);

/* One large poll, all of it from one moment: begin, which fills in the tally without its choices, read, end.
 * on_ranking is called for each row of the choices, in any order; of one ranking there may be several, and their sum
 * counts. */
MUST_CHECK enum status store_begin_large(struct store *store, const char *poll, struct tally *out, struct errmsg *err);
MUST_CHECK enum status store_read_rankings(struct store *store, const char *poll,
                                           void (*on_ranking)(void *arg, const char *ranking, int64_t n), void *arg,
                                           struct errmsg *err);
MUST_CHECK enum status store_end_large(struct store *store, struct errmsg *err);

/* Fills in the fate of each question of the list; created_ns is the stream's, as the broker has it. */
MUST_CHECK enum status store_answer(struct store *store, int64_t created_ns, struct receipt_question *questions,
                                    struct errmsg *err);

/* Rows of an answer, as text. */
struct store_rows;

/* Runs one statement with n parameters; the caller frees the rows. */
MUST_CHECK enum status store_query(struct store *store, const char *doing, const char *sql, const char *const *values,
                                   int n, struct store_rows **out, struct errmsg *err);
size_t store_rows_count(const struct store_rows *rows);
const char *store_rows_text(const struct store_rows *rows, size_t row, int column); /* "" for null */
int64_t store_rows_number(const struct store_rows *rows, size_t row, int column);   /* 0 for null */
void store_rows_free(struct store_rows *rows);                                      /* NULL is fine */

#endif
