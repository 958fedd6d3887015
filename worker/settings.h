/* settings - the worker's environment variables.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_SETTINGS_H
#define WORKER_SETTINGS_H

#include "base/config.h"

struct settings {
    char *nats_url;
    char *database_url;
    int64_t port;
    char *bind_address;
    int log_level;
    int64_t transaction_ballots;
    int64_t stall_s;
    int64_t poll_unused_s, poll_forget_s;
};

extern struct settings settings;
extern const struct config_entry settings_table[];
extern const size_t settings_table_len;

#endif
