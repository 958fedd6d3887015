/* settings - the worker's environment variables.
 * SPDX-License-Identifier: MIT */
#ifndef WORKER_SETTINGS_H
#define WORKER_SETTINGS_H

#include "http/http_settings.h"

struct settings {
    char *nats_url;
    char *database_url;
    struct http_settings http; /* port and bind_address alone */
    int log_level;
    int64_t transaction_ballots;
    int64_t stall_s;
    int64_t poll_unused_s, poll_forget_s;
};

extern struct settings settings;
extern const struct config_entry settings_table[];
extern const size_t settings_table_len;

#endif
