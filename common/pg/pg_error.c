/* pg_error - the table from SQLSTATE to status.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_error.h"

#include <string.h>

/* Codes and classes: appendix A of the PostgreSQL manual, "PostgreSQL Error Codes". The first prefix that fits decides,
 * so a code stands before its class.
 *
 * A ballot that raises ST_DB_DATA is rejected for good. Therefore a row says ST_DB_DATA only where the values of the
 * ballot alone can be the cause. An error that may come from the state of the server is tried again. */
static const struct {
    const char *prefix;
    enum status status;
} table[] = {
    {"08", ST_DB_DOWN},    /* the connection broke */
    {"25006", ST_DB_DOWN}, /* read-only: this server is a standby, the primary is elsewhere */
    {"25P03", ST_DB_DOWN}, /* idle in a transaction for too long: the server closed the session */
    {"28", ST_DB_DOWN},    /* the server does not let us in */
    {"3D", ST_DB_DOWN},    /* the database does not exist, or does not exist yet */
    {"53", ST_DB_DOWN},    /* out of disk, memory or connections: this passes or an operator mends it */
    {"57P", ST_DB_DOWN},   /* shutting down, starting up, crashed, session ended by the server */
    {"58", ST_DB_DOWN},    /* the server's own input or output failed */
    {"XX", ST_DB_DOWN},    /* internal error or damaged table: the server's fault, whatever the data */
    {"54001", ST_DB_DOWN}, /* the statement needs more stack than the server is set to give */
    {"21", ST_DB_DATA},    /* one statement changes a row twice */
    {"22", ST_DB_DATA},    /* a value does not fit its type: too long, out of range, not UTF-8 */
    {"23", ST_DB_DATA},    /* a value breaks a constraint */
    {"54", ST_DB_DATA},    /* a value is too long for an index, and similar limits */
    {"0A", ST_DB_SCHEMA},  /* not supported: a column changed its type below a prepared statement, an old server */
    {"26", ST_DB_SCHEMA},  /* a prepared statement is gone: a pooler between us changes the session */
    {"3F", ST_DB_SCHEMA},  /* no such schema */
    {"42", ST_DB_SCHEMA},  /* no such table, column or function, or no privilege */
};

enum status pg_status_of(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return ST_DB_DOWN;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].status;
    return ST_DB_RETRY; /* 40001, 40P01, 55P03 and 57014 are worth another try, and so is every unknown code */
}
