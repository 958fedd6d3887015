/* request_limits - one row for each limit.
 * SPDX-License-Identifier: MIT */
#include "request_limits.h"

#include "settings.h"

struct http_limit limit_ballots = {.name = "ballots", .of = "One address"};
struct http_limit limit_classic = {.name = "classic", .of = "One address"};
struct http_limit limit_voter_ballots = {.name = "voter-ballots", .of = "One voter"};
struct http_limit limit_revisions = {.name = "revisions", .of = "One address"};
struct http_limit limit_voter_tokens = {.name = "voter-tokens", .of = "One address"};
struct http_limit limit_polls = {
    .name = "polls", .of = "One address without an API key", .network_times = LIMIT_LASTING_NETWORK};
struct http_limit limit_codes = {
    .name = "codes", .of = "One address without an API key", .network_times = LIMIT_LASTING_NETWORK};
struct http_limit limit_changes = {.name = "changes", .of = "One address"};
struct http_limit limit_wrong_codes = {.name = "wrong-codes", .of = "One address with wrong voting codes"};
struct http_limit limit_reads = {.name = "reads", .of = "One address"};

struct http_limit *const limits_all[] = {&limit_ballots,      &limit_classic,    &limit_voter_ballots, &limit_revisions,
                                         &limit_voter_tokens, &limit_polls,      &limit_codes,         &limit_changes,
                                         &limit_reads,        &limit_wrong_codes};
const size_t limits_count = sizeof(limits_all) / sizeof(limits_all[0]);

enum status limits_open(struct errmsg *err)
{
    const struct {
        const char *setting;
        struct http_limit *limit;
        const char *text;
        size_t buckets;
    } rows[] = {
        {"LIMIT_BALLOTS", &limit_ballots, settings.limit_ballots, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_CLASSIC", &limit_classic, settings.limit_classic, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_REVISIONS", &limit_revisions, settings.limit_revisions, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_CODES", &limit_codes, settings.limit_codes, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_VOTER_BALLOTS", &limit_voter_ballots, settings.limit_voter_ballots, RATE_BUCKETS_VOTERS},
        {"LIMIT_VOTER_TOKENS", &limit_voter_tokens, settings.limit_voter_tokens, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_POLLS", &limit_polls, settings.limit_polls, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_CHANGES", &limit_changes, settings.limit_changes, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_WRONG_CODES", &limit_wrong_codes, settings.limit_wrong_codes, RATE_BUCKETS_ADDRESSES},
        {"LIMIT_READS", &limit_reads, settings.limit_reads, RATE_BUCKETS_ADDRESSES},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum status st = http_limit_open(rows[i].limit, rows[i].text, settings.http.rate_limits, rows[i].buckets, err);
        if (st != ST_OK)
            return fail_within(err, st, rows[i].setting);
    }
    return ST_OK;
}

size_t limits_share(int64_t max, bool has_key)
{
    return (size_t)(has_key ? max : max - max / 4);
}
