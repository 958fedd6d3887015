/* rate - token buckets for many keys in a table of fixed size, without a lock.
 * SPDX-License-Identifier: MIT
 *
 * A bucket holds `quota` requests and is full again `window` seconds after it was empty. It is one 64-bit word: a mark
 * of its key and the time at which it will be full, which is all that the generic cell rate algorithm (ITU-T I.371, A)
 * needs. One table serves all threads, so that an address has one bucket whatever loops its connections are on; a word
 * is changed by one compare-and-swap.
 *
 * Memory is that of the table, whatever the number of keys. A key looks in the 8 words of one cache line. A full bucket
 * says nothing, so a new key takes its word. Where all 8 are in use, the new key takes the fullest one and goes on from
 * its level (as "space saving" does: Metwally, Agrawal, El Abbadi, 2005): a key that was driven out comes back to a
 * bucket that is no fuller than the one it left, so nobody gets a fresh bucket by flooding the table, and each line
 * gives out at most 8 buckets. The price is the flooded stranger's, who begins with less than a full one. Two keys
 * share a bucket by chance where line and mark are the same: with the table full one key in 131,072.
 *
 * To take a stranger's whole bucket a flood must empty all words of the table within the window. One IPv6 delegation
 * has 65,536 networks of 64 bits, which is enough for a table of addresses and a small quota. So an address's bucket
 * is filled from its network's (rate_take_within), and requests that the network has no room for do not touch the
 * table of addresses: the flood needs as many networks as it has addresses' quotas to empty. Nobody can aim at one
 * line, because keys are hashes under a secret of the process. */
#ifndef SCRUTIN_RATE_H
#define SCRUTIN_RATE_H

#include "base/status.h"
#include <stdint.h>

#define RATE_QUOTA_MAX 10000000
#define RATE_WINDOW_MAX_S 86400
#define RATE_PER_SECOND_MAX 60000 /* of the clock's ticks of 2^14 ns there are 61,035 */

/* Buckets of a table; 8 bytes each, of which the kernel gives what is touched. */
#define RATE_BUCKETS_ADDRESSES (64 * 1024) /* 512 KiB: addresses that came lately */
#define RATE_BUCKETS_VOTERS (1024 * 1024)  /* 8 MiB: voters that changed their ballots lately */

struct rate_quota {
    uint32_t quota;    /* requests at once; 0: no limit */
    uint32_t window_s; /* in which as many come again */
};

/* Reads `quota/seconds`, as 600/60, or 0 or off for no limit. ST_CONFIG says what it should be. */
MUST_CHECK enum status rate_quota_parse(const char *text, struct rate_quota *out, struct errmsg *err);
/* So many times the quota in the same time, or the most that a bucket can count. A quota of 0 stays 0. */
struct rate_quota rate_quota_times(struct rate_quota quota, unsigned times);

struct rate;

/* A table of buckets, a power of two and at least 8. now_ns as below. */
struct rate *rate_new(struct rate_quota quota, size_t buckets, int64_t now_ns);
void rate_free(struct rate *rate); /* NULL is fine */

struct rate_verdict {
    bool admitted;
    uint32_t left;   /* requests that the bucket still has */
    uint32_t wait_s; /* refused: until it has one again; admitted: until it is full again. Rounded up */
};

/* Takes n requests from the key's bucket, or refuses them, which costs the bucket nothing. The key is a good hash under
 * a secret. now_ns: monotonic, the same clock for all callers. From any thread. */
struct rate_verdict rate_take_n(struct rate *rate, uint64_t key, uint32_t n, int64_t now_ns);
static inline struct rate_verdict rate_take(struct rate *rate, uint64_t key, int64_t now_ns)
{
    return rate_take_n(rate, key, 1, now_ns);
}

/* A key in its table. */
struct rate_bucket {
    struct rate *rate; /* NULL: no limit */
    uint64_t key;
};

/* Takes n requests from two buckets, of an address and of the network that it is in, or from none of them. *by_network:
 * whether the verdict is the network's: it refused, or it has less left. Where many threads take the network's last
 * ones, an address may pay for what its network then refuses. */
struct rate_verdict rate_take_within(struct rate_bucket address, struct rate_bucket network, uint32_t n, int64_t now_ns,
                                     bool *by_network);

/* Gives n requests back that were taken and came to nothing. */
void rate_give_back(struct rate_bucket bucket, uint32_t n);

#endif
