/* scratch_db - makes, empties and drops the database of a test.
 * SPDX-License-Identifier: MIT */
#include "scratch_db.h"

#include "base/clock.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static PGconn *server, *owner;
static char name[64], conninfo[100];

/* Turns DATABASE_URL into PG* variables, so that the name of the database can be exchanged. */
static bool adopt_url(const char *url)
{
    static const char *const variables[][2] = {
        {"host", "PGHOST"},         {"port", "PGPORT"},       {"user", "PGUSER"},
        {"password", "PGPASSWORD"}, {"dbname", "PGDATABASE"}, {"sslmode", "PGSSLMODE"},
    };
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (options == NULL)
        return false;
    for (PQconninfoOption *option = options; option->keyword != NULL; option++)
        for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
            if (option->val != NULL && strcmp(option->keyword, variables[i][0]) == 0)
                setenv(variables[i][1], option->val, 1);
    PQconninfoFree(options);
    unsetenv("DATABASE_URL");
    return true;
}

static bool skip_because(const char *why, const char *detail)
{
    printf("skipped: %s%s\n", why, detail);
    scratch_db_close();
    return false;
}

static void choose_conninfo(void)
{
    PGconn *conn = PQconnectdb("user=scrutin_worker");
    snprintf(conninfo, sizeof(conninfo), PQstatus(conn) == CONNECTION_OK ? "user=scrutin_worker" : "");
    PQfinish(conn);
}

bool scratch_db_open(void)
{
    const char *url = getenv("DATABASE_URL");
    char sql[200];
    if ((url == NULL || url[0] == '\0') && getenv("PGHOST") == NULL)
        return skip_because("no database server: set PGHOST or DATABASE_URL", "");
    if (url != NULL && url[0] != '\0' && !adopt_url(url))
        return skip_because("DATABASE_URL is no connection string", "");
    setenv("PGCONNECT_TIMEOUT", "30", 0);
    server = PQconnectdb("");
    if (PQstatus(server) != CONNECTION_OK)
        return skip_because("", PQerrorMessage(server));
    snprintf(name, sizeof(name), "scrutin_unit_%ld", (long)getpid());
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0", name);
    PGresult *result = PQexec(server, sql);
    bool made = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!made) {
        name[0] = '\0';
        return skip_because("", PQerrorMessage(server));
    }
    setenv("PGDATABASE", name, 1);
    if (system("'" SOURCE_ROOT "/db/migrate' >/dev/null") != 0)
        return skip_because("db/migrate failed", "");
    owner = PQconnectdb("");
    choose_conninfo();
    return true;
}

void scratch_db_close(void)
{
    char sql[200];
    PQfinish(owner);
    owner = NULL;
    if (name[0] != '\0') {
        snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", name);
        PQclear(PQexec(server, sql));
        name[0] = '\0';
    }
    PQfinish(server);
    server = NULL;
}

static PGresult *execute(const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(owner));
        scratch_db_close();
        exit(1);
    }
    return result;
}

void scratch_db_run(const char *sql)
{
    PQclear(execute(sql));
}

void scratch_db_await_sessions(int n)
{
    const struct timespec pause = {0, 5 * 1000000};
    char expected[16];

    snprintf(expected, sizeof(expected), "%d ", n);
    for (int64_t until = clock_mono_ms() + 60000; clock_mono_ms() < until; nanosleep(&pause, NULL))
        if (strcmp(scratch_db_ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                  "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"),
                   expected) == 0)
            return;
    fprintf(stderr, "not %d sessions after a minute\n", n);
    scratch_db_close();
    exit(1);
}

void scratch_db_reset(void)
{
    scratch_db_await_sessions(0);
    scratch_db_run("TRUNCATE stream_epochs, polls, ballots, applied_batches, rejected_ballots, ledger, tally, "
                   "timeline, voting_codes, poll_marks "
                   "RESTART IDENTITY");
}

const char *scratch_db_conninfo(void)
{
    return conninfo;
}

const char *scratch_db_ask(const char *sql)
{
    static char *answers[2];
    static size_t turn;
    PGresult *result = execute(sql);
    size_t len = 1;
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++)
            len += (size_t)PQgetlength(result, row, column) + 1;
    turn = 1 - turn;
    char *end = answers[turn] = realloc(answers[turn], len);
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++) {
            end = stpcpy(end, PQgetvalue(result, row, column));
            *end++ = column + 1 < PQnfields(result) ? '|' : ' ';
        }
    *end = '\0';
    PQclear(result);
    return answers[turn];
}
