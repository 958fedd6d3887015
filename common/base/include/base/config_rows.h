/* config_rows - rows that several programs have in their table of settings.
 * SPDX-License-Identifier: MIT
 *
 * AT(field) is the offset in the program's own struct of settings. */
#ifndef SCRUTIN_CONFIG_ROWS_H
#define SCRUTIN_CONFIG_ROWS_H

#include "base/config.h"

/* clang-format off */

#define CONFIG_NATS_URL \
    {"NATS_URL", CONFIG_TEXT, AT(nats_url), "nats://127.0.0.1:4222", 0, 0, \
     "Addresses of the NATS servers, separated by commas. Each may contain a user and a password."}
#define CONFIG_DATABASE_URL \
    {"DATABASE_URL", CONFIG_SECRET, AT(database_url), "", 0, 0, \
     "Connection string or URI of PostgreSQL. If it is empty, libpq reads its own PG* variables."}
#define CONFIG_LOG_LEVEL(fallback) \
    {"LOG_LEVEL", CONFIG_LEVEL, AT(log_level), fallback, 0, 0, \
     "Lowest level of messages that are logged: debug, info, warn or error."}

/* clang-format on */

#endif
