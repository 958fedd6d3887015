/* store_session - connects, checks the schema, prepares the statements, takes a tally slot.
 * SPDX-License-Identifier: MIT */
#include "store/store_session.h"

#include "store/ballot_store_sql.h"

#include <stdio.h>

void store_session_close(struct store_session *session)
{
    pg_link_close(session->link);
    session->link = NULL;
    session->slot = 0;
}

enum status store_session_end(struct store_session *session, enum status st, const char *doing, struct errmsg *err)
{
    if (st == ST_OK)
        return ST_OK;
    if (st == ST_DB_DOWN)
        store_session_close(session);
    return fail_within(err, st, doing);
}

enum status store_session_run(struct store_session *session, const char *doing, struct errmsg *err)
{
    return store_session_end(session, pg_link_sync(session->link, err), doing, err);
}

enum status store_session_check_schema(struct store_session *session, struct errmsg *err)
{
    pg_link_query(session->link, "SELECT coalesce(max(version), 0) FROM schema_migrations");
    enum status st = store_session_run(session, "looking for the tables of Scrutin (db/migrate makes them)", err);
    if (st != ST_OK)
        return st;
    int64_t found = pg_link_number(session->link, 0, 0, 0);
    if (found < STORE_SCHEMA)
        return fail(err, ST_DB_SCHEMA, "the database has schema version %lld, this program needs %d: run db/migrate",
                    (long long)found, STORE_SCHEMA);
    if (found > STORE_SCHEMA)
        return fail(err, ST_DB_SCHEMA,
                    "the database has schema version %lld, newer than this program, which knows %d: "
                    "use the one of the release that migrated it",
                    (long long)found, STORE_SCHEMA);
    return ST_OK;
}

/* Whoever stops in the middle of a transaction (SIGSTOP, a lost machine) is thrown out before others have waited long
 * for its locks. synchronous_commit is only ever raised. */
static const char *const session_settings[] = {
    "SET idle_in_transaction_session_timeout = '5s'",
    "SET statement_timeout = '25s'",
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET jit = off",
    "SET search_path = public",
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')",
};

/* Takes the lowest free slot: tried one after the other until a lock is got. */
static enum status take_slot(struct store_session *session, struct errmsg *err)
{
    char sql[200];
    snprintf(sql, sizeof(sql),
             "SELECT slot FROM generate_series(1, %d) AS slot WHERE pg_try_advisory_lock(%d, slot) LIMIT 1",
             STORE_SLOTS, STORE_LOCK_CLASS);
    pg_link_query(session->link, sql);
    enum status st = store_session_run(session, "taking a tally slot", err);
    if (st != ST_OK)
        return st;
    if (pg_link_rows(session->link, 0) == 0)
        return fail(err, ST_NO_SLOT, "all %d tally slots are taken: stop a worker first", STORE_SLOTS);
    int slot = (int)pg_link_number(session->link, 0, 0, 0);
    snprintf(sql, sizeof(sql), "SET scrutin.slot = %d", slot);
    pg_link_query(session->link, sql);
    st = store_session_run(session, "setting the tally slot", err);
    if (st == ST_OK)
        session->slot = slot;
    return st;
}

static enum status prepare(struct store_session *session, struct errmsg *err)
{
    static const struct {
        const char *name, *sql;
    } statements[] = {
#define STATEMENT_ROW(name, sql) {#name, sql},
        STORE_STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        pg_link_prepare(session->link, statements[i].name, statements[i].sql);
    return store_session_run(session, "preparing statements", err);
}

enum status store_session_open(struct store_session *session, bool *fresh, struct errmsg *err)
{
    if (fresh != NULL)
        *fresh = false;
    if (session->link != NULL && !pg_link_is_lost(session->link))
        return ST_OK;
    store_session_close(session);
    enum status st = pg_link_open(&session->link, session->conninfo, session->name, err);
    if (st != ST_OK)
        return fail_within(err, st, "connecting to the database");
    for (size_t i = 0; i < sizeof(session_settings) / sizeof(session_settings[0]); i++)
        pg_link_query(session->link, session_settings[i]);
    st = store_session_run(session, "setting up the session", err);
    if (st == ST_OK)
        st = store_session_check_schema(session, err);
    if (st == ST_OK)
        st = prepare(session, err);
    if (st == ST_OK)
        st = take_slot(session, err);
    if (st != ST_OK)
        store_session_close(session);
    else if (fresh != NULL)
        *fresh = true;
    return st;
}

void store_session_roll_back(struct store_session *session)
{
    if (session->link == NULL || !pg_link_in_transaction(session->link))
        return;
    pg_link_send(session->link, "rollback", NULL);
    enum status st = pg_link_sync(session->link, NULL);
    if (st != ST_OK)
        store_session_close(session); /* the server rolls back what lost its session */
}
