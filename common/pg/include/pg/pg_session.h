/* pg_session - a connection that is set up for one program: settings, schema version, prepared statements.
 * SPDX-License-Identifier: MIT
 *
 * A session is lost with its connection: its settings, statements, cursors and locks are gone. Not thread-safe. */
#ifndef SCRUTIN_PG_SESSION_H
#define SCRUTIN_PG_SESSION_H

#include "pg/pg_link.h"

/* The newest number in db/migrations. Every program is written for exactly this version of the tables. */
#define PG_SESSION_SCHEMA 8

struct pg_statement {
    const char *name, *sql;
};

/* All pointers must stay valid as long as the session is used. */
struct pg_session_options {
    struct pg_link_options link;
    const char *const *settings; /* statements that are run once after connecting; search_path is set without them */
    size_t n_settings;
    const struct pg_statement *statements; /* prepared once after connecting; at most PG_LINK_STATEMENTS_MAX */
    size_t n_statements;
};

/* The caller owns the storage and sets the options; the rest begins zeroed. */
struct pg_session {
    const struct pg_session_options *options;
    struct pg_link *link; /* NULL: not connected */
    unsigned connections; /* how many were made so far: a number that changed means a new session */
};

/* Connects if there is no connection that can be used, and sets the session up. After a failure there is none.
 *
 * ST_DB_DOWN    not reachable, or it does not let us in
 * ST_DB_SCHEMA  tables are missing, of another version, or this role may not read them */
MUST_CHECK enum status pg_session_open(struct pg_session *session, struct errmsg *err);
void pg_session_close(struct pg_session *session); /* does nothing without a connection */

/* Runs what is queued on the link. `doing` goes before the detail of an error, as in "storing a poll". Needs a link.
 * Closes the session after ST_DB_DOWN and ST_DB_SCHEMA, so that the next pg_session_open checks everything again. */
MUST_CHECK enum status pg_session_run(struct pg_session *session, const char *doing, struct errmsg *err);
/* The second half of _run, for a status that pg_link_sync or pg_link_sync_each returned. */
MUST_CHECK enum status pg_session_end(struct pg_session *session, enum status st, const char *doing,
                                      struct errmsg *err);
/* Leaves a transaction that failed. Does nothing when none is open. */
void pg_session_roll_back(struct pg_session *session);

#endif
