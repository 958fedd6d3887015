/* pg_session - connects, applies the settings, checks the schema version, prepares the statements.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_session.h"

void pg_session_close(struct pg_session *session)
{
    pg_link_close(session->link);
    session->link = NULL;
}

enum status pg_session_end(struct pg_session *session, enum status st, const char *doing, struct errmsg *err)
{
    if (st == ST_OK)
        return ST_OK;
    if (st == ST_DB_DOWN || st == ST_DB_SCHEMA)
        pg_session_close(session);
    return fail_within(err, st, doing);
}

enum status pg_session_run(struct pg_session *session, const char *doing, struct errmsg *err)
{
    return pg_session_end(session, pg_link_sync(session->link, err), doing, err);
}

static enum status check_schema(struct pg_session *session, struct errmsg *err)
{
    pg_link_query(session->link, "SELECT coalesce(max(version), 0) FROM schema_migrations", NULL);
    enum status st = pg_session_run(session, "reading the schema version; db/migrate creates the tables", err);
    if (st != ST_OK)
        return st;
    int64_t found = pg_link_number(session->link, 0, 0, 0);
    if (found < PG_SESSION_SCHEMA)
        return fail(err, ST_DB_SCHEMA,
                    "the database has schema version %lld, this program needs version %d: run db/migrate",
                    (long long)found, PG_SESSION_SCHEMA);
    if (found > PG_SESSION_SCHEMA)
        return fail(err, ST_DB_SCHEMA,
                    "the database has schema version %lld, newer than version %d that this program needs: "
                    "use the release that migrated the database",
                    (long long)found, PG_SESSION_SCHEMA);
    return ST_OK;
}

static enum status set_up(struct pg_session *session, struct errmsg *err)
{
    const struct pg_session_options *options = session->options;

    pg_link_query(session->link, "SET search_path = public", NULL);
    for (size_t i = 0; i < options->n_settings; i++)
        pg_link_query(session->link, options->settings[i], NULL);
    enum status st = pg_session_run(session, "setting up the session", err);
    if (st == ST_OK)
        st = check_schema(session, err);
    if (st != ST_OK || options->n_statements == 0)
        return st;
    for (size_t i = 0; i < options->n_statements; i++)
        pg_link_prepare(session->link, options->statements[i].name, options->statements[i].sql);
    return pg_session_run(session, "preparing statements", err);
}

enum status pg_session_open(struct pg_session *session, struct errmsg *err)
{
    if (session->link != NULL && !pg_link_is_lost(session->link))
        return ST_OK;
    pg_session_close(session);
    enum status st = pg_link_open(&session->link, &session->options->link, err);
    if (st != ST_OK)
        return fail_within(err, st, "connecting to the database");
    session->connections++;
    st = set_up(session, err);
    if (st != ST_OK)
        pg_session_close(session);
    return st;
}

void pg_session_roll_back(struct pg_session *session)
{
    if (session->link == NULL || !pg_link_in_transaction(session->link))
        return;
    pg_link_query(session->link, "ROLLBACK", NULL);
    if (pg_link_sync(session->link, NULL) != ST_OK)
        pg_session_close(session); /* the server rolls back when a session ends */
}
