/* settings - result-api's environment variables.
 * SPDX-License-Identifier: MIT */
#ifndef RESULT_API_SETTINGS_H
#define RESULT_API_SETTINGS_H

#include "http/http_settings.h"

struct settings {
    char *nats_url, *database_url;
    struct http_settings http;
    int log_level;
    char *secret_keys;
    int64_t max_subscribers, max_subscribers_per_address;
    int64_t max_waiting, max_exports, export_patience_ms;
    int64_t refresh_ms, look_ms, wait_ms;
    int64_t heartbeat_ms, deadline_ms, retry_ms;
    int64_t backlog_messages;
    char *limit_reads;
};

extern struct settings settings;
extern const struct config_entry settings_table[];
extern const size_t settings_table_len;

#endif
