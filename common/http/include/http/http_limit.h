/* http_limit - how many requests a client may make: a quota for each address or for each key, and the answer 429.
 * SPDX-License-Identifier: MIT
 *
 * A limit is one for the whole process, and all loops share it. A route names its limit, or a handler checks one
 * itself. A request above the quota is answered 429 with Retry-After, RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers-11). The last two are also in an answer when less than a tenth of the quota is
 * left, so that a client can slow down in time. */
#ifndef SCRUTIN_HTTP_LIMIT_H
#define SCRUTIN_HTTP_LIMIT_H

#include "http/address.h"
#include "http/rate.h"
#include <stdatomic.h>

/* The quota of a network (IPv6 /48, IPv4 /24), as a multiple of the quota of one address. It is enough for a campus
 * with several halls. Without it, a customer with 65,536 IPv6 /64s would have 65,536 quotas. */
#define HTTP_LIMIT_NETWORK 8

struct http_call;
struct metric;

struct http_limit {
    const char *name;       /* of the policy in the headers: [a-z-]+ */
    const char *of;         /* begins the detail of the problem: "One address" */
    unsigned network_times; /* the quota of a network, as a multiple of quota; 0: HTTP_LIMIT_NETWORK */
    struct rate_quota quota;
    struct rate *rate;         /* NULL: no limit */
    struct rate *network_rate; /* NULL: no limit, or the keys of this limit are no addresses */
    struct metric *refused;
    atomic_llong said_ms; /* monotonic: when the log last named a client that was refused; 0: never */
};

/* Sets the quota from text like 600/60 (rate.h). Without `on` there is no limit. buckets is the size of the table:
 * RATE_BUCKETS_ADDRESSES also makes a table for networks. ST_CONFIG says what is wrong with the text. */
MUST_CHECK enum status http_limit_open(struct http_limit *limit, const char *text, bool on, size_t buckets,
                                       struct errmsg *err);
/* Once for each server, by http_open: the secret of the keys, and the metrics of all limits of the service. */
void http_limits_init(struct http_limit *const *limits, size_t n);
/* Reads TRUSTED_PROXIES: a list of networks (address.h), or `none`. ST_CONFIG names the setting. The caller frees *out.
 */
MUST_CHECK enum status http_proxies_parse(const char *text, struct address_list **out, struct errmsg *err);
/* Requests that were taken from a quota, and may be given back. */
struct http_taken {
    struct rate_bucket address, network;
    uint32_t n;
};
/* Takes one request from the quota of the client's address (IPv6: its /64) and one from the quota of its network. When
 * one of them has none left, answers 429 and returns false. */
bool http_limit_admit(struct http_call *call, struct http_limit *limit);
/* The same for n requests: all of them or none. *taken is for http_limit_give_back. */
bool http_limit_admit_n(struct http_call *call, struct http_limit *limit, uint32_t n, struct http_taken *taken);
/* Gives requests back when the service did not do what they were taken for. Once for each taken. From any thread. */
void http_limit_give_back(const struct http_taken *taken);
/* Takes one request from the quota of a key. *left is how many are left; UINT32_MAX: there is no limit. When none was
 * left, answers 429 and returns false. */
bool http_limit_admit_key(struct http_call *call, struct http_limit *limit, uint64_t key, uint32_t *left);
/* A key: a hash under a secret of this process, so that a client cannot choose its bucket. */
uint64_t http_limit_key(const void *data, size_t len);

#endif
