/* test_rate - how many requests token buckets give out: over time, to several threads, and during a flood.
 * SPDX-License-Identifier: MIT */
#include "http/rate.h"
#include "unit.h"
#include <pthread.h>
#include <stdatomic.h>

#define SECOND INT64_C(1000000000)
#define START (77 * SECOND)
#define LINES 4
#define WAYS 8

/* A key of a line of the table: the table looks at the lowest and at the highest bits. */
static uint64_t key_in(uint64_t line, uint64_t n)
{
    return (n + 1) << 44 | line;
}

static struct rate *open_table(uint32_t quota, uint32_t window_s)
{
    return rate_new((struct rate_quota){quota, window_s}, LINES * WAYS, START);
}

static unsigned take_many(struct rate *rate, uint64_t key, unsigned n, int64_t now)
{
    unsigned admitted = 0;

    for (unsigned i = 0; i < n; i++)
        admitted += rate_take(rate, key, now).admitted;
    return admitted;
}

/* --- one bucket */

static void a_bucket_gives_its_quota_and_no_more(void **state)
{
    struct rate *rate = open_table(10, 60);

    for (uint32_t i = 0; i < 10; i++) {
        struct rate_verdict verdict = rate_take(rate, key_in(0, 0), START);
        assert_true(verdict.admitted);
        assert_int_equal(verdict.left, 9 - i);
        assert_int_equal(verdict.wait_s, 6 * (i + 1));
    }
    struct rate_verdict verdict = rate_take(rate, key_in(0, 0), START);
    assert_false(verdict.admitted);
    assert_int_equal(verdict.left, 0);
    assert_int_equal(verdict.wait_s, 6);
    rate_free(rate);
}

static void a_refusal_costs_nothing(void **state)
{
    struct rate *rate = open_table(10, 60);

    assert_int_equal(take_many(rate, key_in(0, 0), 1000, START), 10);
    assert_false(rate_take(rate, key_in(0, 0), START + 5 * SECOND).admitted);
    assert_int_equal(rate_take(rate, key_in(0, 0), START + 5 * SECOND).wait_s, 1);
    assert_int_equal(take_many(rate, key_in(0, 0), 1000, START + 6 * SECOND), 1);
    rate_free(rate);
}

/* A client that is told to wait for 0 s would come back at once and be refused again. */
static void a_refusal_with_a_fraction_of_a_second_left_says_one_second(void **state)
{
    struct rate *rate = open_table(10, 1);

    take_many(rate, key_in(0, 0), 10, START);
    for (int64_t ms = 0; ms < 99; ms++) {
        struct rate_verdict verdict = rate_take(rate, key_in(0, 0), START + ms * SECOND / 1000);
        CHECK_ROW(!verdict.admitted && verdict.wait_s == 1, "after %d ms: %u s", (int)ms, verdict.wait_s);
    }
    rate_free(rate);
}

static void an_empty_bucket_is_full_again_after_its_window(void **state)
{
    struct rate *rate = open_table(10, 60);

    take_many(rate, key_in(0, 0), 10, START);
    assert_int_equal(take_many(rate, key_in(0, 0), 1000, START + 30 * SECOND), 5);
    assert_int_equal(take_many(rate, key_in(0, 0), 1000, START + 90 * SECOND), 10);
    assert_int_equal(take_many(rate, key_in(0, 0), 1000, START + 9000 * SECOND), 10);
    rate_free(rate);
}

/* 3,000 people behind one address vote twice at the same time, and one client does not stop. */
static void a_hall_is_one_bucket(void **state)
{
    struct rate *rate = open_table(10000, 10);

    assert_int_equal(take_many(rate, key_in(1, 7), 6000, START), 6000);
    assert_int_equal(take_many(rate, key_in(1, 7), 20000, START), 4000);
    unsigned second = take_many(rate, key_in(1, 7), 20000, START + SECOND);
    assert_in_range(second, 1000, 1010); /* rounding the ticks favours the client */
    rate_free(rate);
}

static void keys_do_not_share_a_bucket(void **state)
{
    struct rate *rate = open_table(3, 60);

    for (uint64_t line = 0; line < LINES; line++)
        for (uint64_t n = 0; n < WAYS; n++)
            assert_int_equal(take_many(rate, key_in(line, n), 10, START), 3);
    for (uint64_t line = 0; line < LINES; line++)
        for (uint64_t n = 0; n < WAYS; n++)
            assert_false(rate_take(rate, key_in(line, n), START).admitted);
    rate_free(rate);
}

/* Loops read the clock at different moments. */
static void a_clock_that_is_behind_does_no_harm(void **state)
{
    struct rate *rate = open_table(10, 60);

    take_many(rate, key_in(0, 0), 10, START + SECOND);
    assert_false(rate_take(rate, key_in(0, 0), START).admitted);
    assert_false(rate_take(rate, key_in(0, 0), START - SECOND).admitted);
    assert_int_equal(take_many(rate, key_in(0, 0), 10, START + SECOND + 6 * SECOND), 1);
    rate_free(rate);
}

/* --- a line that is full of buckets in use */

static void the_quota_is_not_won_back_by_flooding(void **state)
{
    struct rate *rate = open_table(10, 60);

    assert_int_equal(take_many(rate, key_in(2, 0), 100, START), 10);
    for (uint64_t n = 1; n <= 1000; n++)
        rate_take(rate, key_in(2, n), START);
    assert_false(rate_take(rate, key_in(2, 0), START).admitted);
    rate_free(rate);
}

/* A line gives out eight buckets at most, for any number of keys. */
static void a_flood_gets_eight_buckets_of_a_line(void **state)
{
    struct rate *rate = open_table(10, 60);
    unsigned admitted = 0;

    for (unsigned round = 0; round < 20; round++)
        for (uint64_t n = 0; n < 500; n++)
            admitted += rate_take(rate, key_in(3, n), START).admitted;
    assert_int_equal(admitted, WAYS * 10);
    rate_free(rate);
}

/* A new key is admitted while all buckets of its line are in use but not empty. */
static void a_stranger_is_let_in_while_the_line_has_room(void **state)
{
    struct rate *rate = open_table(10, 60);

    for (uint64_t n = 0; n < WAYS; n++)
        take_many(rate, key_in(1, n), n == 3 ? 4 : 10, START);
    struct rate_verdict verdict = rate_take(rate, key_in(1, 99), START);
    assert_true(verdict.admitted);
    assert_int_equal(verdict.left, 5); /* the key that lost its bucket had taken four */
    assert_int_equal(take_many(rate, key_in(0, 99), 100, START), 10);
    rate_free(rate);
}

static void a_full_bucket_makes_room(void **state)
{
    struct rate *rate = open_table(10, 60);

    for (uint64_t n = 0; n < WAYS; n++)
        take_many(rate, key_in(1, n), n == 3 ? 1 : 10, START);
    assert_int_equal(take_many(rate, key_in(1, 99), 100, START + 6 * SECOND), 10);
    rate_free(rate);
}

/* --- many at once, and given back */

static void many_are_taken_together_or_not_at_all(void **state)
{
    struct rate *rate = open_table(100, 60);
    const struct rate_bucket bucket = {rate, key_in(1, 5)};

    assert_true(rate_take_n(rate, bucket.key, 60, START).admitted);
    assert_false(rate_take_n(rate, bucket.key, 41, START).admitted);
    assert_int_equal(rate_take_n(rate, bucket.key, 40, START).left, 0);
    rate_give_back(bucket, 40);
    assert_int_equal(take_many(rate, bucket.key, 1000, START), 40);
    rate_give_back(bucket, 1000); /* more than was taken: the bucket is full, not fuller */
    assert_int_equal(take_many(rate, bucket.key, 1000, START), 100);
    assert_false(rate_take_n(rate, key_in(2, 5), 101, START).admitted);
    rate_free(rate);
}

static void what_another_key_took_over_is_not_given_back(void **state)
{
    struct rate *rate = open_table(10, 60);
    const struct rate_bucket gone = {rate, key_in(1, 99)};

    rate_take(rate, gone.key, START);
    for (uint64_t n = 0; n < WAYS; n++)
        take_many(rate, key_in(1, n), 10, START);
    rate_give_back(gone, 1);
    for (uint64_t n = 0; n < WAYS; n++)
        assert_false(rate_take(rate, key_in(1, n), START).admitted);
    rate_give_back((struct rate_bucket){NULL, 1}, 1);
    rate_free(rate);
}

/* --- addresses within their network */

#define ADDRESSES 4096   /* words of the tables below */
#define DELEGATION 65536 /* IPv6 /64s that one customer has */

struct world {
    struct rate *addresses, *networks;
};

static struct world open_world(uint32_t quota, uint32_t times)
{
    return (struct world){rate_new((struct rate_quota){quota, 1000}, ADDRESSES, START),
                          rate_new((struct rate_quota){quota * times, 1000}, ADDRESSES, START)};
}

static void close_world(const struct world *world)
{
    rate_free(world->addresses);
    rate_free(world->networks);
}

/* Murmur's finalizer, instead of a hash under a secret. */
static uint64_t hash(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

static bool ask(const struct world *world, uint64_t network, uint64_t address, bool *by_network)
{
    return rate_take_within((struct rate_bucket){world->addresses, hash(network << 32 | address)},
                            (struct rate_bucket){world->networks, hash(~network)}, 1, START, by_network)
        .admitted;
}

static void a_network_gets_its_own_quota_and_its_addresses_theirs(void **state)
{
    const struct world world = open_world(10, 3);
    bool by_network;
    unsigned admitted = 0;

    for (unsigned i = 0; i < 100; i++)
        admitted += ask(&world, 1, 0, &by_network);
    assert_int_equal(admitted, 10);
    assert_false(by_network);
    for (unsigned i = 0; i < 1000; i++)
        admitted += ask(&world, 1, 1 + i % 100, &by_network);
    assert_int_equal(admitted, 30); /* the refusals before have cost the network nothing */
    assert_true(by_network);
    assert_true(ask(&world, 2, 0, &by_network));
    close_world(&world);
}

/* All /64s of one /48 send as many requests as an address may: enough to empty each word of the table of addresses many
 * times. The buckets of other clients are full all the same. */
static void a_flood_from_one_delegation_takes_nothing_from_strangers(void **state)
{
    const struct world world = open_world(10, 2);
    unsigned strangers = 0;
    bool by_network;

    for (unsigned round = 0; round < 10; round++)
        for (uint64_t address = 0; address < DELEGATION; address++)
            ask(&world, 7, address, &by_network);
    for (uint64_t network = 1000; network < 2000; network++)
        for (unsigned i = 0; i < 10; i++)
            strangers += ask(&world, network, 1, &by_network);
    assert_in_range(strangers, 9980, 10000); /* the flood had 20 requests in all */
    close_world(&world);
}

/* --- threads */

#define THREADS 4
#define TAKES 20000

struct crowd {
    struct rate *rate;
    uint64_t keys;
    atomic_uint admitted;
};

static void *take_as_crowd(void *arg)
{
    struct crowd *crowd = arg;

    for (uint64_t i = 0; i < TAKES; i++)
        if (rate_take(crowd->rate, key_in(i % LINES, i / LINES % crowd->keys), START).admitted)
            atomic_fetch_add(&crowd->admitted, 1);
    return NULL;
}

static unsigned run_crowd(struct crowd *crowd)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_as_crowd, crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return atomic_load(&crowd->admitted);
}

/* One address on many connections, dealt to all loops. */
static void threads_share_a_bucket_exactly(void **state)
{
    struct crowd crowd = {.rate = open_table(5000, 60), .keys = 1};

    assert_int_equal(run_crowd(&crowd), LINES * 5000);
    rate_free(crowd.rate);
}

/* All threads use more keys than there are words: no line gives out more than eight buckets. */
static void threads_flood_together(void **state)
{
    struct crowd crowd = {.rate = open_table(100, 60), .keys = 50};

    assert_int_equal(run_crowd(&crowd), LINES * WAYS * 100);
    rate_free(crowd.rate);
}

/* --- settings */

static void quotas_are_read(void **state)
{
    static const struct {
        const char *text;
        uint32_t quota, window_s;
    } rows[] = {
        {"600/60", 600, 60}, {"1/86400", 1, 86400}, {"10000000/1000", 10000000, 1000}, {"off", 0, 0}, {"0", 0, 0}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate_quota quota;
        CHECK_ROW(rate_quota_parse(rows[i].text, &quota, NULL) == ST_OK, "%s", rows[i].text);
        CHECK_ROW(quota.quota == rows[i].quota && quota.window_s == rows[i].window_s, "%s", rows[i].text);
    }
}

static void other_quotas_are_refused(void **state)
{
    static const char *const rows[] = {
        "",      "600",    "600/",     "/60",         "0/60",      "600/0",   "600/60s",
        "-1/60", "600/-1", "600 / 60", "10000001/60", "600/86401", "60000/1", "99999999999999999999/1",
        "on"};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate_quota quota;
        struct errmsg err;
        CHECK_ROW(rate_quota_parse(rows[i], &quota, &err) == ST_CONFIG, "%s", rows[i]);
    }
}

static void several_quotas_are_never_more_than_a_bucket_counts(void **state)
{
    static const struct {
        struct rate_quota quota;
        unsigned times;
        uint32_t wanted;
    } rows[] = {
        {{100, 10}, 8, 800},
        {{0, 0}, 8, 0},
        {{80000, 10}, 8, RATE_PER_SECOND_MAX * 10 - 1},
        {{RATE_PER_SECOND_MAX - 1, 1}, 8, RATE_PER_SECOND_MAX - 1},
        {{RATE_QUOTA_MAX, RATE_WINDOW_MAX_S}, 8, RATE_QUOTA_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate_quota got = rate_quota_times(rows[i].quota, rows[i].times);
        CHECK_ROW(got.quota == rows[i].wanted && got.window_s == rows[i].quota.window_s, "%u", rows[i].quota.quota);
        if (got.quota == 0)
            continue;
        struct rate *rate = rate_new(got, 8, 0);
        CHECK_ROW(rate_take(rate, 1, 0).admitted, "%u", rows[i].quota.quota);
        rate_free(rate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_quotas_are_never_more_than_a_bucket_counts),
        cmocka_unit_test(a_bucket_gives_its_quota_and_no_more),
        cmocka_unit_test(a_refusal_costs_nothing),
        cmocka_unit_test(a_refusal_with_a_fraction_of_a_second_left_says_one_second),
        cmocka_unit_test(an_empty_bucket_is_full_again_after_its_window),
        cmocka_unit_test(a_hall_is_one_bucket),
        cmocka_unit_test(keys_do_not_share_a_bucket),
        cmocka_unit_test(a_clock_that_is_behind_does_no_harm),
        cmocka_unit_test(the_quota_is_not_won_back_by_flooding),
        cmocka_unit_test(a_flood_gets_eight_buckets_of_a_line),
        cmocka_unit_test(a_stranger_is_let_in_while_the_line_has_room),
        cmocka_unit_test(a_full_bucket_makes_room),
        cmocka_unit_test(many_are_taken_together_or_not_at_all),
        cmocka_unit_test(what_another_key_took_over_is_not_given_back),
        cmocka_unit_test(a_network_gets_its_own_quota_and_its_addresses_theirs),
        cmocka_unit_test(a_flood_from_one_delegation_takes_nothing_from_strangers),
        cmocka_unit_test(threads_share_a_bucket_exactly),
        cmocka_unit_test(threads_flood_together),
        cmocka_unit_test(quotas_are_read),
        cmocka_unit_test(other_quotas_are_refused),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
