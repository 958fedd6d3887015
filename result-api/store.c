/* store - libpq with a deadline on every answer.
 * SPDX-License-Identifier: MIT */
#include "store.h"

#include "alloc.h"
#include "clock.h"
#include "store_sql.h"
#include <libpq-fe.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/poll.h> /* <poll.h> would be found in common/ */

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
    PGresult *kept = NULL, *result;
    enum status st = await_result(store, doing, clock_mono_ms() + store->answer_ms, err);

    if (st != ST_OK)
        return st;
    while ((result = PQgetResult(store->conn)) != NULL) {
        if (kept != NULL && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
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

/* Runs a prepared statement, or with n < 0 several that are not, without parameters. */
static enum status ask(struct store *store, const char *doing, const char *sql, const char *const *values, int n,
                       PGresult **out, struct errmsg *err)
{
    *out = NULL;
    if (store->conn == NULL)
        return fail(err, ST_DB_DOWN, "%s: not connected", doing);
    int sent = n < 0 ? PQsendQuery(store->conn, sql) : PQsendQueryPrepared(store->conn, sql, n, values, NULL, NULL, 0);
    return answer(store, doing, sent, out, err);
}

static int64_t number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* --- connecting */

static enum status check_schema(struct store *store, struct errmsg *err)
{
    PGresult *result;
    enum status st = ask(store, "read the schema's version", SQL_SCHEMA, NULL, -1, &result, err);

    if (st == ST_DB_SCHEMA)
        return fail_within(err, st, "the database has no tables of ours that we may read; run db/migrate");
    if (st != ST_OK)
        return st;
    int64_t found = PQntuples(result) > 0 ? number(result, 0, 0) : 0;
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
    PGresult *result = NULL;
    enum status st = PQsendPrepare(store->conn, name, sql, 0, NULL) == 1
                         ? receive(store, name, &result, err)
                         : db_fail(err, ST_DB_DOWN, name, PQerrorMessage(store->conn));

    PQclear(result);
    if (st != ST_OK)
        disconnect(store);
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
    if ((st = ask(store, "begin the session", session, NULL, -1, &result, err)) != ST_OK)
        return st;
    PQclear(result);
    if ((st = check_schema(store, err)) != ST_OK || (st = prepare(store, "epoch", SQL_EPOCH, err)) != ST_OK ||
        (st = prepare(store, "look", SQL_LOOK, err)) != ST_OK)
        return st;
    return prepare(store, "receipts", RECEIPT_FATE_SQL, err);
}

/* --- arrays as text */

struct array {
    FILE *to;
    char *text;
    size_t len;
    bool begun;
};

static struct array array_begin(void)
{
    struct array array = {.text = NULL};

    return array;
}

static void array_add(struct array *array, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void array_add(struct array *array, const char *format, ...)
{
    va_list args;

    if (array->to == NULL && (array->to = open_memstream(&array->text, &array->len)) == NULL)
        abort();
    fputc(array->begun ? ',' : '{', array->to);
    array->begun = true;
    va_start(args, format);
    vfprintf(array->to, format, args);
    va_end(args);
}

/* The text, which the caller frees. */
static char *array_end(struct array *array)
{
    if (array->to == NULL)
        return alloc_copy("{}");
    fputc('}', array->to);
    if (fclose(array->to) != 0)
        abort();
    return array->text;
}

/* --- looking */

enum status store_read_epoch(struct store *store, struct store_epoch *out, struct errmsg *err)
{
    PGresult *result;
    enum status st = ask(store, "read the newest epoch", "epoch", NULL, 0, &result, err);

    *out = (struct store_epoch){.epoch = 0};
    if (st != ST_OK)
        return st;
    if (PQntuples(result) > 0)
        *out = (struct store_epoch){(unsigned)number(result, 0, 0), number(result, 0, 1),
                                    (uint64_t)number(result, 0, 2)};
    PQclear(result);
    return ST_OK;
}

static int compare_sequences(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void read_look(const PGresult *result, struct store_look *look)
{
    int n = PQntuples(result);

    look->applied = alloc_items((size_t)n, sizeof(*look->applied));
    for (int i = 0; i < n; i++) {
        size_t at = (size_t)number(result, i, 1);
        struct tally *tally = at > 0 && at <= look->n_polls ? &look->tallies[at - 1] : NULL;
        switch (PQgetvalue(result, i, 0)[0]) {
        case 'a':
            look->applied[look->n_applied++] = (uint64_t)number(result, i, 3);
            break;
        case 'e':
            look->newest_epoch = (unsigned)number(result, i, 3);
            look->newest_created_ns = number(result, i, 4);
            break;
        case 'f':
            tally->fence = number(result, i, 3);
            tally->term = (unsigned)number(result, i, 4);
            break;
        case 'l':
            tally->received = number(result, i, 3);
            tally->counted = number(result, i, 4);
            tally->superseded = number(result, i, 5);
            tally->rejected = number(result, i, 6);
            break;
        case 'm':
            tally->is_large = true;
            break;
        default:
            tally_add(tally, PQgetvalue(result, i, 2), number(result, i, 3));
        }
    }
    qsort(look->applied, look->n_applied, sizeof(*look->applied), compare_sequences);
}

enum status store_look(struct store *store, struct store_look *look, struct errmsg *err)
{
    struct array polls = array_begin(), gaps = array_begin();
    char epoch[16], after[24], most[16];
    PGresult *result;

    for (size_t i = 0; i < look->n_polls; i++)
        array_add(&polls, "\"%s\"", look->polls[i]); /* quoted: a poll may be called null */
    for (size_t i = 0; i < look->n_gaps; i++)
        array_add(&gaps, "%llu", (unsigned long long)look->gaps[i]);
    snprintf(epoch, sizeof(epoch), "%u", look->epoch);
    snprintf(after, sizeof(after), "%llu", (unsigned long long)look->after);
    snprintf(most, sizeof(most), "%d", STORE_RANKINGS_MAX);
    char *poll_text = array_end(&polls), *gap_text = array_end(&gaps);
    const char *const values[] = {poll_text, epoch, after, gap_text, most};

    look->applied = NULL;
    look->n_applied = 0;
    look->newest_epoch = 0;
    look->newest_created_ns = 0;
    enum status st = ask(store, "read tallies", "look", values, 5, &result, err);
    if (st == ST_OK) {
        read_look(result, look);
        PQclear(result);
    }
    free(poll_text);
    free(gap_text);
    return st;
}

/* --- a large poll */

struct row_taker {
    void (*on_ranking)(void *arg, const char *ranking, int64_t n);
    void *arg;
};

static void on_ranking_row(void *arg, const PGresult *row)
{
    const struct row_taker *taker = arg;

    taker->on_ranking(taker->arg, PQgetvalue(row, 0, 0), number(row, 0, 1));
}

enum status store_begin_large(struct store *store, const char *poll, struct tally *out, struct errmsg *err)
{
    PGresult *result = NULL;
    enum status st = ask(store, "begin a snapshot", SQL_BEGIN_SNAPSHOT, NULL, -1, &result, err);

    if (st != ST_OK)
        return st;
    PQclear(result);
    st = answer(store, "read a ledger", PQsendQueryParams(store->conn, SQL_LEDGER, 1, NULL, &poll, NULL, NULL, 0),
                &result, err);
    if (st != ST_OK)
        return st;
    *out = (struct tally){.fence = number(result, 0, 0),
                          .term = (unsigned)number(result, 0, 1),
                          .received = number(result, 0, 2),
                          .counted = number(result, 0, 3),
                          .superseded = number(result, 0, 4),
                          .rejected = number(result, 0, 5)};
    PQclear(result);
    return ST_OK;
}

enum status store_read_rankings(struct store *store, const char *poll,
                                void (*on_ranking)(void *arg, const char *ranking, int64_t n), void *arg,
                                struct errmsg *err)
{
    static const char doing[] = "read rankings";
    struct row_taker taker = {on_ranking, arg};
    enum status st;

    if (PQsendQueryParams(store->conn, SQL_RANKINGS, 1, NULL, &poll, NULL, NULL, 0) == 1)
        st = receive_rows(store, doing, on_ranking_row, &taker, err);
    else
        st = db_fail(err, ST_DB_DOWN, doing, PQerrorMessage(store->conn));
    if (st != ST_OK)
        disconnect(store);
    return st;
}

enum status store_end_large(struct store *store, struct errmsg *err)
{
    PGresult *result = NULL;
    enum status st = ask(store, "end a snapshot", "COMMIT", NULL, -1, &result, err);

    PQclear(result);
    return st;
}

/* --- receipts */

enum status store_answer(struct store *store, int64_t created_ns, struct receipt_question *questions,
                         struct errmsg *err)
{
    struct array arrays[5];
    char *texts[5], voter[2 * VOTER_HASH + 1], batch[2 * BATCH_ID + 1], created[24];
    PGresult *result;

    for (size_t i = 0; i < 5; i++)
        arrays[i] = array_begin();
    for (const struct receipt_question *q = questions; q != NULL; q = q->next) {
        array_add(&arrays[0], "\"%s\"", q->receipt.poll);
        array_add(&arrays[1], "%s", sodium_bin2hex(voter, sizeof(voter), q->receipt.voter, VOTER_HASH));
        array_add(&arrays[2], "%s", sodium_bin2hex(batch, sizeof(batch), q->receipt.batch, BATCH_ID));
        array_add(&arrays[3], "%llu", (unsigned long long)q->receipt.sequence);
        array_add(&arrays[4], "%u", q->receipt.index);
    }
    for (size_t i = 0; i < 5; i++)
        texts[i] = array_end(&arrays[i]);
    snprintf(created, sizeof(created), "%lld", (long long)created_ns);
    const char *const values[] = {texts[0], texts[1], texts[2], texts[3], texts[4], created};
    enum status st = ask(store, "look up receipts", "receipts", values, 6, &result, err);
    for (size_t i = 0; i < 5; i++)
        free(texts[i]);
    if (st != ST_OK)
        return st;
    /* Rows come in any order, one for each question. */
    enum receipt_fate *fates = alloc_items((size_t)PQntuples(result) + 1, sizeof(*fates));
    for (int i = 0; i < PQntuples(result); i++)
        fates[number(result, i, 0)] = (enum receipt_fate)number(result, i, 1);
    int64_t place = 0;
    for (struct receipt_question *q = questions; q != NULL; q = q->next)
        q->fate = fates[++place];
    free(fates);
    PQclear(result);
    return ST_OK;
}

/* --- whatever an export asks */

enum status store_query(struct store *store, const char *doing, const char *sql, const char *const *values, int n,
                        struct store_rows **out, struct errmsg *err)
{
    PGresult *result = NULL;

    *out = NULL;
    if (store->conn == NULL)
        return fail(err, ST_DB_DOWN, "%s: not connected", doing);
    enum status st = answer(store, doing, PQsendQueryParams(store->conn, sql, n, NULL, values, NULL, NULL, 0), &result,
                            err);
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
    return number((const PGresult *)rows, (int)row, column);
}

void store_rows_free(struct store_rows *rows)
{
    PQclear((PGresult *)rows);
}
