/* pg_rows - the rows that a statement returned, in PostgreSQL's binary format.
 * SPDX-License-Identifier: MIT
 *
 * Rows and columns count from 0. A row or column that does not exist aborts the process. */
#ifndef SCRUTIN_PG_ROWS_H
#define SCRUTIN_PG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_rows;

size_t pg_rows_count(const struct pg_rows *rows);
bool pg_rows_is_null(const struct pg_rows *rows, size_t row, int column);
/* An integer or boolean column of any width. 0 for null. */
int64_t pg_rows_number(const struct pg_rows *rows, size_t row, int column);
/* Text or bytes, with a NUL behind them; valid as long as the rows are. "" for null. len may be NULL. */
const char *pg_rows_bytes(const struct pg_rows *rows, size_t row, int column, size_t *len);
void pg_rows_free(struct pg_rows *rows); /* NULL is fine */

#endif
