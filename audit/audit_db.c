/* audit_db - runs the audit's statements.
 * SPDX-License-Identifier: MIT */
#include "audit_db.h"

#include "audit_sql.h"
#include "ballot/ordinal.h"
#include "base/alloc.h"
#include "base/grow.h"
#include "pg/pg_session.h"

#define CONNECT_S 5
#define ANSWER_MS 1800000 /* half an hour: a recount of some hundred million ballots */
#define COLUMNS_MAX 7

struct audit_db {
    struct pg_session_options session_options;
    struct pg_session session;
    struct pg_array columns[COLUMNS_MAX];
    struct audit_applied *applied;
    size_t room_applied;
};

/* --- session */

/* The limit on an idle transaction covers a broker that is slow to deliver the next messages. */
static const char *const session_settings[] = {
    "SET default_transaction_read_only = on",
    "SET statement_timeout = '1700s'",
    "SET idle_in_transaction_session_timeout = '120s'",
    "SET jit = off",
};

static const struct pg_statement statements[] = {
#define STATEMENT_ROW(name, sql) {#name, sql},
    AUDIT_STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
};

enum status audit_db_open(struct audit_db **out, const char *conninfo, struct errmsg *err)
{
    struct audit_db *db = alloc_items(1, sizeof(*db));

    *out = NULL;
    /* A standby will not do: it may lag behind what the broker calls acknowledged. */
    db->session_options = (struct pg_session_options){
        .link = {.conninfo = conninfo, .name = "scrutin-audit", .connect_s = CONNECT_S, .answer_ms = ANSWER_MS},
        .settings = session_settings,
        .n_settings = sizeof(session_settings) / sizeof(session_settings[0]),
        .statements = statements,
        .n_statements = sizeof(statements) / sizeof(statements[0])};
    db->session.options = &db->session_options;
    enum status st = pg_session_open(&db->session, err);
    if (st == ST_OK) {
        *out = db;
        db = NULL;
    }
    audit_db_close(db);
    return st;
}

void audit_db_close(struct audit_db *db)
{
    if (db == NULL)
        return;
    pg_session_close(&db->session);
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        pg_array_fini(&db->columns[i]);
    free(db->applied);
    free(db);
}

/* Runs one prepared statement. A lost connection is not opened again: the snapshot is lost with it. */
static enum status run_statement(struct audit_db *db, const char *statement, const struct pg_args *args,
                                 const char *doing, struct errmsg *err)
{
    if (db->session.link == NULL)
        return fail(err, ST_DB_DOWN, "%s: the connection was lost", doing);
    pg_link_send(db->session.link, statement, args);
    return pg_session_run(&db->session, doing, err);
}

static size_t count_rows(const struct audit_db *db)
{
    return pg_link_rows(db->session.link, 0);
}

static int64_t get_number(const struct audit_db *db, size_t row, int column)
{
    return pg_link_number(db->session.link, 0, row, column);
}

static const char *get_text(const struct audit_db *db, size_t row, int column)
{
    return pg_link_bytes(db->session.link, 0, row, column, NULL);
}

/* --- epochs */

enum status audit_db_floor(struct audit_db *db, int64_t created_ns, uint64_t *floor, struct errmsg *err)
{
    struct pg_args args = {0};

    *floor = 0;
    pg_args_add_int8(&args, created_ns);
    enum status st = run_statement(db, "floor", &args, "reading the floor", err);
    if (st == ST_OK && count_rows(db) > 0)
        *floor = (uint64_t)get_number(db, 0, 0);
    return st;
}

static struct audit_epoch read_epoch(const struct audit_db *db, size_t row)
{
    return (struct audit_epoch){.epoch = (unsigned)get_number(db, row, 0),
                                .created_ns = get_number(db, row, 1),
                                .floor = (uint64_t)get_number(db, row, 2),
                                .last = (uint64_t)get_number(db, row, 3),
                                .batches = get_number(db, row, 4),
                                .ballots = get_number(db, row, 5),
                                .dead = get_number(db, row, 6)};
}

enum status audit_db_begin(struct audit_db *db, int64_t created_ns, struct audit_report *report, struct errmsg *err)
{
    enum status st = run_statement(db, "begin", NULL, "beginning the snapshot", err);
    if (st == ST_OK)
        st = run_statement(db, "epochs", NULL, "reading the epochs",
                           err); /* the first statement that reads takes the snapshot */
    if (st != ST_OK)
        return st;
    report->now = (struct audit_epoch){.epoch = 1, .created_ns = created_ns};
    report->older = alloc_items(count_rows(db), sizeof(*report->older));
    for (size_t row = 0; row < count_rows(db); row++) {
        struct audit_epoch epoch = read_epoch(db, row);
        if (epoch.created_ns > created_ns)
            return fail(err, ST_EPOCH,
                        "the broker's stream was created at %lld ns since 1970, but the database knows a newer stream, "
                        "created at %lld: they do not belong together",
                        (long long)created_ns, (long long)epoch.created_ns);
        if (epoch.created_ns == created_ns) {
            report->now = epoch;
        } else {
            report->older[report->n_older++] = epoch;
            report->now.epoch = epoch.epoch + 1;
        }
    }
    return ST_OK;
}

enum status audit_db_end(struct audit_db *db, struct errmsg *err)
{
    return run_statement(db, "commit", NULL, "ending the snapshot", err);
}

/* --- books */

enum status audit_db_polls(struct audit_db *db, struct audit_report *report, struct errmsg *err)
{
    enum status st = run_statement(db, "polls", NULL, "reading the polls", err);
    if (st != ST_OK)
        return st;
    report->n_polls = count_rows(db);
    report->polls = alloc_items(report->n_polls, sizeof(*report->polls));
    for (size_t row = 0; row < report->n_polls; row++) {
        struct audit_poll *poll = &report->polls[row];
        poll->key = (int32_t)get_number(db, row, 0);
        snprintf(poll->id, sizeof(poll->id), "%s", get_text(db, row, 1));
        poll->revisable = get_number(db, row, 2) != 0;
        poll->written_rejected = get_number(db, row, 3);
        poll->written_unknown = get_number(db, row, 4);
        poll->fence = get_number(db, row, 5);
        poll->term = (unsigned)get_number(db, row, 6);
    }
    return ST_OK;
}

enum status audit_db_gaps(struct audit_db *db, struct audit_report *report, struct errmsg *err)
{
    struct pg_args args = {0};

    pg_args_add_int2(&args, (int16_t)report->now.epoch);
    pg_args_add_int8(&args, (int64_t)report->line);
    enum status st = run_statement(db, "gaps", &args, "looking for missing messages", err);
    uint64_t left = st == ST_OK && count_rows(db) > 0 ? (uint64_t)get_number(db, 0, 2) : 0;
    for (size_t row = 0; st == ST_OK && row < count_rows(db); row++) {
        uint64_t from = (uint64_t)get_number(db, row, 0), n = (uint64_t)get_number(db, row, 1) - from + 1;
        left -= n;
        audit_report_add(report, AUDIT_MISSING, n, NULL, from, "%llu message%s from here on: not applied",
                         (unsigned long long)n, n == 1 ? "" : "s");
    }
    report->counts[AUDIT_MISSING] += left;
    return st;
}

enum status audit_db_twice(struct audit_db *db, struct audit_report *report, struct errmsg *err)
{
    enum status st = run_statement(db, "twice", NULL, "looking for batches applied twice", err);
    if (st == ST_OK && count_rows(db) > 0)
        report->counts[AUDIT_BATCH_TWICE] = (uint64_t)get_number(db, 0, 3);
    for (size_t row = 0; st == ST_OK && row < count_rows(db); row++) {
        uint64_t first = (uint64_t)get_number(db, row, 1), last = (uint64_t)get_number(db, row, 2);
        audit_report_add(report, AUDIT_BATCH_TWICE, 0, NULL, last & ORDINAL_SEQUENCE_MAX,
                         "batch %.36s is also sequence %llu of epoch %u", get_text(db, row, 0),
                         (unsigned long long)(first & ORDINAL_SEQUENCE_MAX), (unsigned)(first >> 40));
    }
    return st;
}

enum status audit_db_unknown(struct audit_db *db, int64_t *n, struct errmsg *err)
{
    *n = 0;
    enum status st = run_statement(db, "unknown", NULL, "counting ballots for unknown polls", err);
    if (st == ST_OK)
        *n = get_number(db, 0, 0);
    return st;
}

/* Reads a row of the statement `books`. The first row of a kind has the number of all. */
static void read_books(const struct audit_db *db, size_t row, bool is_first, struct audit_report *report,
                       struct audit_poll *poll)
{
    long long left = get_number(db, row, 2), right = get_number(db, row, 3);
    uint64_t n = is_first ? (uint64_t)get_number(db, row, 4) : 0;

    switch (get_text(db, row, 0)[0]) {
    case 'l':
        poll->received = left;
        poll->counted = right;
        poll->superseded = get_number(db, row, 4);
        poll->rejected = get_number(db, row, 5);
        poll->rows = get_number(db, row, 6);
        poll->comparable = get_number(db, row, 7);
        break;
    case 't':
        audit_report_add(report, AUDIT_TALLY, n, poll, 0, "choice %.60s: %lld in the tally, %lld in the recount",
                         get_text(db, row, 1), left, right);
        break;
    case 'b':
        audit_report_add(report, AUDIT_TIMELINE, n, poll, 0, "from %s on: %lld in the timeline, %lld in the recount",
                         get_text(db, row, 1), left, right);
        break;
    default:
        audit_report_add(report, AUDIT_TIMELINE, n, poll, 0, "%lld received in the timeline, %lld in the ledger", left,
                         right);
    }
}

enum status audit_db_books(struct audit_db *db, struct audit_report *report, struct audit_poll *poll, int64_t lowest,
                           struct errmsg *err)
{
    struct pg_args args = {0};

    pg_args_add_int4(&args, poll->key);
    pg_args_add_int8(&args, lowest);
    enum status st = run_statement(db, "books", &args, "recounting a poll", err);
    char kind = '\0';
    for (size_t row = 0; st == ST_OK && row < count_rows(db); row++) {
        read_books(db, row, get_text(db, row, 0)[0] != kind, report, poll);
        kind = get_text(db, row, 0)[0];
    }
    return st;
}

/* --- the stream's messages and ballots */

enum status audit_db_applied(struct audit_db *db, unsigned epoch, uint64_t from, uint64_t to,
                             const struct audit_applied **out, size_t *n, struct errmsg *err)
{
    struct pg_args args = {0};

    pg_args_add_int2(&args, (int16_t)epoch);
    pg_args_add_int8(&args, (int64_t)from);
    pg_args_add_int8(&args, (int64_t)to);
    enum status st = run_statement(db, "applied", &args, "reading applied batches", err);
    *n = st == ST_OK ? count_rows(db) : 0;
    GROW(db->applied, db->room_applied, *n);
    for (size_t row = 0; row < *n; row++) {
        struct audit_applied *applied = &db->applied[row];
        *applied = (struct audit_applied){.seq = (uint64_t)get_number(db, row, 0),
                                          .ballots = get_number(db, row, 2),
                                          .dead = get_number(db, row, 3) != 0};
        if (!pg_link_is_null(db->session.link, 0, row, 1))
            memcpy(applied->batch, get_text(db, row, 1), BATCH_ID);
    }
    *out = db->applied;
    return st;
}

enum status audit_db_ballots(struct audit_db *db, const struct audit_ballot *ballots, size_t n,
                             void (*on_fate)(void *arg, int32_t poll, enum audit_fate fate, int64_t count,
                                             int64_t standing, size_t example),
                             void *arg, struct errmsg *err)
{
    static const enum pg_type types[] = {PG_INT4, PG_UUID, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT, PG_INT8, PG_BOOL};
    struct pg_array *column = db->columns;
    struct pg_args args = {0};

    for (size_t i = 0; i < 7; i++)
        pg_array_begin(&column[i], types[i], n);
    for (size_t i = 0; i < n; i++) {
        const struct ballot *ballot = ballots[i].ballot;
        pg_array_add_int4(&column[0], ballots[i].poll);
        pg_array_add_bytes(&column[1], ballot->voter, VOTER_HASH);
        pg_array_add_int8(&column[2], ordinal_precedence(ballots[i].ordinal, ballots[i].revisable));
        pg_array_add_int8(&column[3], pg_time_from_ms(ballot->cast_at_ms));
        pg_array_add_bytes(&column[4], ballot->choices, ballot->choices_len);
        pg_array_add_int8(&column[5], ballots[i].ordinal);
        pg_array_add_bool(&column[6], ballots[i].is_open);
    }
    for (size_t i = 0; i < 7; i++)
        pg_args_add_array(&args, &column[i]);
    enum status st = run_statement(db, "ballots", &args, "comparing ballots", err);
    for (size_t row = 0; st == ST_OK && row < count_rows(db); row++)
        on_fate(arg, (int32_t)get_number(db, row, 0), (enum audit_fate)get_number(db, row, 1), get_number(db, row, 2),
                get_number(db, row, 4), (size_t)get_number(db, row, 3) - 1);
    return st;
}

enum status audit_db_marks(struct audit_db *db, struct audit_mark **marks, size_t *n, struct errmsg *err)
{
    enum status st = run_statement(db, "marks", NULL, "reading fences and gates", err);

    *n = st == ST_OK ? count_rows(db) : 0;
    *marks = alloc_items(*n, sizeof(**marks));
    for (size_t row = 0; row < *n; row++) {
        struct audit_mark *mark = &(*marks)[row];
        snprintf(mark->poll, sizeof(mark->poll), "%s", get_text(db, row, 1));
        mark->mark = (struct mark){.ordinal = get_number(db, row, 0),
                                   .term = (unsigned)get_number(db, row, 2),
                                   .opens = get_number(db, row, 3) != 0};
    }
    return st;
}

enum status audit_db_receipts(struct audit_db *db, int64_t created_ns, const struct receipt *receipts, size_t n,
                              enum receipt_fate *fates, struct errmsg *err)
{
    static const enum pg_type types[] = {PG_TEXT, PG_UUID, PG_UUID, PG_INT8, PG_INT4};
    struct pg_array *column = db->columns;
    struct pg_args args = {0};

    for (size_t i = 0; i < 5; i++)
        pg_array_begin(&column[i], types[i], n);
    for (size_t i = 0; i < n; i++) {
        pg_array_add_bytes(&column[0], receipts[i].poll, strlen(receipts[i].poll));
        pg_array_add_bytes(&column[1], receipts[i].voter, VOTER_HASH);
        pg_array_add_bytes(&column[2], receipts[i].batch, BATCH_ID);
        pg_array_add_int8(&column[3], (int64_t)receipts[i].sequence);
        pg_array_add_int4(&column[4], (int32_t)receipts[i].index);
    }
    for (size_t i = 0; i < 5; i++)
        pg_args_add_array(&args, &column[i]);
    pg_args_add_int8(&args, created_ns);
    enum status st = run_statement(db, "receipts", &args, "looking up receipts", err);
    for (size_t row = 0; st == ST_OK && row < count_rows(db); row++)
        fates[get_number(db, row, 0) - 1] = (enum receipt_fate)get_number(db, row, 1);
    return st;
}
