/* pg_array - a one-dimensional array without nulls in PostgreSQL's binary format.
 * SPDX-License-Identifier: MIT
 *
 * The format is that of array_recv in src/backend/utils/adt/arrayfuncs.c: dimensions, null flag, element type, length
 * and lower bound, then each element with its length; all big-endian. */
#ifndef SCRUTIN_PG_ARRAY_H
#define SCRUTIN_PG_ARRAY_H

#include <stddef.h>
#include <stdint.h>

/* Object ids of element types, from src/include/catalog/pg_type.dat: they never change. */
enum pg_type {
    PG_BOOL = 16,
    PG_INT8 = 20, /* 8 bytes */
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_TIMESTAMPTZ = 1184,
    PG_UUID = 2950,
};

struct pg_array {
    uint8_t *data;
    size_t len, room;
};

/* A zeroed array is empty storage; _fini frees it, _begin reuses it. */
void pg_array_fini(struct pg_array *array);
/* Starts an array of n elements, of which each must then be added. */
void pg_array_begin(struct pg_array *array, enum pg_type type, size_t n);
void pg_array_add_bool(struct pg_array *array, int value);
void pg_array_add_int4(struct pg_array *array, int32_t value);
void pg_array_add_int8(struct pg_array *array, int64_t value);
/* Text or uuid. */
void pg_array_add_bytes(struct pg_array *array, const void *data, size_t len);

/* Milliseconds since 1970 as timestamptz counts: microseconds since 2000. */
int64_t pg_time_from_ms(int64_t unix_ms);

#endif
