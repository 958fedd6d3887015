/* settings - the table of the worker's environment variables and limits.
 * SPDX-License-Identifier: MIT */
#include "settings.h"

#include "base/config_rows.h"

struct settings settings;

#define AT(field) offsetof(struct settings, field)

const struct config_entry settings_table[] = {
    CONFIG_SECTION("Other parts and secrets"),
    CONFIG_NATS_URL,
    CONFIG_DATABASE_URL,

    CONFIG_SECTION("Listening"),
    {"PORT", CONFIG_NUMBER, AT(http.port), "8083", 1, 65535, "TCP port of /livez, /readyz and /metrics."},
    {"BIND_ADDRESS", CONFIG_TEXT, AT(http.bind_address), "127.0.0.1", 0, 0, "IP address of that port."},

    CONFIG_SECTION("Operation"),
    CONFIG_LOG_LEVEL("info"),
    {"TRANSACTION_BALLOTS", CONFIG_NUMBER, AT(transaction_ballots), "8000", 1, 100000,
     "Ballots after which a transaction takes no further batch. A higher number gains little, needs more memory, and "
     "delays the first result."},
    {"STALL_S", CONFIG_NUMBER, AT(stall_s), "30", 1, 3600,
     "Time in seconds without progress, while the stream holds ballots, after which the worker reports that it is not "
     "ready."},

    CONFIG_SECTION("Limits of polls and ballots"),
    {"POLL_UNUSED_S", CONFIG_NUMBER, AT(poll_unused_s), "2592000", 0, 1000000000,
     "Time in seconds after which a poll without ballots expires: the worker closes it, then deletes it. It counts "
     "from the poll's last edit, opening or closing. Polls created with an API key never expire. The default of 30 "
     "days lets a teacher prepare a poll before the holidays. 0: never."},
    {"POLL_FORGET_S", CONFIG_NUMBER, AT(poll_forget_s), "86400", 1, 1000000000,
     "Time in seconds after which a deleted poll without ballots is forgotten and no longer counts for POLLS_MAX. By "
     "then every service knows of the deletion."},
};
const size_t settings_table_len = sizeof(settings_table) / sizeof(settings_table[0]);
