/* result_db - the session, the state of stream and polls, large polls, receipts.
 * SPDX-License-Identifier: MIT */
#include "read/result_db.h"

#include "base/alloc.h"
#include "read/result_db_sql.h"
#include <stdio.h>

#define CONNECT_S 3

/* The server ends a statement this long before we give the connection up: then the reason is known. */
#define ANSWER_MARGIN_MS 1000

#define COLUMNS_MAX 5

struct result_db {
    char *conninfo;
    char time_limit[48];
    const char *settings[2];
    struct pg_session_options options;
    struct pg_session session;
    atomic_bool given_up;
    struct pg_array columns[COLUMNS_MAX]; /* storage for the parameters of one statement */
};

static const struct pg_statement statements[] = {
    {"epoch", SQL_EPOCH},
    {"look", SQL_LOOK},
    {"receipts", RECEIPT_FATE_SQL},
};

struct result_db *result_db_new(const char *conninfo, const char *name, int answer_ms)
{
    struct result_db *db = alloc_items(1, sizeof(*db));

    db->conninfo = alloc_copy(conninfo);
    snprintf(db->time_limit, sizeof(db->time_limit), "SET statement_timeout = %d", answer_ms - ANSWER_MARGIN_MS);
    db->settings[0] = db->time_limit;
    db->settings[1] = "SET default_transaction_read_only = on";
    db->options = (struct pg_session_options){.link = {.conninfo = db->conninfo,
                                                       .name = name,
                                                       .any_server = true,
                                                       .connect_s = CONNECT_S,
                                                       .answer_ms = answer_ms,
                                                       .given_up = &db->given_up},
                                              .settings = db->settings,
                                              .n_settings = sizeof(db->settings) / sizeof(db->settings[0]),
                                              .statements = statements,
                                              .n_statements = sizeof(statements) / sizeof(statements[0])};
    db->session.options = &db->options;
    return db;
}

void result_db_free(struct result_db *db)
{
    if (db == NULL)
        return;
    pg_session_close(&db->session);
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        pg_array_fini(&db->columns[i]);
    free(db->conninfo);
    free(db);
}

bool result_db_is_connected(const struct result_db *db)
{
    return db->session.link != NULL;
}

unsigned result_db_session(const struct result_db *db)
{
    return db->session.link == NULL ? 0 : db->session.connections;
}

void result_db_give_up(struct result_db *db)
{
    atomic_store(&db->given_up, true);
}

enum status result_db_connect(struct result_db *db, struct errmsg *err)
{
    pg_session_close(&db->session);
    return pg_session_open(&db->session, err);
}

/* --- running statements */

static enum status check_connected(const struct result_db *db, const char *doing, struct errmsg *err)
{
    return db->session.link != NULL ? ST_OK : fail(err, ST_DB_DOWN, "%s: no connection", doing);
}

/* Ends a pipeline that returned st. Any failure closes the connection, and so ends an open snapshot. */
static enum status end_pipeline(struct result_db *db, enum status st, const char *doing, struct errmsg *err)
{
    st = pg_session_end(&db->session, st, doing, err);
    if (st != ST_OK)
        pg_session_close(&db->session);
    return st;
}

static enum status run_queued(struct result_db *db, const char *doing, struct errmsg *err)
{
    return end_pipeline(db, pg_link_sync(db->session.link, err), doing, err);
}

static enum status run_prepared(struct result_db *db, const char *doing, const char *statement,
                                const struct pg_args *args, struct errmsg *err)
{
    enum status st = check_connected(db, doing, err);

    if (st != ST_OK)
        return st;
    pg_link_send(db->session.link, statement, args);
    return run_queued(db, doing, err);
}

enum status result_db_query(struct result_db *db, const char *doing, const char *sql, const struct pg_args *args,
                            struct pg_rows **out, struct errmsg *err)
{
    enum status st = check_connected(db, doing, err);

    *out = NULL;
    if (st != ST_OK)
        return st;
    pg_link_query(db->session.link, sql, args);
    st = run_queued(db, doing, err);
    if (st == ST_OK)
        *out = pg_link_take_rows(db->session.link, 0);
    return st;
}

/* --- the stream and its polls */

enum status result_db_read_epoch(struct result_db *db, struct result_db_epoch *out, struct errmsg *err)
{
    enum status st = run_prepared(db, "reading the newest epoch", "epoch", NULL, err);
    const struct pg_link *link = db->session.link;

    *out = (struct result_db_epoch){.epoch = 0};
    if (st == ST_OK && pg_link_rows(link, 0) > 0)
        *out = (struct result_db_epoch){(unsigned)pg_link_number(link, 0, 0, 0), pg_link_number(link, 0, 0, 1),
                                        (uint64_t)pg_link_number(link, 0, 0, 2)};
    return st;
}

static int compare_sequences(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Rows of SQL_LOOK: kind, place of the poll, choice, four numbers. */
static void take_look(const struct pg_link *link, struct result_db_look *look)
{
    size_t n = pg_link_rows(link, 0);

    look->applied = alloc_items(n, sizeof(*look->applied));
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)pg_link_number(link, 0, i, 1);
        int64_t first = pg_link_number(link, 0, i, 3);
        struct tally *tally = at > 0 && at <= look->n_polls ? &look->tallies[at - 1] : NULL;
        switch (pg_link_bytes(link, 0, i, 0, NULL)[0]) {
        case 'a':
            look->applied[look->n_applied++] = (uint64_t)first;
            break;
        case 'e':
            look->newest_epoch = (unsigned)first;
            look->newest_created_ns = pg_link_number(link, 0, i, 4);
            break;
        case 'f':
            tally->fence = first;
            tally->term = (unsigned)pg_link_number(link, 0, i, 4);
            break;
        case 'l':
            tally->received = first;
            tally->counted = pg_link_number(link, 0, i, 4);
            tally->superseded = pg_link_number(link, 0, i, 5);
            tally->rejected = pg_link_number(link, 0, i, 6);
            break;
        case 'm':
            tally->is_large = true;
            break;
        default:
            tally_add(tally, pg_link_bytes(link, 0, i, 2, NULL), first);
        }
    }
    qsort(look->applied, look->n_applied, sizeof(*look->applied), compare_sequences);
}

enum status result_db_read_look(struct result_db *db, struct result_db_look *look, struct errmsg *err)
{
    struct pg_array *polls = &db->columns[0], *gaps = &db->columns[1];
    struct pg_args args = {0};

    pg_array_begin(polls, PG_TEXT, look->n_polls);
    for (size_t i = 0; i < look->n_polls; i++)
        pg_array_add_bytes(polls, look->polls[i], strlen(look->polls[i]));
    pg_array_begin(gaps, PG_INT8, look->n_gaps);
    for (size_t i = 0; i < look->n_gaps; i++)
        pg_array_add_int8(gaps, (int64_t)look->gaps[i]);
    pg_args_add_array(&args, polls);
    pg_args_add_int2(&args, (int16_t)look->epoch);
    pg_args_add_int8(&args, (int64_t)look->after);
    pg_args_add_array(&args, gaps);
    pg_args_add_int8(&args, RESULT_DB_RANKINGS_MAX);

    look->applied = NULL;
    look->n_applied = 0;
    look->newest_epoch = 0;
    look->newest_created_ns = 0;
    enum status st = run_prepared(db, "reading tallies", "look", &args, err);
    if (st == ST_OK)
        take_look(db->session.link, look);
    return st;
}

/* --- a large poll */

enum status result_db_begin_large(struct result_db *db, const char *poll, struct tally *out, struct errmsg *err)
{
    static const char doing[] = "beginning to read a large poll";
    struct pg_args args = {0};
    enum status st = check_connected(db, doing, err);

    if (st != ST_OK)
        return st;
    pg_args_add_text(&args, poll);
    pg_link_query(db->session.link, SQL_BEGIN_SNAPSHOT, NULL);
    pg_link_query(db->session.link, SQL_LEDGER, &args);
    st = run_queued(db, doing, err);
    if (st != ST_OK)
        return st;
    const struct pg_link *link = db->session.link;
    *out = (struct tally){.fence = pg_link_number(link, 1, 0, 0),
                          .term = (unsigned)pg_link_number(link, 1, 0, 1),
                          .received = pg_link_number(link, 1, 0, 2),
                          .counted = pg_link_number(link, 1, 0, 3),
                          .superseded = pg_link_number(link, 1, 0, 4),
                          .rejected = pg_link_number(link, 1, 0, 5)};
    return ST_OK;
}

struct ranking_reader {
    void (*on_ranking)(void *arg, const char *ranking, int64_t n);
    void *arg;
};

static void on_ranking_row(void *arg, const struct pg_rows *row)
{
    const struct ranking_reader *reader = arg;

    reader->on_ranking(reader->arg, pg_rows_bytes(row, 0, 0, NULL), pg_rows_number(row, 0, 1));
}

enum status result_db_read_rankings(struct result_db *db, const char *poll,
                                    void (*on_ranking)(void *arg, const char *ranking, int64_t n), void *arg,
                                    struct errmsg *err)
{
    static const char doing[] = "reading rankings";
    struct ranking_reader reader = {on_ranking, arg};
    struct pg_args args = {0};
    enum status st = check_connected(db, doing, err);

    if (st != ST_OK)
        return st;
    pg_args_add_text(&args, poll);
    pg_link_query(db->session.link, SQL_RANKINGS, &args);
    st = pg_link_sync_each(db->session.link, on_ranking_row, &reader, err);
    return end_pipeline(db, st, doing, err);
}

enum status result_db_end_large(struct result_db *db, struct errmsg *err)
{
    static const char doing[] = "ending to read a large poll";
    enum status st = check_connected(db, doing, err);

    if (st != ST_OK)
        return st;
    pg_link_query(db->session.link, "COMMIT", NULL);
    return run_queued(db, doing, err);
}

/* --- receipts */

enum status result_db_find_fates(struct result_db *db, int64_t created_ns, struct receipt_question *questions,
                                 struct errmsg *err)
{
    static const enum pg_type types[COLUMNS_MAX] = {PG_TEXT, PG_UUID, PG_UUID, PG_INT8, PG_INT4};
    struct pg_array *column = db->columns;
    struct pg_args args = {0};
    size_t n = 0;

    for (const struct receipt_question *q = questions; q != NULL; q = q->next)
        n++;
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        pg_array_begin(&column[i], types[i], n);
    for (const struct receipt_question *q = questions; q != NULL; q = q->next) {
        pg_array_add_bytes(&column[0], q->receipt.poll, strlen(q->receipt.poll));
        pg_array_add_bytes(&column[1], q->receipt.voter, VOTER_HASH);
        pg_array_add_bytes(&column[2], q->receipt.batch, BATCH_ID);
        pg_array_add_int8(&column[3], (int64_t)q->receipt.sequence);
        pg_array_add_int4(&column[4], (int32_t)q->receipt.index);
    }
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        pg_args_add_array(&args, &column[i]);
    pg_args_add_int8(&args, created_ns);
    enum status st = run_prepared(db, "looking up receipts", "receipts", &args, err);
    if (st != ST_OK)
        return st;
    /* There is one row for each question, in any order. Places count from 1. */
    const struct pg_link *link = db->session.link;
    size_t n_rows = pg_link_rows(link, 0), place = 0;
    enum receipt_fate *fates = alloc_items(n_rows + 1, sizeof(*fates));
    for (size_t i = 0; i < n_rows; i++)
        fates[pg_link_number(link, 0, i, 0)] = (enum receipt_fate)pg_link_number(link, 0, i, 1);
    for (struct receipt_question *q = questions; q != NULL; q = q->next)
        q->fate = fates[++place];
    free(fates);
    return ST_OK;
}
