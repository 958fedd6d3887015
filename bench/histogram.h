/* histogram - latencies from 1 us to an hour, in buckets at most 1.6 % wide, so that high quantiles stay exact.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BENCH_HISTOGRAM_H
#define SCRUTIN_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEPS 64 /* buckets for each doubling */
#define HISTOGRAM_BUCKETS (27 * HISTOGRAM_STEPS)

struct histogram {
    uint64_t n;
    int64_t max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The first 64 buckets are 1 us wide. After that, each doubling of the value has 64 buckets of equal width. */
static inline size_t histogram_bucket(uint64_t us)
{
    unsigned shift = us < HISTOGRAM_STEPS ? 0 : 63u - 6u - (unsigned)__builtin_clzll(us);
    size_t bucket = shift * HISTOGRAM_STEPS + (size_t)(us >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value of a bucket. */
static inline int64_t histogram_value(size_t bucket)
{
    unsigned shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : (unsigned)(bucket / HISTOGRAM_STEPS) - 1;
    return (int64_t)((bucket - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

static inline void histogram_add(struct histogram *h, int64_t ns)
{
    int64_t us = ns < 0 ? 0 : ns / 1000;
    h->n++;
    h->max_us = us > h->max_us ? us : h->max_us;
    h->buckets[histogram_bucket((uint64_t)us)]++;
}

/* Returns the quantile q (0 to 1) in milliseconds, or 0 if there are no values. */
static inline double histogram_quantile_ms(const struct histogram *h, double q)
{
    uint64_t wanted = (uint64_t)(q * (double)h->n), seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > wanted || (seen > 0 && seen == h->n))
            return (double)(histogram_value(i) < h->max_us ? histogram_value(i) : h->max_us) / 1000;
    }
    return 0;
}

#endif
