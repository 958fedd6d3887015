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
/* Empties every table. */
void scratch_db_reset(void);

/* What a worker connects with: the role scrutin_worker, or the owner where that role may not log in. */
const char *scratch_db_conninfo(void);

/* Runs SQL as the owner; ends the process with the message when it fails. */
void scratch_db_run(const char *sql);
/* The rows of a query: columns separated by |, each row ended by a space. Valid until the call after next. */
const char *scratch_db_ask(const char *sql);

#endif
