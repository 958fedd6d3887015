/* Tests of what a program does about each error of PostgreSQL: run it again, reconnect, reject data, call an operator.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_error.h"

#include "unit.h"

static void each_sqlstate_means_what_the_program_has_to_do(void **state)
{
    static const struct {
        const char *sqlstate;
        enum status status;
        const char *what;
    } rows[] = {
        /* The same transaction again: nothing is wrong with it. */
        {"40001", ST_DB_RETRY, "serialization failure"},
        {"40P01", ST_DB_RETRY, "deadlock"},
        {"40003", ST_DB_RETRY, "statement completion unknown"},
        {"55P03", ST_DB_RETRY, "lock not available"},
        {"57014", ST_DB_RETRY, "statement timeout"},
        {"25P02", ST_DB_RETRY, "transaction aborted by an error before"},
        {"P0001", ST_DB_RETRY, "an unknown error"},
        /* The server or the way to it: reconnect later. What was not acknowledged is delivered again. */
        {NULL, ST_DB_DOWN, "no answer"},
        {"", ST_DB_DOWN, "an error of libpq itself"},
        {"08000", ST_DB_DOWN, "connection exception"},
        {"08006", ST_DB_DOWN, "connection failure"},
        {"08P01", ST_DB_DOWN, "protocol violation"},
        {"25006", ST_DB_DOWN, "a standby"},
        {"25P03", ST_DB_DOWN, "idle in transaction for too long"},
        {"28000", ST_DB_DOWN, "role may not log in"},
        {"28P01", ST_DB_DOWN, "wrong password"},
        {"3D000", ST_DB_DOWN, "no such database"},
        {"53100", ST_DB_DOWN, "disk full"},
        {"53200", ST_DB_DOWN, "out of memory"},
        {"53300", ST_DB_DOWN, "too many connections"},
        {"57P01", ST_DB_DOWN, "terminated by the administrator"},
        {"57P02", ST_DB_DOWN, "crash of another backend"},
        {"57P03", ST_DB_DOWN, "starting up"},
        {"57P05", ST_DB_DOWN, "idle session ended"},
        {"58000", ST_DB_DOWN, "system error"},
        {"58030", ST_DB_DOWN, "input or output error"},
        {"58P01", ST_DB_DOWN, "a file of the server is missing"},
        {"54001", ST_DB_DOWN, "the server's stack limit"},
        {"XX000", ST_DB_DOWN, "internal error"},
        {"XX001", ST_DB_DOWN, "corrupted data"},
        {"XX002", ST_DB_DOWN, "corrupted index"},
        /* One ballot is at fault: it is rejected, the others are stored. */
        {"21000", ST_DB_DATA, "a key twice in one upsert"},
        {"22001", ST_DB_DATA, "too long"},
        {"22003", ST_DB_DATA, "number out of range"},
        {"22008", ST_DB_DATA, "time out of range"},
        {"22021", ST_DB_DATA, "not UTF-8"},
        {"23502", ST_DB_DATA, "not null"},
        {"23505", ST_DB_DATA, "unique"},
        {"23514", ST_DB_DATA, "check"},
        {"54000", ST_DB_DATA, "too long for an index"},
        /* An operator has to act. */
        {"0A000", ST_DB_SCHEMA, "not supported"},
        {"26000", ST_DB_SCHEMA, "no such prepared statement"},
        {"3F000", ST_DB_SCHEMA, "no such schema"},
        {"42501", ST_DB_SCHEMA, "no privilege"},
        {"42703", ST_DB_SCHEMA, "no such column"},
        {"42P01", ST_DB_SCHEMA, "no such table"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(pg_status_of(rows[i].sqlstate) == rows[i].status, "%s, %s: %s", rows[i].what,
                  rows[i].sqlstate == NULL ? "none" : rows[i].sqlstate, status_text(pg_status_of(rows[i].sqlstate)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sqlstate_means_what_the_program_has_to_do),
    };
    return cmocka_run_group_tests_name("pg_error", tests, NULL, NULL);
}
