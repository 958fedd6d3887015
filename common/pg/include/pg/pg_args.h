/* pg_args - the parameters of one statement, in PostgreSQL's binary format.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_PG_ARGS_H
#define SCRUTIN_PG_ARGS_H

#include "pg/pg_array.h"

#include <stdbool.h>

#define PG_ARGS_MAX 14

/* A zeroed struct has no parameters; each call adds the next one ($1, $2, ...). Arrays, text and bytes are borrowed
 * until the statement is queued. More than PG_ARGS_MAX parameters abort the process. */
struct pg_args {
    int n;
    const char *value[PG_ARGS_MAX]; /* NULL is the null of SQL */
    int len[PG_ARGS_MAX];
    uint64_t number[PG_ARGS_MAX]; /* storage for numbers and booleans */
};

void pg_args_add_array(struct pg_args *args, const struct pg_array *array);
void pg_args_add_text(struct pg_args *args, const char *text);
void pg_args_add_bytes(struct pg_args *args, const void *data, size_t len);
void pg_args_add_bool(struct pg_args *args, bool value);
void pg_args_add_int2(struct pg_args *args, int16_t value);
void pg_args_add_int4(struct pg_args *args, int32_t value);
void pg_args_add_int8(struct pg_args *args, int64_t value);
void pg_args_add_null(struct pg_args *args);

#endif
