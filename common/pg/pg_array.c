/* pg_array - writes arrays in PostgreSQL's binary format.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_array.h"

#include "base/grow.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define MS_1970_TO_2000 INT64_C(946684800000)

static void put_bytes(struct pg_array *array, const void *data, size_t len)
{
    GROW(array->data, array->room, array->len + len);
    memcpy(array->data + array->len, data, len);
    array->len += len;
}

static void put_uint32(struct pg_array *array, uint32_t value)
{
    value = htobe32(value);
    put_bytes(array, &value, sizeof(value));
}

void pg_array_fini(struct pg_array *array)
{
    free(array->data);
    *array = (struct pg_array){0};
}

void pg_array_begin(struct pg_array *array, enum pg_type type, size_t n)
{
    array->len = 0;
    put_uint32(array, 1); /* dimensions */
    put_uint32(array, 0); /* no nulls */
    put_uint32(array, (uint32_t)type);
    put_uint32(array, (uint32_t)n);
    put_uint32(array, 1); /* subscripts start at 1 */
}

void pg_array_add_bytes(struct pg_array *array, const void *data, size_t len)
{
    put_uint32(array, (uint32_t)len);
    put_bytes(array, data, len);
}

void pg_array_add_bool(struct pg_array *array, int value)
{
    pg_array_add_bytes(array, value ? "\1" : "\0", 1);
}

void pg_array_add_int4(struct pg_array *array, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);
    pg_array_add_bytes(array, &wire, sizeof(wire));
}

void pg_array_add_int8(struct pg_array *array, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    pg_array_add_bytes(array, &wire, sizeof(wire));
}

int64_t pg_time_from_ms(int64_t unix_ms)
{
    return (unix_ms - MS_1970_TO_2000) * 1000;
}
