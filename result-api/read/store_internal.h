/* store_internal - what store.c (the connection) and store_look.c (what is asked) share. For these two only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_STORE_INTERNAL_H
#define SCRUTIN_STORE_INTERNAL_H

#include "read/store.h"
#include <libpq-fe.h>

/* Each waits for the answer until answer_ms is over. On ST_OK the caller clears *out; otherwise it is NULL, and the
 * connection closed. */

/* Runs a prepared statement. */
MUST_CHECK enum status store_ask(struct store *store, const char *doing, const char *statement,
                                 const char *const *values, int n, PGresult **out, struct errmsg *err);
/* Runs one statement. */
MUST_CHECK enum status store_run(struct store *store, const char *doing, const char *sql, const char *const *values,
                                 int n, PGresult **out, struct errmsg *err);
/* The same, row by row: on_row borrows a result of one row. */
MUST_CHECK enum status store_run_rows(struct store *store, const char *doing, const char *sql,
                                      const char *const *values, int n, void (*on_row)(void *arg, const PGresult *row),
                                      void *arg, struct errmsg *err);

int64_t store_number(const PGresult *result, int row, int column);

#endif
