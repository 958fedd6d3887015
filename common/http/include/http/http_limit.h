/* http_limit - how many requests a client may make: a quota for each client address or for each key, and the answer to
 * who has used it up.
 * SPDX-License-Identifier: MIT
 *
 * A limit is the process's; it is named in the route that it is for, or a handler asks it. Refused requests are
 * answered 429 with Retry-After, RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11); the two
 * latter are also in the answers to who has less than a tenth left, so that a client can slow down before. */
#ifndef SCRUTIN_HTTP_LIMIT_H
#define SCRUTIN_HTTP_LIMIT_H

#include "http/address.h"
#include "http/rate.h"
#include <stdatomic.h>

/* How many times an address's quota its network gets, an IPv6 /48 or an IPv4 /24: enough for a campus of several halls,
 * and not one quota for each of the 65,536 /64s that a customer is given. */
#define HTTP_LIMIT_NETWORK 8

struct http_call;
struct metric;

struct http_limit {
    const char *name;       /* of the policy: [a-z-]+ */
    const char *of;         /* whose requests it counts, for the problem's detail: "this address" */
    unsigned network_times; /* what a network gets; 0: HTTP_LIMIT_NETWORK */
    struct rate_quota quota;
    struct rate *rate;         /* NULL: no limit */
    struct rate *network_rate; /* NULL: no limit, or the table is not one of addresses */
    struct metric *refused;
    atomic_llong said_ms; /* monotonic: when the log last named somebody who was refused */
};

/* Sets the quota from text; nothing is limited unless `on`. ST_CONFIG says what the text should be. */
MUST_CHECK enum status http_limit_open(struct http_limit *limit, const char *text, bool on, size_t buckets,
                                       struct errmsg *err);
/* Once for each server, by http_open: the secret of the keys, and the metrics of all limits of the service. */
void http_limits_init(struct http_limit *const *limits, size_t n);
/* Reads TRUSTED_PROXIES: a list of networks, or `none`. ST_CONFIG names the setting. */
MUST_CHECK enum status http_proxies_parse(const char *text, struct address_list **out, struct errmsg *err);
/* What was taken, to be given back. */
struct http_taken {
    struct rate_bucket address, network;
    uint32_t n;
};
/* Takes a request of the client's address (of IPv6 its /64) and of its network. Answers and returns false when one of
 * them has none left. */
bool http_limit_admit(struct http_call *call, struct http_limit *limit);
/* The same for n of them, or none. */
bool http_limit_admit_n(struct http_call *call, struct http_limit *limit, uint32_t n, struct http_taken *taken);
/* Where what they were taken for was not done; once. From any thread. */
void http_limit_give_back(const struct http_taken *taken);
/* Takes a request of whatever the key names. *left: how many it still has. */
bool http_limit_admit_key(struct http_call *call, struct http_limit *limit, uint64_t key, uint32_t *left);
/* A key: a hash under a secret of this process. */
uint64_t http_limit_key(const void *data, size_t len);

#endif
