/* pg_args - collects the parameters of one statement.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_args.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static void add_value(struct pg_args *args, const void *value, size_t len)
{
    assert(args->n < PG_ARGS_MAX);
    args->value[args->n] = value;
    args->len[args->n++] = (int)len;
}

static void add_number(struct pg_args *args, const void *big_endian, size_t len)
{
    assert(args->n < PG_ARGS_MAX);
    memcpy(&args->number[args->n], big_endian, len);
    add_value(args, &args->number[args->n], len);
}

void pg_args_add_array(struct pg_args *args, const struct pg_array *array)
{
    add_value(args, array->data, array->len);
}

void pg_args_add_text(struct pg_args *args, const char *text)
{
    add_value(args, text, strlen(text));
}

void pg_args_add_bytes(struct pg_args *args, const void *data, size_t len)
{
    add_value(args, len == 0 ? "" : data, len); /* libpq sends NULL as the null of SQL */
}

void pg_args_add_bool(struct pg_args *args, bool value)
{
    char byte = value ? 1 : 0;
    add_number(args, &byte, sizeof(byte));
}

void pg_args_add_int2(struct pg_args *args, int16_t value)
{
    uint16_t wire = htobe16((uint16_t)value);
    add_number(args, &wire, sizeof(wire));
}

void pg_args_add_int4(struct pg_args *args, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);
    add_number(args, &wire, sizeof(wire));
}

void pg_args_add_int8(struct pg_args *args, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    add_number(args, &wire, sizeof(wire));
}

void pg_args_add_null(struct pg_args *args)
{
    add_value(args, NULL, 0);
}
