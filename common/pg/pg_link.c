/* pg_link - libpq in pipeline mode.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_link.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "pg/pg_error.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>

#define GIVEN_UP_LOOK_MS 250 /* how often a wait looks whether it was given up */

struct pg_link {
    PGconn *conn;
    int64_t answer_ms;
    const atomic_bool *given_up;
    bool is_broken; /* a statement could not be sent, or no answer came in time: of no more use */
    size_t n_queued, n_results;
    PGresult *results[PG_LINK_STATEMENTS_MAX];
};

/* Errors. */

/* libpq ends its messages with a line feed, and some have several lines: the first one says enough. */
static enum status fail_lost(const struct pg_link *link, struct errmsg *err)
{
    const char *text = PQerrorMessage(link->conn);
    if (text[0] == '\0')
        text = "the connection is lost";
    return fail(err, ST_DB_DOWN, "%.*s", (int)strcspn(text, "\n"), text);
}

/* The detail that PostgreSQL adds is left out: it may quote a ballot, and errors are logged. */
static enum status fail_result(const PGresult *result, struct errmsg *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (text == NULL)
        text = PQresultErrorMessage(result);
    return fail(err, pg_status_of(sqlstate), "%.*s (SQLSTATE %s)", (int)strcspn(text, "\n"), text,
                sqlstate == NULL ? "none" : sqlstate);
}

/* Connection. */

/* Otherwise libpq writes notices to standard error. What matters comes back as an error. */
static void ignore_notice(void *arg, const PGresult *result)
{
}

enum status pg_link_open(struct pg_link **out, const struct pg_link_options *options, struct errmsg *err)
{
    /* The last one of a name wins: conninfo (as dbname) may override what stands before it, but not the encoding. */
    char connect_s[12];
    const char *const settings[][2] = {
        {"connect_timeout", connect_s},
        {"tcp_user_timeout", "15000"},
        {"keepalives", "1"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"target_session_attrs", options->any_server ? NULL : "read-write"},
        {"dbname", options->conninfo},
        {"fallback_application_name", options->name},
        {"client_encoding", "UTF8"},
    };
    enum { N_SETTINGS = sizeof(settings) / sizeof(settings[0]) };
    const char *keywords[N_SETTINGS + 1] = {NULL}, *values[N_SETTINGS + 1] = {NULL};
    enum status st;

    *out = NULL;
    snprintf(connect_s, sizeof(connect_s), "%d", options->connect_s);
    for (size_t i = 0; i < N_SETTINGS; i++) {
        keywords[i] = settings[i][0];
        values[i] = settings[i][1];
    }
    struct pg_link *link = alloc_items(1, sizeof(*link));
    link->answer_ms = options->answer_ms;
    link->given_up = options->given_up;
    link->conn = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(link->conn) != CONNECTION_OK || PQsetnonblocking(link->conn, 1) != 0 ||
        PQenterPipelineMode(link->conn) != 1) {
        st = fail_lost(link, err);
        goto out;
    }
    PQsetNoticeReceiver(link->conn, ignore_notice, NULL);
    *out = link;
    link = NULL;
    st = ST_OK;

out:
    pg_link_close(link);
    return st;
}

static void drop_results(struct pg_link *link)
{
    for (size_t i = 0; i < link->n_results; i++)
        PQclear(link->results[i]);
    link->n_results = 0;
}

void pg_link_close(struct pg_link *link)
{
    if (link == NULL)
        return;
    drop_results(link);
    PQfinish(link->conn);
    free(link);
}

bool pg_link_is_lost(const struct pg_link *link)
{
    return link->is_broken || PQstatus(link->conn) != CONNECTION_OK;
}

bool pg_link_in_transaction(const struct pg_link *link)
{
    return PQtransactionStatus(link->conn) != PQTRANS_IDLE;
}

/* The pipeline. */

static void note_queued(struct pg_link *link, int sent)
{
    assert(link->n_queued < PG_LINK_STATEMENTS_MAX);
    link->n_queued++;
    if (sent != 1)
        link->is_broken = true;
}

static void begin_queueing(struct pg_link *link)
{
    if (link->n_queued == 0)
        drop_results(link);
}

static const struct pg_args no_args;
static const int all_binary[PG_ARGS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

void pg_link_query(struct pg_link *link, const char *sql, const struct pg_args *args)
{
    begin_queueing(link);
    if (args == NULL)
        args = &no_args;
    note_queued(link, PQsendQueryParams(link->conn, sql, args->n, NULL, args->value, args->len, all_binary, 1));
}

void pg_link_prepare(struct pg_link *link, const char *name, const char *sql)
{
    begin_queueing(link);
    note_queued(link, PQsendPrepare(link->conn, name, sql, 0, NULL));
}

void pg_link_send(struct pg_link *link, const char *name, const struct pg_args *args)
{
    begin_queueing(link);
    if (args == NULL)
        args = &no_args;
    note_queued(link, PQsendQueryPrepared(link->conn, name, args->n, args->value, args->len, all_binary, 1));
}

/* Waits until the socket is ready or the deadline is over. */
static enum status wait_socket(struct pg_link *link, bool has_unsent, int64_t deadline_ms, struct errmsg *err)
{
    int64_t left_ms = deadline_ms - clock_mono_ms();
    bool is_given_up = link->given_up != NULL && atomic_load(link->given_up);

    if (left_ms <= 0 || is_given_up) {
        link->is_broken = true; /* an answer that comes later would be taken for another one */
        return is_given_up ? fail(err, ST_DB_DOWN, "the program is stopping")
                           : fail(err, ST_DB_DOWN, "no answer within %lld seconds", (long long)link->answer_ms / 1000);
    }
    if (link->given_up != NULL && left_ms > GIVEN_UP_LOOK_MS)
        left_ms = GIVEN_UP_LOOK_MS;
    struct pollfd ready = {.fd = PQsocket(link->conn), .events = (short)(POLLIN | (has_unsent ? POLLOUT : 0))};
    if (poll(&ready, 1, (int)left_ms) < 0 && errno != EINTR)
        return fail_lost(link, err);
    if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(link->conn) != 1)
        return fail_lost(link, err);
    return ST_OK;
}

/* Sends what is left to send and waits until a result can be taken without blocking. */
static enum status await_result(struct pg_link *link, int64_t deadline_ms, struct errmsg *err)
{
    for (;;) {
        int unsent = PQflush(link->conn);
        if (unsent < 0)
            return fail_lost(link, err);
        if (PQisBusy(link->conn) == 0)
            return ST_OK;
        enum status st = wait_socket(link, unsent > 0, deadline_ms, err);
        if (st != ST_OK)
            return st;
    }
}

/* Takes the results up to the end of the pipeline; returns the first error. on_row is called for single rows. */
static enum status collect_results(struct pg_link *link, void (*on_row)(void *arg, const struct pg_rows *row),
                                   void *arg, struct errmsg *err)
{
    int64_t deadline_ms = clock_mono_ms() + link->answer_ms;
    enum status first = ST_OK;
    for (;;) {
        enum status st = await_result(link, deadline_ms, err);
        if (st != ST_OK)
            return st;
        PGresult *result = PQgetResult(link->conn);
        if (result == NULL) { /* between two statements, or the connection is gone */
            if (PQstatus(link->conn) != CONNECTION_OK)
                return first != ST_OK ? first : fail_lost(link, err);
            continue;
        }
        ExecStatusType kind = PQresultStatus(result);
        if ((kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK) && link->n_results < PG_LINK_STATEMENTS_MAX) {
            link->results[link->n_results++] = result;
            continue;
        }
        if (kind == PGRES_SINGLE_TUPLE) {
            assert(on_row != NULL);
            on_row(arg, (const struct pg_rows *)result);
        } else if (kind != PGRES_PIPELINE_SYNC && kind != PGRES_PIPELINE_ABORTED && first == ST_OK) {
            first = fail_result(result, err);
        }
        PQclear(result);
        if (kind == PGRES_PIPELINE_SYNC)
            return first;
    }
}

enum status pg_link_sync_each(struct pg_link *link, void (*on_row)(void *arg, const struct pg_rows *row), void *arg,
                              struct errmsg *err)
{
    if (on_row != NULL) {
        assert(link->n_queued == 1);
        if (!link->is_broken && PQsetSingleRowMode(link->conn) != 1)
            link->is_broken = true;
    }
    bool sent = !link->is_broken && PQpipelineSync(link->conn) == 1;
    link->n_queued = 0;
    if (!sent) {
        link->is_broken = true;
        return fail_lost(link, err);
    }
    enum status st = collect_results(link, on_row, arg, err);
    if (!pg_link_is_lost(link))
        return st;
    return st == ST_OK ? fail_lost(link, err) : ST_DB_DOWN;
}

enum status pg_link_sync(struct pg_link *link, struct errmsg *err)
{
    return pg_link_sync_each(link, NULL, NULL, err);
}

/* Results. */

static const struct pg_rows *rows_of(const struct pg_link *link, size_t statement)
{
    assert(statement < link->n_results && link->results[statement] != NULL);
    return (const struct pg_rows *)link->results[statement];
}

size_t pg_link_rows(const struct pg_link *link, size_t statement)
{
    return pg_rows_count(rows_of(link, statement));
}

bool pg_link_is_null(const struct pg_link *link, size_t statement, size_t row, int column)
{
    return pg_rows_is_null(rows_of(link, statement), row, column);
}

int64_t pg_link_number(const struct pg_link *link, size_t statement, size_t row, int column)
{
    return pg_rows_number(rows_of(link, statement), row, column);
}

const char *pg_link_bytes(const struct pg_link *link, size_t statement, size_t row, int column, size_t *len)
{
    return pg_rows_bytes(rows_of(link, statement), row, column, len);
}

struct pg_rows *pg_link_take_rows(struct pg_link *link, size_t statement)
{
    assert(statement < link->n_results && link->results[statement] != NULL);
    PGresult *result = link->results[statement];
    link->results[statement] = NULL;
    return (struct pg_rows *)result;
}
