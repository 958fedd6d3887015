/* pg_error - what an error of PostgreSQL means for the program that gets it.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_PG_ERROR_H
#define SCRUTIN_PG_ERROR_H

#include "base/status.h"

/* The status for a SQLSTATE of five characters. NULL and "" are errors of libpq itself: the connection is lost. Pure.
 *
 * ST_DB_DOWN    the server or the way to it: open a new connection later, then do the same again
 * ST_DB_RETRY   nothing is wrong with the statement or the server: run the transaction again
 * ST_DB_SCHEMA  tables, privileges or session are not what the program needs: an operator must act
 * ST_DB_DATA    the server will never take this data; only these errors may reject a ballot */
enum status pg_status_of(const char *sqlstate);

#endif
