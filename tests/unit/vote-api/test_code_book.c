/* Tests of code_book: what was added is found in its poll and nowhere else, whoever reads meanwhile.
 * SPDX-License-Identifier: MIT */
#include "codes/code_book.h"

#include "unit.h"
#include <pthread.h>
#include <stdatomic.h>

enum { N = 20000 };

/* Hashes that share their low bits, so that slots are contested. */
static void make_hash(unsigned i, uint8_t hash[CODE_HASH])
{
    memset(hash, 1, CODE_HASH);
    hash[0] = (uint8_t)(i % 7);
    memcpy(hash + 8, &i, sizeof(i));
}

static uint8_t *make_hashes(unsigned from, unsigned n)
{
    uint8_t *hashes = malloc((size_t)n * CODE_HASH);

    for (unsigned i = 0; i < n; i++)
        make_hash(from + i, hashes + (size_t)i * CODE_HASH);
    return hashes;
}

static void an_empty_book_has_nothing(void **state)
{
    struct code_book *book = code_book_new();
    uint8_t hash[CODE_HASH];

    make_hash(1, hash);
    assert_false(code_book_has(book, "poll", hash));
    assert_int_equal(code_book_count(book, "poll"), 0);
    code_book_drop(book, "poll");
    assert_int_equal(code_book_total(book), 0);
    code_book_free(book);
    code_book_free(NULL);
}

static void codes_are_found_in_their_poll_only(void **state)
{
    struct code_book *book = code_book_new();
    uint8_t *hashes = make_hashes(0, 1000), hash[CODE_HASH];
    char poll[POLL_ID_MAX + 1];

    for (unsigned p = 0; p < 200; p++) { /* more polls than the book begins with */
        snprintf(poll, sizeof(poll), "poll-%u", p);
        code_book_add(book, poll, hashes + (size_t)p * 5 * CODE_HASH, 5);
    }
    for (unsigned p = 0; p < 200; p++) {
        snprintf(poll, sizeof(poll), "poll-%u", p);
        assert_int_equal(code_book_count(book, poll), 5);
        for (unsigned i = 0; i < 1000; i += 3) {
            make_hash(i, hash);
            assert_int_equal(code_book_has(book, poll, hash), i / 5 == p);
        }
    }
    assert_int_equal(code_book_total(book), 1000);
    free(hashes);
    code_book_free(book);
}

static void what_is_added_twice_counts_once(void **state)
{
    struct code_book *book = code_book_new();
    uint8_t *hashes = make_hashes(0, N), hash[CODE_HASH];

    code_book_add(book, "a", hashes, 100);
    code_book_add(book, "a", hashes, N);
    code_book_add(book, "a", hashes + (size_t)50 * CODE_HASH, 100);
    assert_int_equal(code_book_count(book, "a"), N);
    assert_int_equal(code_book_total(book), N);
    for (unsigned i = 0; i < N; i++)
        assert_true(code_book_has(book, "a", hashes + (size_t)i * CODE_HASH));
    make_hash(N, hash);
    assert_false(code_book_has(book, "a", hash));
    free(hashes);
    code_book_free(book);
}

static void dropped_codes_are_gone_and_may_come_back(void **state)
{
    struct code_book *book = code_book_new();
    uint8_t *hashes = make_hashes(0, 300);

    code_book_add(book, "a", hashes, 300);
    code_book_add(book, "b", hashes, 10);
    code_book_drop(book, "a");
    assert_int_equal(code_book_count(book, "a"), 0);
    assert_int_equal(code_book_total(book), 10);
    assert_false(code_book_has(book, "a", hashes));
    assert_true(code_book_has(book, "b", hashes));
    code_book_add(book, "a", hashes, 1);
    assert_true(code_book_has(book, "a", hashes));
    free(hashes);
    code_book_free(book);
}

struct reader {
    struct code_book *book;
    const uint8_t *hashes;
    atomic_uint *added;
    unsigned lost;
};

static void *read_codes(void *arg)
{
    struct reader *reader = arg;
    unsigned n;

    do {
        n = atomic_load(reader->added);
        for (unsigned i = 0; i < n; i += 17)
            reader->lost += !code_book_has(reader->book, "a", reader->hashes + (size_t)i * CODE_HASH);
    } while (n < N);
    return NULL;
}

static void readers_never_miss_a_code_while_the_book_grows(void **state)
{
    struct code_book *book = code_book_new();
    uint8_t *hashes = make_hashes(0, N);
    atomic_uint added = 0;
    struct reader readers[2];
    pthread_t threads[2];

    for (int i = 0; i < 2; i++) {
        readers[i] = (struct reader){book, hashes, &added, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_codes, &readers[i]), 0);
    }
    for (unsigned i = 0; i < N; i += 500) {
        code_book_add(book, "a", hashes + (size_t)i * CODE_HASH, 500);
        atomic_store(&added, i + 500);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].lost, 0);
    }
    free(hashes);
    code_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_book_has_nothing),
        cmocka_unit_test(codes_are_found_in_their_poll_only),
        cmocka_unit_test(what_is_added_twice_counts_once),
        cmocka_unit_test(dropped_codes_are_gone_and_may_come_back),
        cmocka_unit_test(readers_never_miss_a_code_while_the_book_grows),
    };
    return cmocka_run_group_tests_name("code_book", tests, NULL, NULL);
}
