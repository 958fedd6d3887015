/* rate - token buckets for many keys in a table of fixed size, without a lock. From any thread.
 * SPDX-License-Identifier: MIT
 *
 * A bucket holds `quota` requests. An empty bucket is full again after `window` seconds. A bucket is one 64-bit word: a
 * mark of its key, and the time when it will be full. The generic cell rate algorithm (ITU-T I.371, annex A) needs no
 * more. All threads use one table, so an address has one bucket, whichever loops its connections are on. One
 * compare-and-swap changes a word.
 *
 * The memory does not depend on the number of keys. A key has its bucket in one of the 8 words of its cache line:
 *
 * - A full bucket carries no information, so a new key takes its word.
 * - If all 8 buckets are in use, the new key takes the fullest of them at its present level, as "space saving" does
 *   (Metwally, Agrawal, El Abbadi, 2005). A key that lost its bucket in this way gets one back that is no fuller than
 *   the one it lost. So a client cannot get a new bucket by flooding the table, and a line gives out at most 8 buckets.
 *   The cost: during a flood, a new client begins with less than a full bucket.
 * - Two keys share a bucket if they have the same line and the same mark. In a full table that is one key in 131,072.
 *
 * A flood can empty the bucket of another client only if it empties all words of the table within the window. One IPv6
 * /48 has 65,536 /64s: enough for a table of addresses and a small quota. So rate_take_within takes from the bucket of
 * the network, too, and does not touch the table of addresses when the network has none left. A flood then needs many
 * networks. It cannot aim at one line, because keys are hashes under a secret of the process. */
#ifndef SCRUTIN_RATE_H
#define SCRUTIN_RATE_H

#include "base/status.h"
#include <stdint.h>

#define RATE_QUOTA_MAX 10000000
#define RATE_WINDOW_MAX_S 86400
#define RATE_PER_SECOND_MAX 60000 /* a tick is 2^14 ns, so a second has 61,035 ticks */

/* Buckets of a table, 8 bytes each. The kernel gives memory only for pages that are used. */
#define RATE_BUCKETS_ADDRESSES (64 * 1024) /* 512 KiB: addresses within the window */
#define RATE_BUCKETS_VOTERS (1024 * 1024)  /* 8 MiB: voters that change their ballots within the window */

struct rate_quota {
    uint32_t quota;    /* requests at once; 0: no limit */
    uint32_t window_s; /* seconds until an empty bucket is full again */
};

/* Reads `quota/seconds` like 600/60; `0` or `off` is no limit. ST_CONFIG says what the text should be. */
MUST_CHECK enum status rate_quota_parse(const char *text, struct rate_quota *out, struct errmsg *err);
/* A multiple of the quota with the same window, but at most what a bucket can count. A quota of 0 stays 0. */
struct rate_quota rate_quota_times(struct rate_quota quota, unsigned times);

struct rate;

/* A table of full buckets. quota.quota is not 0; buckets is a power of two and at least 8. now_ns as for rate_take_n.
 * The caller frees the table. */
struct rate *rate_new(struct rate_quota quota, size_t buckets, int64_t now_ns);
void rate_free(struct rate *rate); /* NULL is fine */

struct rate_verdict {
    bool admitted;
    uint32_t left;   /* requests that are left in the bucket */
    uint32_t wait_s; /* refused: until it has enough requests; admitted: until it is full. Rounded up */
};

/* Takes n requests from the bucket of the key, or refuses all of them and takes none. The key is a hash under a secret.
 * now_ns is monotonic time, by the same clock for all callers. */
struct rate_verdict rate_take_n(struct rate *rate, uint64_t key, uint32_t n, int64_t now_ns);
static inline struct rate_verdict rate_take(struct rate *rate, uint64_t key, int64_t now_ns)
{
    return rate_take_n(rate, key, 1, now_ns);
}

/* The bucket of a key. */
struct rate_bucket {
    struct rate *rate; /* NULL: no limit */
    uint64_t key;
};

/* Takes n requests from the bucket of an address and n from that of its network, or refuses them. *by_network is
 * whether the verdict is about the network: it refused, or it has less left than the address.
 *
 * The network is checked first, without taking. If other threads then take its last requests, the address has paid for
 * requests that the network refuses. */
struct rate_verdict rate_take_within(struct rate_bucket address, struct rate_bucket network, uint32_t n, int64_t now_ns,
                                     bool *by_network);

/* Gives back n requests that were taken and not used. */
void rate_give_back(struct rate_bucket bucket, uint32_t n);

#endif
