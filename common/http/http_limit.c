/* http_limit - takes requests from quotas, answers 429, and tells clients how much is left.
 * SPDX-License-Identifier: MIT */
#include "http/http_limit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/http.h"
#include <inttypes.h>
#include <sodium.h>

#define FEW_LEFT 10        /* when less than one tenth is left, the answer says so */
#define LOG_EVERY_MS 10000 /* the log names one refused client in this time */
#define HEADER_SIZE 96

static uint8_t hash_key[crypto_shorthash_KEYBYTES];

void http_limits_init(struct http_limit *const *limits, size_t n)
{
    char label[64];

    randombytes_buf(hash_key, sizeof(hash_key));
    for (size_t i = 0; i < n; i++) {
        snprintf(label, sizeof(label), "limit=\"%s\"", limits[i]->name);
        limits[i]->refused = metric_counter("http_requests_limited_total", label,
                                            "Requests answered 429, by the limit that they met.");
    }
}

static struct rate_quota network_quota(const struct http_limit *limit)
{
    return rate_quota_times(limit->quota, limit->network_times != 0 ? limit->network_times : HTTP_LIMIT_NETWORK);
}

enum status http_limit_open(struct http_limit *limit, const char *text, bool on, size_t buckets, struct errmsg *err)
{
    enum status st = rate_quota_parse(text, &limit->quota, err);

    rate_free(limit->rate);
    rate_free(limit->network_rate);
    limit->rate = limit->network_rate = NULL;
    if (st == ST_OK && on && limit->quota.quota > 0) {
        limit->rate = rate_new(limit->quota, buckets, clock_mono_ns());
        if (buckets == RATE_BUCKETS_ADDRESSES)
            limit->network_rate = rate_new(network_quota(limit), buckets, clock_mono_ns());
    }
    return st;
}

enum status http_proxies_parse(const char *text, struct address_list **out, struct errmsg *err)
{
    enum status st = address_list_parse(strcmp(text, "none") == 0 ? "" : text, out, err);

    return st == ST_OK ? ST_OK : fail_within(err, st, "TRUSTED_PROXIES");
}

/* The policy that a verdict is about: the limit itself, or its network's. */
struct policy {
    char name[48];
    const char *of;
    uint32_t quota;
};

static struct policy find_policy(const struct http_limit *limit, bool is_network)
{
    struct policy policy = {.of = is_network ? "One network (IPv6 /48, IPv4 /24)" : limit->of,
                            .quota = is_network ? network_quota(limit).quota : limit->quota.quota};

    snprintf(policy.name, sizeof(policy.name), "%s%s", limit->name, is_network ? "-network" : "");
    return policy;
}

static void add_limit_fields(struct http_call *call, const struct http_limit *limit, const struct policy *policy,
                             const struct rate_verdict *verdict)
{
    char value[HEADER_SIZE];

    snprintf(value, sizeof(value), "\"%s\";q=%" PRIu32 ";w=%" PRIu32, policy->name, policy->quota,
             limit->quota.window_s);
    http_add_header(call, "ratelimit-policy", value);
    snprintf(value, sizeof(value), "\"%s\";r=%" PRIu32 ";t=%" PRIu32, policy->name, verdict->left, verdict->wait_s);
    http_add_header(call, "ratelimit", value);
}

/* The operator must see which clients meet a limit, but a flood must not fill the log. */
static void log_refused(struct http_call *call, struct http_limit *limit)
{
    long long now = clock_mono_ms(), said = atomic_load_explicit(&limit->said_ms, memory_order_relaxed);
    char client[ADDRESS_TEXT];

    metric_add(limit->refused, 1);
    if ((said != 0 && now - said < LOG_EVERY_MS) ||
        !atomic_compare_exchange_strong_explicit(&limit->said_ms, &said, now, memory_order_relaxed,
                                                 memory_order_relaxed))
        return;
    const struct address address = http_client_address(call);
    address_format(&address, client);
    log_info("requests limited", LOG_S("limit", limit->name), LOG_S("client", client),
             LOG_I("refused", metric_value(limit->refused)));
}

static void answer_limited(struct http_call *call, struct http_limit *limit, const struct policy *policy,
                           const struct rate_verdict *verdict)
{
    char seconds[16];

    log_refused(call, limit);
    snprintf(seconds, sizeof(seconds), "%" PRIu32, verdict->wait_s);
    http_add_header(call, "retry-after", seconds);
    add_limit_fields(call, limit, policy, verdict);
    http_problem_with(call, PROBLEM_TOO_MANY_REQUESTS, json_pack("{s:[s]}", "violated-policies", policy->name),
                      "%s may make %" PRIu32 " such requests in %" PRIu32 " s; try again in %" PRIu32 " s.", policy->of,
                      policy->quota, limit->quota.window_s, verdict->wait_s);
}

/* Answers 429 when the verdict is a refusal. Adds the fields when little is left. */
static bool apply_verdict(struct http_call *call, struct http_limit *limit, bool is_network,
                          const struct rate_verdict *verdict)
{
    if (verdict->admitted && verdict->left >= limit->quota.quota / FEW_LEFT)
        return true;
    const struct policy policy = find_policy(limit, is_network);
    if (!verdict->admitted)
        answer_limited(call, limit, &policy, verdict);
    else
        add_limit_fields(call, limit, &policy, verdict);
    return verdict->admitted;
}

uint64_t http_limit_key(const void *data, size_t len)
{
    uint64_t key;

    crypto_shorthash((uint8_t *)&key, data, len, hash_key);
    return key;
}

bool http_limit_admit_key(struct http_call *call, struct http_limit *limit, uint64_t key, uint32_t *left)
{
    *left = UINT32_MAX;
    if (limit->rate == NULL)
        return true;
    const struct rate_verdict verdict = rate_take(limit->rate, key, call->began_ns);
    *left = verdict.left;
    return apply_verdict(call, limit, false, &verdict);
}

bool http_limit_admit_n(struct http_call *call, struct http_limit *limit, uint32_t n, struct http_taken *taken)
{
    bool by_network;

    *taken = (struct http_taken){.n = n};
    if (limit->rate == NULL)
        return true;
    const struct address client = http_client_address(call), own = address_of_client(&client),
                         wide = address_of_network(&client);
    const struct rate_bucket address = {limit->rate, http_limit_key(own.bytes, sizeof(own.bytes))};
    const struct rate_bucket network = {limit->network_rate, http_limit_key(wide.bytes, sizeof(wide.bytes))};
    const struct rate_verdict verdict = rate_take_within(address, network, n, call->began_ns, &by_network);
    if (verdict.admitted)
        *taken = (struct http_taken){address, network, n};
    return apply_verdict(call, limit, by_network, &verdict);
}

bool http_limit_admit(struct http_call *call, struct http_limit *limit)
{
    struct http_taken taken;

    return http_limit_admit_n(call, limit, 1, &taken);
}

void http_limit_give_back(const struct http_taken *taken)
{
    rate_give_back(taken->address, taken->n);
    rate_give_back(taken->network, taken->n);
}
