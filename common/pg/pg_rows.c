/* pg_rows - reads values out of a result of libpq. A struct pg_rows is a PGresult.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_rows.h"

#include <assert.h>
#include <libpq-fe.h>

static const PGresult *result_of(const struct pg_rows *rows)
{
    return (const PGresult *)rows;
}

size_t pg_rows_count(const struct pg_rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

bool pg_rows_is_null(const struct pg_rows *rows, size_t row, int column)
{
    assert(row < pg_rows_count(rows) && column < PQnfields(result_of(rows)));
    return PQgetisnull(result_of(rows), (int)row, column) != 0;
}

const char *pg_rows_bytes(const struct pg_rows *rows, size_t row, int column, size_t *len)
{
    assert(row < pg_rows_count(rows) && column < PQnfields(result_of(rows)));
    if (len != NULL)
        *len = (size_t)PQgetlength(result_of(rows), (int)row, column);
    return PQgetvalue(result_of(rows), (int)row, column);
}

int64_t pg_rows_number(const struct pg_rows *rows, size_t row, int column)
{
    size_t len;
    const unsigned char *bytes = (const unsigned char *)pg_rows_bytes(rows, row, column, &len);
    if (len == 0 && pg_rows_is_null(rows, row, column))
        return 0;
    assert(len >= 1 && len <= 8);
    uint64_t value = (bytes[0] & 0x80) != 0 && len > 1 ? ~UINT64_C(0) : 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

void pg_rows_free(struct pg_rows *rows)
{
    PQclear((PGresult *)rows);
}
