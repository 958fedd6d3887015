/* store - libpq with a deadline on every answer. store_look.c has what is asked.
 * SPDX-License-Identifier: MIT */
#include "read/store_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "read/store_sql.h"
#include <poll.h>
#include <stdio.h>

#define STOP_LOOK_MS 250 /* how often a wait looks whether it was given up */

struct store {
    char *conninfo;
    const char *name;
    int answer_ms;
    PGconn *conn;
    unsigned session;
    atomic_bool given_up;
};

struct store *store_new(const char *conninfo, const char *name, int answer_ms)
{
    struct store *store = alloc_items(1, sizeof(*store));

    store->conninfo = alloc_copy(conninfo);
    store->name = name;
    store->answer_ms = answer_ms;
    return store;
}

static void disconnect(struct store *store)
{
    PQfinish(store->conn);
    store->conn = NULL;
}

void store_free(struct store *store)
{
    if (store == NULL)
        return;
    disconnect(store);
    free(store->conninfo);
    free(store);
}

bool store_is_connected(const struct store *store)
{
    return store->conn != NULL;
}

unsigned store_session(const struct store *store)
{
    return store->conn == NULL ? 0 : store->session;
}

void store_give_up(struct store *store)
{
    atomic_store(&store->given_up, true);
}

/* --- errors */

/* libpq ends its messages with a line break, and its longer ones have several. */
static enum status db_fail(struct errmsg *err, enum status status, const char *doing, const char *message)
{
    char text[400];

    snprintf(text, sizeof(text), "%s", message != NULL && message[0] != '\0' ? message : "no reason given");
    for (char *p = text; *p != '\0'; p++)
        if (*p == '\n' || *p == '\t')
            *p = p[1] == '\0' ? '\0' : ' ';
    return fail(err, status, "%s: %s", doing, text);
}

static enum status result_fail(const PGresult *result, const char *doing, struct errmsg *err)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum status st = ST_DB_DATA;

    if (code == NULL || strncmp(code, "08", 2) == 0 || strncmp(code, "57", 2) == 0 || strncmp(code, "53", 2) == 0)
        st = ST_DB_DOWN;
    else if (strncmp(code, "40", 2) == 0)
        st = ST_DB_RETRY;
    else if (strncmp(code, "42", 2) == 0) /* no such table or column, or no right to read it */
        st = ST_DB_SCHEMA;
    return db_fail(err, st, doing, PQresultErrorMessage(result));
}

/* --- asking */

/* Waits a while for the connection to be readable (or writable, where wanted). False: the deadline has passed. */
static bool wait_socket(struct store *store, bool write, int64_t deadline_ms)
{
    struct pollfd fd = {.fd = PQsocket(store->conn), .events = (short)(POLLIN | (write ? POLLOUT : 0))};
    int64_t left = deadline_ms - clock_mono_ms();

    return left > 0 && !atomic_load(&store->given_up) &&
           (poll(&fd, 1, (int)(left < STOP_LOOK_MS ? left : STOP_LOOK_MS)) > 0 || clock_mono_ms() < deadline_ms);
}

/* Until PQgetResult has something to give. */
static enum status await_result(struct store *store, const char *doing, int64_t deadline, struct errmsg *err)
{
    int unsent;

    while ((unsent = PQflush(store->conn)) != 0 || PQisBusy(store->conn)) {
        if (unsent < 0)
            return db_fail(err, ST_DB_DOWN, doing, PQerrorMessage(store->conn));
        if (!wait_socket(store, unsent > 0, deadline))
            return fail(err, ST_DB_DOWN, "%s: no answer for %d s", doing, store->answer_ms / 1000);
        if (!PQconsumeInput(store->conn))
            return db_fail(err, ST_DB_DOWN, doing, PQerrorMessage(store->conn));
    }
    return ST_OK;
}

/* The last result of what was sent, or the first that is an error. */
static enum status receive(struct store *store, const char *doing, PGresult **out, struct errmsg *err)
{
    int64_t deadline = clock_mono_ms() + store->answer_ms;
    PGresult *kept = NULL, *result = NULL;
    enum status st;

    while ((st = await_result(store, doing, deadline, err)) == ST_OK && (result = PQgetResult(store->conn)) != NULL) {
        if (kept != NULL && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
    }
    if (st != ST_OK) {
        PQclear(kept);
        return st;
    }
    if (kept == NULL)
        return db_fail(err, ST_DB_DOWN, doing, PQerrorMessage(store->conn));
    ExecStatusType status = PQresultStatus(kept);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        st = result_fail(kept, doing, err);
        PQclear(kept);
        return st;
    }
    *out = kept;
    return ST_OK;
}

/* Each row of what was sent, as it comes: they are never in memory together. */
static enum status receive_rows(struct store *store, const char *doing, void (*on_row)(void *arg, const PGresult *row),
                                void *arg, struct errmsg *err)
{
    int64_t deadline = clock_mono_ms() + store->answer_ms;

    PQsetSingleRowMode(store->conn);
    for (;;) {
        enum status st = await_result(store, doing, deadline, err);
        PGresult *result = st == ST_OK ? PQgetResult(store->conn) : NULL;
        if (result == NULL)
            return st;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_SINGLE_TUPLE)
            on_row(arg, result);
        else if (status != PGRES_TUPLES_OK)
            st = result_fail(result, doing, err);
        PQclear(result);
        if (st != ST_OK)
            return st;
    }
}

/* What was sent, or not, is answered. On ST_OK the caller clears *out; otherwise the connection is closed. */
static enum status answer(struct store *store, const char *doing, int sent, PGresult **out, struct errmsg *err)
{
    enum status st;

    *out = NULL;
    if (sent == 1)
        st = receive(store, doing, out, err);
    else
        st = db_fail(err, ST_DB_DOWN, doing, PQerrorMessage(store->conn));
    if (st != ST_OK)
        disconnect(store);
    return st;
}

enum status store_ask(struct store *store, const char *doing, const char *statement, const char *const *values, int n,
                      PGresult **out, struct errmsg *err)
{
    *out = NULL;
    if (store->conn == NULL)
        return fail(err, ST_DB_DOWN, "%s: not connected", doing);
    return answer(store, doing, PQsendQueryPrepared(store->conn, statement, n, values, NULL, NULL, 0), out, err);
}

enum status store_run(struct store *store, const char *doing, const char *sql, const char *const *values, int n,
                      PGresult **out, struct errmsg *err)
{
    *out = NULL;
    if (store->conn == NULL)
        return fail(err, ST_DB_DOWN, "%s: not connected", doing);
    return answer(store, doing, PQsendQueryParams(store->conn, sql, n, NULL, values, NULL, NULL, 0), out, err);
}

enum status store_run_rows(struct store *store, const char *doing, const char *sql, const char *const *values, int n,
                           void (*on_row)(void *arg, const PGresult *row), void *arg, struct errmsg *err)
{
    enum status st;

    if (store->conn == NULL)
        return fail(err, ST_DB_DOWN, "%s: not connected", doing);
    if (PQsendQueryParams(store->conn, sql, n, NULL, values, NULL, NULL, 0) == 1)
        st = receive_rows(store, doing, on_row, arg, err);
    else
        st = db_fail(err, ST_DB_DOWN, doing, PQerrorMessage(store->conn));
    if (st != ST_OK)
        disconnect(store);
    return st;
}

int64_t store_number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* --- connecting */

static enum status check_schema(struct store *store, struct errmsg *err)
{
    PGresult *result;
    enum status st = store_run(store, "read the schema's version", SQL_SCHEMA, NULL, 0, &result, err);

    if (st == ST_DB_SCHEMA)
        return fail_within(err, st, "the database has no tables of ours that we may read; run db/migrate");
    if (st != ST_OK)
        return st;
    int64_t found = PQntuples(result) > 0 ? store_number(result, 0, 0) : 0;
    PQclear(result);
    if (found == STORE_SCHEMA)
        return ST_OK;
    disconnect(store);
    return fail(err, ST_DB_SCHEMA, "the database is at schema version %lld, this program is for %d: %s",
                (long long)found, STORE_SCHEMA,
                found < STORE_SCHEMA ? "run db/migrate" : "use the release that belongs to the database");
}

static enum status prepare(struct store *store, const char *name, const char *sql, struct errmsg *err)
{
    PGresult *result;
    enum status st = answer(store, name, PQsendPrepare(store->conn, name, sql, 0, NULL), &result, err);

    PQclear(result);
    return st;
}

/* libpq would write to standard error; what matters comes back as an error. */
static void on_notice(void *arg, const PGresult *result)
{
}

enum status store_connect(struct store *store, struct errmsg *err)
{
    /* The last of a name wins, so what conninfo says stands. */
    char limit[8];
    const char *const names[] = {"connect_timeout",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "fallback_application_name",
                                 "dbname",
                                 NULL};
    const char *const values[] = {limit, "5", "5", "3", "15000", store->name, store->conninfo, NULL};
    char session[sizeof(SQL_SESSION) + 12];
    PGresult *result;
    enum status st;

    snprintf(limit, sizeof(limit), "%d", STORE_CONNECT_S);
    snprintf(session, sizeof(session), SQL_SESSION, store->answer_ms - 1000);
    disconnect(store);
    store->session++;
    store->conn = PQconnectdbParams(names, values, 1);
    if (store->conn == NULL)
        abort();
    if (PQstatus(store->conn) != CONNECTION_OK) {
        st = db_fail(err, ST_DB_DOWN, "connect", PQerrorMessage(store->conn));
        disconnect(store);
        return st;
    }
    PQsetnonblocking(store->conn, 1);
    PQsetNoticeReceiver(store->conn, on_notice, NULL);
    PQsetErrorVerbosity(store->conn, PQERRORS_TERSE); /* details are data of somebody's ballot, and errors are logged */
    st = answer(store, "begin the session", PQsendQuery(store->conn, session), &result, err);
    if (st != ST_OK)
        return st;
    PQclear(result);
    if ((st = check_schema(store, err)) != ST_OK || (st = prepare(store, "epoch", SQL_EPOCH, err)) != ST_OK ||
        (st = prepare(store, "look", SQL_LOOK, err)) != ST_OK)
        return st;
    return prepare(store, "receipts", RECEIPT_FATE_SQL, err);
}

/* --- whatever an export asks */

enum status store_query(struct store *store, const char *doing, const char *sql, const char *const *values, int n,
                        struct store_rows **out, struct errmsg *err)
{
    PGresult *result;
    enum status st = store_run(store, doing, sql, values, n, &result, err);

    *out = (struct store_rows *)result;
    return st;
}

size_t store_rows_count(const struct store_rows *rows)
{
    return (size_t)PQntuples((const PGresult *)rows);
}

const char *store_rows_text(const struct store_rows *rows, size_t row, int column)
{
    return PQgetvalue((const PGresult *)rows, (int)row, column);
}

int64_t store_rows_number(const struct store_rows *rows, size_t row, int column)
{
    return store_number((const PGresult *)rows, (int)row, column);
}

void store_rows_free(struct store_rows *rows)
{
    PQclear((PGresult *)rows);
}
