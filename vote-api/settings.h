/* settings - vote-api's environment variables.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_SETTINGS_H
#define VOTE_API_SETTINGS_H

#include "http/http_settings.h"

struct settings {
    char *nats_url;
    struct http_settings http;
    int log_level;
    char *secret_keys;
    char *api_keys;
    bool create_needs_key;
    char *default_poll, *option_a, *option_b;
    int64_t max_in_flight;
    int64_t ack_timeout_ms;
    int64_t batches_in_flight, batch_ballots;
    int64_t bulk_ballots;
    int64_t polls_max;
    int64_t codes_max, codes_without_key;
    char *limit_ballots, *limit_classic, *limit_voter_ballots, *limit_revisions, *limit_voter_tokens, *limit_polls,
        *limit_codes, *limit_changes, *limit_reads, *limit_wrong_codes;
};

extern struct settings settings;
extern const struct config_entry settings_table[];
extern const size_t settings_table_len;

#endif
