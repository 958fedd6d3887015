/* pg_link - one connection to PostgreSQL that sends statements in a pipeline and waits with a deadline.
 * SPDX-License-Identifier: MIT
 *
 * Queue statements with _query, _prepare and _send, then run all of them with _sync: that is one round trip for any
 * number of statements. Without BEGIN, the statements of one pipeline are one transaction. Not thread-safe. */
#ifndef SCRUTIN_PG_LINK_H
#define SCRUTIN_PG_LINK_H

#include "base/status.h"
#include "pg/pg_args.h"
#include "pg/pg_rows.h"

#include <stdatomic.h>

#define PG_LINK_STATEMENTS_MAX 40 /* in one pipeline */

struct pg_link;

struct pg_link_options {
    const char *conninfo;        /* connection string or URI; "" or NULL: libpq's own PG* variables */
    const char *name;            /* what pg_stat_activity shows */
    bool any_server;             /* a standby will do; otherwise only a server that takes writes will */
    int connect_s;               /* limit for connecting to each address, at least 2 */
    int64_t answer_ms;           /* limit for the answer to one pipeline */
    const atomic_bool *given_up; /* set by any thread: a wait ends within 250 ms. NULL: never. Must outlive the link */
};

/* Connects. Nothing of the options but given_up is kept. A server that vanishes is noticed within about 25 seconds, or
 * after answer_ms if that is less.
 *
 * ST_DB_DOWN  not reachable, or it does not let us in */
MUST_CHECK enum status pg_link_open(struct pg_link **out, const struct pg_link_options *options, struct errmsg *err);
void pg_link_close(struct pg_link *link); /* NULL is fine */

/* args may be NULL. */
void pg_link_query(struct pg_link *link, const char *sql, const struct pg_args *args);
void pg_link_prepare(struct pg_link *link, const char *name, const char *sql);
/* Queues a prepared statement. args may be NULL. */
void pg_link_send(struct pg_link *link, const char *name, const struct pg_args *args);

/* Runs what is queued. The first statement that fails ends the pipeline: later ones do not run.
 *
 * ST_DB_DOWN  connection lost or refused, or no answer in time; then nobody knows whether a COMMIT took effect
 *
 * ST_DB_RETRY, ST_DB_SCHEMA and ST_DB_DATA as in pg_error.h. */
MUST_CHECK enum status pg_link_sync(struct pg_link *link, struct errmsg *err);
/* The same for a single queued statement with many rows: calls on_row for each row as it arrives, and keeps none.
 * on_row borrows a struct pg_rows of one row and must not use the link. */
MUST_CHECK enum status pg_link_sync_each(struct pg_link *link, void (*on_row)(void *arg, const struct pg_rows *row),
                                         void *arg, struct errmsg *err);

/* Results of the last _sync, by the position of the statement in its pipeline; valid until something is queued. They
 * take the same arguments and keep the same rules as the functions of pg_rows.h. */
size_t pg_link_rows(const struct pg_link *link, size_t statement);
bool pg_link_is_null(const struct pg_link *link, size_t statement, size_t row, int column);
int64_t pg_link_number(const struct pg_link *link, size_t statement, size_t row, int column);
const char *pg_link_bytes(const struct pg_link *link, size_t statement, size_t row, int column, size_t *len);
/* The rows themselves. The caller frees them; the link has no result at that position any more. */
struct pg_rows *pg_link_take_rows(struct pg_link *link, size_t statement);

/* Whether the connection is of no more use: close it. */
bool pg_link_is_lost(const struct pg_link *link);
/* Whether a transaction is open, failed or not. */
bool pg_link_in_transaction(const struct pg_link *link);

#endif
