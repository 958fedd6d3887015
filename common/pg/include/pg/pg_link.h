/* pg_link - one connection to PostgreSQL that sends statements in a pipeline and waits with a deadline.
 * SPDX-License-Identifier: MIT
 *
 * The only file of the worker that knows libpq. Queue statements with _query, _prepare and _send, then run them all
 * with _sync: one round trip, however many they are. Not thread-safe. */
#ifndef SCRUTIN_PG_LINK_H
#define SCRUTIN_PG_LINK_H

#include "base/status.h"
#include "pg/pg_array.h"

#include <stdint.h>

#define PG_LINK_STATEMENTS_MAX 40 /* in one pipeline */
#define PG_ARGS_MAX 14            /* a one for each stands in pg_link_send */

struct pg_link;

/* The parameters of a statement, in order and in binary. A zeroed one is empty; array, text and bytes are borrowed
 * until the statement is queued. */
struct pg_args {
    int n;
    const char *value[PG_ARGS_MAX];
    int len[PG_ARGS_MAX];
    uint64_t number[PG_ARGS_MAX]; /* storage for what is no array, text or bytes */
};

void pg_args_add_array(struct pg_args *args, const struct pg_array *array);
void pg_args_add_text(struct pg_args *args, const char *text);
void pg_args_add_bytes(struct pg_args *args, const void *data, size_t len);
void pg_args_add_bool(struct pg_args *args, bool value);
void pg_args_add_int2(struct pg_args *args, int16_t value);
void pg_args_add_int4(struct pg_args *args, int32_t value);
void pg_args_add_int8(struct pg_args *args, int64_t value);
void pg_args_add_null(struct pg_args *args);

/* Connects; conninfo is a connection string or URI, "" or NULL for the PG* variables. A vanished server is noticed
 * within some 25 seconds.
 *
 * ST_DB_DOWN  not reachable, or it does not let us in */
MUST_CHECK enum status pg_link_open(struct pg_link **out, const char *conninfo, const char *name, struct errmsg *err);
void pg_link_close(struct pg_link *link); /* NULL is fine */
/* How long an answer may take; 30 s unless this says otherwise. */
void pg_link_set_answer_ms(struct pg_link *link, int64_t answer_ms);

void pg_link_query(struct pg_link *link, const char *sql);
void pg_link_prepare(struct pg_link *link, const char *name, const char *sql);
/* args may be NULL. */
void pg_link_send(struct pg_link *link, const char *name, const struct pg_args *args);

/* Runs what is queued. The first statement that fails ends the pipeline; those after it do not run.
 *
 * ST_DB_DOWN    connection lost or refused, no answer in time: whether a COMMIT in it took effect is unknown
 * ST_DB_RETRY   serialization failure, deadlock, cancelled: the transaction may be run again
 * ST_DB_SCHEMA  a table, column or privilege is missing
 * ST_DB_DATA    the data breaks a type, a constraint or a limit */
MUST_CHECK enum status pg_link_sync(struct pg_link *link, struct errmsg *err);

/* Results of the last _sync, by the position of the statement in its pipeline; valid until something is queued. */
size_t pg_link_rows(const struct pg_link *link, size_t statement);
bool pg_link_is_null(const struct pg_link *link, size_t statement, size_t row, int column);
/* An integer or boolean column of any width. */
int64_t pg_link_number(const struct pg_link *link, size_t statement, size_t row, int column);
/* Text or bytes; a NUL follows. len may be NULL. */
const char *pg_link_bytes(const struct pg_link *link, size_t statement, size_t row, int column, size_t *len);

/* Whether the connection is of no more use: close it. */
bool pg_link_is_lost(const struct pg_link *link);
/* Whether a transaction is open, failed or not. */
bool pg_link_in_transaction(const struct pg_link *link);

/* What an error with this SQLSTATE means; NULL or "" is a lost connection. Pure. */
enum status pg_status_of(const char *sqlstate);

#endif
