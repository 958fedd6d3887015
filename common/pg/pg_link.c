/* pg_link - libpq in pipeline mode behind the few calls that the store needs.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_link.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>

/* Longer than the statement_timeout that the store sets, so that the server speaks first where it can. */
#define ANSWER_MS 30000

struct pg_link {
    PGconn *conn;
    int64_t answer_ms;
    bool send_failed; /* something could not be queued: the connection is lost */
    size_t n_queued, n_results;
    PGresult *results[PG_LINK_STATEMENTS_MAX];
};

/* Arguments. */

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
    add_value(args, len == 0 ? "" : data, len); /* NULL would be the null of SQL */
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

/* Errors. */

enum status pg_status_of(const char *sqlstate)
{
    /* Appendix A of the manual. The first prefix that fits decides. */
    static const struct {
        const char *prefix;
        enum status status;
    } table[] = {
        {"08", ST_DB_DOWN},    /* connection exception */
        {"25006", ST_DB_DOWN}, /* read-only: a standby, or a server that is being replaced */
        {"25P03", ST_DB_DOWN}, /* idle in transaction for too long: the server hangs up */
        {"53", ST_DB_DOWN},    /* out of connections, memory or disk */
        {"57P", ST_DB_DOWN},   /* shutting down, starting up, crashed */
        {"58", ST_DB_DOWN},    /* the server's own I/O */
        {"XX", ST_DB_DOWN},    /* internal error, corruption */
        {"21", ST_DB_DATA},    /* cardinality */
        {"22", ST_DB_DATA},    /* data exception */
        {"23", ST_DB_DATA},    /* constraint */
        {"54", ST_DB_DATA},    /* too long for an index, and other limits */
        {"0A", ST_DB_SCHEMA},  /* not supported */
        {"26", ST_DB_SCHEMA},  /* no such prepared statement: a pooler in between */
        {"3F", ST_DB_SCHEMA},  /* no such schema */
        {"42", ST_DB_SCHEMA},  /* no such table or column, no privilege */
    };
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return ST_DB_DOWN;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].status;
    return ST_DB_RETRY; /* 40001, 40P01, 55P03, 57014 and whatever else is worth another try */
}

/* libpq ends its messages with a line feed, and may put several lines. */
static enum status fail_lost(const struct pg_link *link, struct errmsg *err)
{
    const char *text = PQerrorMessage(link->conn);
    size_t len = strcspn(text, "\n");
    return fail(err, ST_DB_DOWN, "%.*s", (int)len, len == 0 ? "the connection is lost" : text);
}

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

enum status pg_link_open(struct pg_link **out, const char *conninfo, const char *name, struct errmsg *err)
{
    /* Later settings win: conninfo (as dbname) may override what stands before it, but not the encoding. */
    const char *keywords[] = {"connect_timeout",
                              "tcp_user_timeout",
                              "keepalives",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "target_session_attrs",
                              "dbname",
                              "fallback_application_name",
                              "client_encoding",
                              NULL};
    const char *values[] = {"5", "15000", "1", "10", "5", "3", "read-write", conninfo, name, "UTF8", NULL};
    enum status st;

    *out = NULL;
    struct pg_link *link = alloc_items(1, sizeof(*link));
    link->answer_ms = ANSWER_MS;
    link->conn = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(link->conn) != CONNECTION_OK || PQsetnonblocking(link->conn, 1) != 0 ||
        PQenterPipelineMode(link->conn) != 1) {
        st = fail_lost(link, err);
        goto out;
    }
    *out = link;
    link = NULL;
    st = ST_OK;

out:
    pg_link_close(link);
    return st;
}

void pg_link_set_answer_ms(struct pg_link *link, int64_t answer_ms)
{
    link->answer_ms = answer_ms;
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
    return link->send_failed || PQstatus(link->conn) != CONNECTION_OK;
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
        link->send_failed = true;
}

static void begin_queueing(struct pg_link *link)
{
    if (link->n_queued == 0)
        drop_results(link);
}

void pg_link_query(struct pg_link *link, const char *sql)
{
    begin_queueing(link);
    note_queued(link, PQsendQueryParams(link->conn, sql, 0, NULL, NULL, NULL, NULL, 1));
}

void pg_link_prepare(struct pg_link *link, const char *name, const char *sql)
{
    begin_queueing(link);
    note_queued(link, PQsendPrepare(link->conn, name, sql, 0, NULL));
}

void pg_link_send(struct pg_link *link, const char *name, const struct pg_args *args)
{
    static const int binary[PG_ARGS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const struct pg_args none = {0};
    begin_queueing(link);
    if (args == NULL)
        args = &none;
    note_queued(link, PQsendQueryPrepared(link->conn, name, args->n, args->value, args->len, binary, 1));
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
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0) {
            link->send_failed = true;
            return fail(err, ST_DB_DOWN, "no answer within %lld seconds", (long long)link->answer_ms / 1000);
        }
        struct pollfd ready = {.fd = PQsocket(link->conn), .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
        if (poll(&ready, 1, (int)left_ms) < 0 && errno != EINTR)
            return fail_lost(link, err);
        if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(link->conn) != 1)
            return fail_lost(link, err);
    }
}

/* Takes the results up to the end of the pipeline; returns the first error. */
static enum status collect(struct pg_link *link, struct errmsg *err)
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
        if (kind != PGRES_PIPELINE_SYNC && kind != PGRES_PIPELINE_ABORTED && first == ST_OK)
            first = fail_result(result, err);
        PQclear(result);
        if (kind == PGRES_PIPELINE_SYNC)
            return first;
    }
}

enum status pg_link_sync(struct pg_link *link, struct errmsg *err)
{
    bool sent = !link->send_failed && PQpipelineSync(link->conn) == 1;
    link->n_queued = 0;
    if (!sent) {
        link->send_failed = true;
        return fail_lost(link, err);
    }
    enum status st = collect(link, err);
    return pg_link_is_lost(link) ? ST_DB_DOWN : st;
}

size_t pg_link_rows(const struct pg_link *link, size_t statement)
{
    assert(statement < link->n_results);
    return (size_t)PQntuples(link->results[statement]);
}

bool pg_link_is_null(const struct pg_link *link, size_t statement, size_t row, int column)
{
    assert(row < pg_link_rows(link, statement));
    return PQgetisnull(link->results[statement], (int)row, column) != 0;
}

const char *pg_link_bytes(const struct pg_link *link, size_t statement, size_t row, int column, size_t *len)
{
    assert(row < pg_link_rows(link, statement));
    if (len != NULL)
        *len = (size_t)PQgetlength(link->results[statement], (int)row, column);
    return PQgetvalue(link->results[statement], (int)row, column);
}

int64_t pg_link_number(const struct pg_link *link, size_t statement, size_t row, int column)
{
    size_t len;
    const unsigned char *bytes = (const unsigned char *)pg_link_bytes(link, statement, row, column, &len);
    assert(len >= 1 && len <= 8);
    uint64_t value = (bytes[0] & 0x80) != 0 && len > 1 ? ~UINT64_C(0) : 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}
