/* rate - buckets as words with the time when they will be full, eight in a cache line.
 * SPDX-License-Identifier: MIT */
#include "http/rate.h"

#include "base/alloc.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WAYS 8 /* buckets in a cache line of 64 bytes */
#define TICK_BITS 14
#define TICKS_PER_S (INT64_C(1000000000) >> TICK_BITS)
#define MARK_BITS 20 /* of a word, from the key; 44 bits are left for ticks: nine years of one process */
#define TIME_BITS (64 - MARK_BITS)
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

struct rate {
    struct rate_quota quota;
    int64_t origin_ns;
    uint64_t each;  /* ticks in which one request comes back */
    uint64_t depth; /* ticks in which a whole bucket fills */
    size_t lines;
    _Atomic uint64_t (*words)[WAYS];
};

/* --- settings */

static bool parse_number(const char **text, long max, uint32_t *out)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    long value = strtol(*text, &end, 10);
    *text = end;
    *out = (uint32_t)value;
    return value >= 0 && value <= max;
}

enum status rate_quota_parse(const char *text, struct rate_quota *out, struct errmsg *err)
{
    const char *rest = text;

    *out = (struct rate_quota){0, 0};
    if (strcmp(text, "off") == 0 || strcmp(text, "0") == 0)
        return ST_OK;
    if (!parse_number(&rest, RATE_QUOTA_MAX, &out->quota) || out->quota == 0 || *rest++ != '/' ||
        !parse_number(&rest, RATE_WINDOW_MAX_S, &out->window_s) || out->window_s == 0 || *rest != '\0')
        return fail(err, ST_CONFIG, "%.40s is neither off nor requests/seconds like 600/60, at most %d/%d", text,
                    RATE_QUOTA_MAX, RATE_WINDOW_MAX_S);
    if (out->quota / out->window_s >= RATE_PER_SECOND_MAX)
        return fail(err, ST_CONFIG, "%.40s is %d requests a second or more: use off instead", text,
                    RATE_PER_SECOND_MAX);
    return ST_OK;
}

struct rate_quota rate_quota_times(struct rate_quota quota, unsigned times)
{
    uint64_t wanted = (uint64_t)times * quota.quota, most = (uint64_t)RATE_PER_SECOND_MAX * quota.window_s - 1;

    if (most > RATE_QUOTA_MAX)
        most = RATE_QUOTA_MAX;
    if (quota.quota != 0)
        quota.quota = (uint32_t)(wanted < most ? wanted : most);
    return quota;
}

/* --- buckets */

struct rate *rate_new(struct rate_quota quota, size_t buckets, int64_t now_ns)
{
    struct rate *rate = alloc_items(1, sizeof(*rate));

    assert(quota.quota > 0 && buckets >= WAYS && (buckets & (buckets - 1)) == 0);
    rate->quota = quota;
    rate->origin_ns = now_ns;
    /* Rounded down. So the bucket holds exactly its quota, and is full a little earlier than the window says. */
    rate->each = (uint64_t)quota.window_s * (uint64_t)TICKS_PER_S / quota.quota;
    rate->depth = rate->each * quota.quota;
    rate->lines = buckets / WAYS;
    void *words = mmap(NULL, buckets * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (words == MAP_FAILED)
        abort();
    rate->words = words; /* all 0, and aligned to cache lines because pages are */
    return rate;
}

void rate_free(struct rate *rate)
{
    if (rate == NULL)
        return;
    munmap(rate->words, rate->lines * sizeof(*rate->words));
    free(rate);
}

/* The word with the mark, or else the word of the fullest bucket. *seen is its value. Two threads may give a new key a
 * word each at the same time. Later only the first of the two is found, so the key got one request free. */
static _Atomic uint64_t *find_word(_Atomic uint64_t line[WAYS], uint64_t mark, uint64_t *seen)
{
    _Atomic uint64_t *fullest = NULL;

    for (int i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&line[i], memory_order_relaxed);
        if (word >> TIME_BITS == mark && word != 0) {
            *seen = word;
            return &line[i];
        }
        if (fullest == NULL || (word & TIME_MASK) < (*seen & TIME_MASK)) {
            fullest = &line[i];
            *seen = word;
        }
    }
    return fullest;
}

static uint32_t ticks_to_seconds(uint64_t ticks)
{
    return (uint32_t)((ticks + (uint64_t)TICKS_PER_S - 1) / (uint64_t)TICKS_PER_S);
}

/* Ticks since the table was made, from 1 on, because a word of 0 was never used. A thread may have read its clock
 * before the table was made. */
static uint64_t ticks_at(const struct rate *rate, int64_t now_ns)
{
    return 1 + (now_ns > rate->origin_ns ? (uint64_t)(now_ns - rate->origin_ns) >> TICK_BITS : 0);
}

static struct rate_verdict make_refusal(const struct rate *rate, uint64_t missing)
{
    return (struct rate_verdict){.wait_s = ticks_to_seconds(missing - rate->depth)};
}

struct rate_verdict rate_take_n(struct rate *rate, uint64_t key, uint32_t n, int64_t now_ns)
{
    _Atomic uint64_t *line = rate->words[key % rate->lines];
    uint64_t mark = key >> TIME_BITS, seen = 0, now = ticks_at(rate, now_ns), cost = n * rate->each;

    for (;;) {
        _Atomic uint64_t *word = find_word(line, mark, &seen);
        uint64_t full_at = (seen & TIME_MASK) > now ? seen & TIME_MASK : now;
        uint64_t missing = full_at - now + cost; /* from the bucket, if it gives these requests */
        if (missing > rate->depth)
            return make_refusal(rate, missing);
        if (atomic_compare_exchange_weak_explicit(word, &seen, mark << TIME_BITS | (full_at + cost),
                                                  memory_order_relaxed, memory_order_relaxed))
            return (struct rate_verdict){.admitted = true,
                                         .left = (uint32_t)((rate->depth - missing) / rate->each),
                                         .wait_s = ticks_to_seconds(missing)};
    }
}

/* What rate_take_n would say, but takes nothing. Admitted: left and wait_s are not set. */
static struct rate_verdict peek_bucket(struct rate *rate, uint64_t key, uint32_t n, int64_t now_ns)
{
    uint64_t seen = 0, now = ticks_at(rate, now_ns);

    find_word(rate->words[key % rate->lines], key >> TIME_BITS, &seen);
    uint64_t missing = ((seen & TIME_MASK) > now ? (seen & TIME_MASK) - now : 0) + n * rate->each;
    return missing > rate->depth ? make_refusal(rate, missing) : (struct rate_verdict){.admitted = true};
}

struct rate_verdict rate_take_within(struct rate_bucket address, struct rate_bucket network, uint32_t n, int64_t now_ns,
                                     bool *by_network)
{
    struct rate_verdict own = {.admitted = true, .left = UINT32_MAX}, wide = own;

    *by_network = true;
    if (network.rate != NULL && !(wide = peek_bucket(network.rate, network.key, n, now_ns)).admitted)
        return wide;
    if (address.rate != NULL)
        own = rate_take_n(address.rate, address.key, n, now_ns);
    if (own.admitted && network.rate != NULL)
        wide = rate_take_n(network.rate, network.key, n, now_ns);
    *by_network = own.admitted && (!wide.admitted || wide.left < own.left);
    return *by_network ? wide : own;
}

void rate_give_back(struct rate_bucket bucket, uint32_t n)
{
    uint64_t mark = bucket.key >> TIME_BITS, seen = 0, kept;

    if (bucket.rate == NULL)
        return;
    const uint64_t cost = n * bucket.rate->each;
    _Atomic uint64_t *word = find_word(bucket.rate->words[bucket.key % bucket.rate->lines], mark, &seen);
    do {
        if (seen >> TIME_BITS != mark || (seen & TIME_MASK) == 0) /* another key owns the word now */
            return;
        kept = (seen & TIME_MASK) > cost ? (seen & TIME_MASK) - cost : 1;
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, mark << TIME_BITS | kept, memory_order_relaxed,
                                                    memory_order_relaxed));
}
