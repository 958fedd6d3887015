/* settings - the table of the worker's environment variables.
 * SPDX-License-Identifier: MIT */
#include "settings.h"

struct settings settings;

#define AT(field) offsetof(struct settings, field)

const struct config_entry settings_table[] = {
    {"NATS_URL", CONFIG_TEXT, AT(nats_url), "nats://127.0.0.1:4222", 0, 0,
     "Addresses of the broker, comma separated, with user and password where it wants them."},
    {"DATABASE_URL", CONFIG_SECRET, AT(database_url), "", 0, 0,
     "Connection string or URI of PostgreSQL. Empty: libpq's own PG* variables count."},
    {"PORT", CONFIG_NUMBER, AT(port), "8083", 1, 65535, "TCP port of /livez, /readyz and /metrics."},
    {"BIND_ADDRESS", CONFIG_TEXT, AT(bind_address), "127.0.0.1", 0, 0, "Address of that port."},
    {"LOG_LEVEL", CONFIG_LEVEL, AT(log_level), "info", 0, 0, "debug, info, warn or error."},
    {"TRANSACTION_BALLOTS", CONFIG_NUMBER, AT(transaction_ballots), "8000", 1, 100000,
     "Ballots after which a transaction takes no further batch. More gain little, and cost memory and time to first "
     "result."},
    {"POLL_UNUSED_S", CONFIG_NUMBER, AT(poll_unused_s), "2592000", 0, 1000000000,
     "Seconds after its last edit, opening and closing until a poll in which nobody voted expires: it is closed, then "
     "deleted. Those made with an API key do not. Default: 30 days, so that one may be prepared in the holidays. 0: "
     "never."},
    {"POLL_FORGET_S", CONFIG_NUMBER, AT(poll_forget_s), "86400", 1, 1000000000,
     "Seconds after its deletion until a poll in which nobody voted is forgotten and no longer counts for POLLS_MAX: "
     "by "
     "then every service has heard of it."},
    {"STALL_S", CONFIG_NUMBER, AT(stall_s), "30", 1, 3600,
     "Seconds without progress, while the stream holds ballots, after which the worker calls itself not ready."},
};
const size_t settings_table_len = sizeof(settings_table) / sizeof(settings_table[0]);
