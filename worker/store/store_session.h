/* store_session - the store's connection to the database, ready for use or absent.
 * SPDX-License-Identifier: MIT
 *
 * What a session holds, it loses with its connection: its tally slot and its prepared statements. */
#ifndef SCRUTIN_STORE_SESSION_H
#define SCRUTIN_STORE_SESSION_H

#include "base/status.h"
#include "pg/pg_link.h"

/* The newest number in db/migrations that this program was written for. */
#define STORE_SCHEMA 8
#define STORE_SLOTS 63
/* First key of the two-part advisory locks; the second is a slot, or 0 for registering an epoch. */
#define STORE_LOCK_CLASS 1396917844

struct store_session {
    const char *conninfo, *name; /* the owner's */
    struct pg_link *link;        /* NULL: not connected */
    int slot;
};

/* Connects when there is no connection. Sets *fresh, which may be NULL, when it made one.
 *
 * ST_DB_DOWN, ST_DB_SCHEMA, ST_NO_SLOT as in ballot_store.h */
MUST_CHECK enum status store_session_open(struct store_session *session, bool *fresh, struct errmsg *err);
void store_session_close(struct store_session *session);

/* ST_DB_SCHEMA: the tables are older or newer than STORE_SCHEMA, missing, or not ours to read. */
MUST_CHECK enum status store_session_check_schema(struct store_session *session, struct errmsg *err);

/* Runs what is queued on the link; `doing` is the context of an error. A lost link is closed at once. */
MUST_CHECK enum status store_session_run(struct store_session *session, const char *doing, struct errmsg *err);
/* The same for a status that pg_link_sync has returned. */
MUST_CHECK enum status store_session_end(struct store_session *session, enum status st, const char *doing,
                                         struct errmsg *err);
/* Leaves a transaction that failed, if one is open. */
void store_session_roll_back(struct store_session *session);

#endif
