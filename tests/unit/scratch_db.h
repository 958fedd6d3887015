/* scratch_db - a database of its own for a test, made by db/migrate and dropped at the end.
 * SPDX-License-Identifier: MIT
 *
 * The server is the one of DATABASE_URL or PG*; its other databases are left alone. From scratch_db_open on the PG*
 * variables of this process name the scratch database. */
#ifndef SCRUTIN_SCRATCH_DB_H
#define SCRUTIN_SCRATCH_DB_H

#include <stdbool.h>

/* False: prints why there is none (no server named, not reachable, may not create databases). */
bool scratch_db_open(void);
void scratch_db_close(void);
/* Waits until all but n sessions of the database are gone: the server sees later than the client that one has ended,
 * and what it held is taken until then. */
void scratch_db_await_sessions(int n);
/* Waits for the sessions of the test before, and empties every table. */
void scratch_db_reset(void);

/* What a worker connects with: the role scrutin_worker, or the owner where that role may not log in. */
const char *scratch_db_conninfo(void);

/* Runs SQL as the owner; ends the process with the message when it fails. */
void scratch_db_run(const char *sql);
/* The rows of a query: columns separated by |, each row ended by a space. Valid until the call after next. */
const char *scratch_db_ask(const char *sql);

#endif
