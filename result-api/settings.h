/* settings - result-api's environment variables.
 * SPDX-License-Identifier: MIT */
#ifndef RESULT_API_SETTINGS_H
#define RESULT_API_SETTINGS_H

#include "base/config.h"

struct settings {
    char *nats_url, *database_url;
    int64_t port;
    char *bind_address;
    char *tls_cert_file, *tls_key_file;
    int log_level;
    char *secret_keys;
    int64_t http_loops;
    int64_t max_connections, max_subscribers, max_subscribers_per_address;
    int64_t max_waiting, max_exports, export_patience_ms;
    int64_t max_per_address, connection_age_s, request_age_ms, max_resets, max_frames, max_held_bytes;
    int64_t refresh_ms, look_ms, wait_ms;
    int64_t heartbeat_ms, deadline_ms, retry_ms;
    int64_t backlog_messages;
    int64_t drain_ms;
    char *trusted_proxies;
    bool rate_limits;
    char *limit_reads;
};

extern struct settings settings;
extern const struct config_entry settings_table[];
extern const size_t settings_table_len;

#endif
