/* Tests of result-api's backlog: pending ballots and passed fences, in any order of what the two sources report.
 * SPDX-License-Identifier: MIT */
#include "ballot/ordinal.h"
#include "read/backlog.h"
#include "unit.h"

#define CREATED INT64_C(1700000000000000000)

static bool has_passed(const struct backlog *backlog, int64_t fence)
{
    const struct backlog_point point = backlog_point(backlog);

    return backlog_has_passed(&point, fence);
}

static struct backlog make(unsigned epoch, uint64_t floor)
{
    struct backlog backlog = {.created_ns = 0};

    assert_true(backlog_set_epoch(&backlog, epoch, CREATED, floor));
    assert_true(backlog_start(&backlog, CREATED, 1));
    backlog_set_caught_up(&backlog, true);
    return backlog;
}

/* Reads a message with one ballot for each letter of `polls`. The letter is the id of its poll. */
static void read_message(struct backlog *backlog, uint64_t sequence, const char *polls)
{
    struct ballot ballots[16];
    struct ballot_batch batch = {.n_ballots = strlen(polls), .ballots = ballots};

    memset(ballots, 0, sizeof(ballots));
    for (size_t i = 0; i < batch.n_ballots; i++)
        ballots[i].poll[0] = polls[i];
    backlog_read(backlog, sequence, &batch, NULL, NULL);
}

static void examine(struct backlog *backlog, uint64_t up_to, size_t n, const uint64_t *applied)
{
    backlog_examine(backlog, up_to, applied, n, NULL, NULL);
}
#define EXAMINE(backlog, up_to, ...)                                                                                   \
    do {                                                                                                               \
        const uint64_t applied_[] = {__VA_ARGS__};                                                                     \
        examine(backlog, up_to, sizeof(applied_) / sizeof(applied_[0]), applied_);                                     \
    } while (0)

static void counts_what_was_read_and_not_applied(void **state)
{
    struct backlog backlog = make(1, 0);

    read_message(&backlog, 1, "aab");
    read_message(&backlog, 2, "b");
    assert_int_equal(backlog_pending(&backlog, "a"), 2);
    assert_int_equal(backlog_pending(&backlog, "b"), 2);
    EXAMINE(&backlog, 1, 1);
    assert_int_equal(backlog_pending(&backlog, "a"), 0);
    assert_int_equal(backlog_pending(&backlog, "b"), 1);
    assert_int_equal(backlog_floor(&backlog), 1);
    backlog_fini(&backlog);
}

static void applied_before_it_is_read_is_never_pending(void **state)
{
    struct backlog backlog = make(1, 10);

    EXAMINE(&backlog, 13, 11, 13);
    read_message(&backlog, 11, "a");
    assert_int_equal(backlog_pending(&backlog, "a"), 0);
    read_message(&backlog, 12, "aa");
    read_message(&backlog, 13, "aaa");
    assert_int_equal(backlog_pending(&backlog, "a"), 2);
    assert_int_equal(backlog_floor(&backlog), 11);
    EXAMINE(&backlog, 13, 12);
    assert_int_equal(backlog_pending(&backlog, "a"), 0);
    assert_int_equal(backlog_floor(&backlog), 13);
    backlog_fini(&backlog);
}

static void out_of_order_batches_leave_a_gap_that_is_asked_for(void **state)
{
    struct backlog backlog = make(1, 0);
    uint64_t gaps[8];

    for (uint64_t i = 1; i <= 6; i++)
        read_message(&backlog, i, "a");
    EXAMINE(&backlog, 5, 1, 3, 5);
    assert_int_equal(backlog_pending(&backlog, "a"), 3);
    assert_int_equal(backlog_floor(&backlog), 1);
    assert_int_equal(backlog_gaps(&backlog, gaps, 8), 2);
    assert_int_equal(gaps[0], 2);
    assert_int_equal(gaps[1], 4);
    EXAMINE(&backlog, 6, 2, 4, 6);
    assert_int_equal(backlog_gaps(&backlog, gaps, 8), 0);
    assert_int_equal(backlog_floor(&backlog), 6);
    backlog_fini(&backlog);
}

static void many_gaps_are_asked_for_in_turn(void **state)
{
    struct backlog backlog = make(1, 0);
    uint64_t gaps[2];
    bool seen[8] = {false};

    EXAMINE(&backlog, 7, 2, 4, 6);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(backlog_gaps(&backlog, gaps, 2), 2);
        seen[gaps[0]] = seen[gaps[1]] = true;
    }
    assert_true(seen[1] && seen[3] && seen[5] && seen[7]);
    backlog_fini(&backlog);
}

static void a_fence_is_passed_only_without_a_gap_before_it(void **state)
{
    struct backlog backlog = make(3, 0);
    int64_t fence = ordinal_make(3, 4, 0);

    assert_false(has_passed(&backlog, fence));
    EXAMINE(&backlog, 5, 1, 2, 4, 5);
    assert_false(has_passed(&backlog, fence));
    EXAMINE(&backlog, 5, 3);
    assert_true(has_passed(&backlog, fence));
    assert_true(has_passed(&backlog, ordinal_make(2, 1000, 0))); /* of a stream that no longer exists */
    assert_false(has_passed(&backlog, ordinal_make(4, 1, 0)));
    backlog_fini(&backlog);
}

/* The fence is the last applied message, so it is the floor itself, and no message before it is missing. */
static void a_fence_that_is_the_floor_is_passed(void **state)
{
    struct backlog backlog = make(3, 3);

    EXAMINE(&backlog, 4, 4);
    assert_int_equal(backlog_floor(&backlog), 4);
    assert_true(has_passed(&backlog, ordinal_make(3, 4, 0)));
    assert_false(has_passed(&backlog, ordinal_make(3, 5, 0)));
    backlog_fini(&backlog);
}

static void pending_is_unknown_before_both_sources_have_reported(void **state)
{
    struct backlog backlog = {.created_ns = 0};

    assert_false(backlog_start(&backlog, CREATED, 1)); /* the floor is not known */
    assert_int_equal(backlog_pending(&backlog, "a"), -1);
    assert_false(has_passed(&backlog, ordinal_make(0, 0, 0)));
    assert_true(backlog_set_epoch(&backlog, 0, 0, 0)); /* the database knows no stream */
    assert_true(backlog_start(&backlog, CREATED, 1));
    read_message(&backlog, 1, "a");
    assert_int_equal(backlog_pending(&backlog, "a"), -1);
    backlog_set_caught_up(&backlog, true);
    assert_int_equal(backlog_pending(&backlog, "a"), 1);
    assert_int_equal(backlog.epoch, 1);
    assert_false(backlog_set_epoch(&backlog, 1, CREATED, 0)); /* a worker has registered it */
    assert_int_equal(backlog_pending(&backlog, "a"), 1);
    backlog_fini(&backlog);
}

static void a_newer_stream_starts_over(void **state)
{
    struct backlog backlog = make(1, 0);

    read_message(&backlog, 1, "aa");
    assert_true(backlog_start(&backlog, CREATED + 5, 1));
    assert_int_equal(backlog.epoch, 2);
    assert_int_equal(backlog_pending(&backlog, "a"), -1);
    backlog_set_caught_up(&backlog, true);
    read_message(&backlog, 1, "b");
    assert_int_equal(backlog_pending(&backlog, "a"), 0);
    assert_int_equal(backlog_pending(&backlog, "b"), 1);
    assert_false(backlog_set_epoch(&backlog, 1, CREATED, 1)); /* the database does not know it yet */
    assert_int_equal(backlog.epoch, 2);
    assert_true(has_passed(&backlog, ordinal_make(1, 1000, 0)));
    assert_false(backlog_start(&backlog, CREATED, 1)); /* an older stream is not read */
    backlog_fini(&backlog);
}

/* A database that knows less than before was restored from a backup. */
static void the_floor_of_a_restored_database_is_used(void **state)
{
    struct backlog backlog = make(1, 0);

    assert_true(backlog_set_epoch(&backlog, 2, CREATED + 5, 0));
    assert_false(backlog_start(&backlog, CREATED, 1));
    assert_true(backlog_set_epoch(&backlog, 1, CREATED, 3));
    assert_true(backlog_start(&backlog, CREATED, 1));
    assert_int_equal(backlog.epoch, 1);
    assert_int_equal(backlog_floor(&backlog), 3);
    backlog_fini(&backlog);
}

static void starting_again_counts_again(void **state)
{
    struct backlog backlog = make(1, 0);

    for (uint64_t i = 1; i <= 4; i++)
        read_message(&backlog, i, "a");
    EXAMINE(&backlog, 3, 1, 3);
    backlog_set_caught_up(&backlog, false);
    assert_int_equal(backlog_pending(&backlog, "a"), -1);
    assert_true(backlog_start(&backlog, CREATED, 1));
    assert_int_equal(backlog.read, 1);
    assert_int_equal(backlog.examined, 1);
    for (uint64_t i = 2; i <= 4; i++)
        read_message(&backlog, i, "a");
    backlog_set_caught_up(&backlog, true);
    EXAMINE(&backlog, 3, 3);
    assert_int_equal(backlog_pending(&backlog, "a"), 2);
    backlog_fini(&backlog);
}

static void messages_too_old_for_the_stream_are_not_pending(void **state)
{
    struct backlog backlog = make(1, 0);

    EXAMINE(&backlog, 5, 5);
    read_message(&backlog, 4, "a"); /* 1 to 3 are gone */
    assert_int_equal(backlog_pending(&backlog, "a"), 1);
    assert_int_equal(backlog_floor(&backlog), 3);
    assert_true(backlog_start(&backlog, CREATED, 100));
    assert_int_equal(backlog.read, 99);
    read_message(&backlog, 100, "a");
    EXAMINE(&backlog, 100, 5, 100);
    assert_int_equal(backlog_floor(&backlog), 100);
    backlog_fini(&backlog);
}

static void unreadable_messages_and_fences_are_waited_for(void **state)
{
    struct backlog backlog = make(1, 0);

    backlog_read(&backlog, 1, NULL, NULL, NULL);
    read_message(&backlog, 2, "");
    assert_int_equal(backlog_count(&backlog), 2);
    EXAMINE(&backlog, 2, 2);
    assert_int_equal(backlog_floor(&backlog), 0);
    EXAMINE(&backlog, 2, 1);
    assert_int_equal(backlog_floor(&backlog), 2);
    backlog_fini(&backlog);
}

static void a_message_given_twice_counts_once(void **state)
{
    struct backlog backlog = make(1, 0);

    read_message(&backlog, 1, "a");
    read_message(&backlog, 1, "a");
    EXAMINE(&backlog, 1, 1);
    EXAMINE(&backlog, 1, 1);
    read_message(&backlog, 1, "a");
    assert_int_equal(backlog_pending(&backlog, "a"), 0);
    backlog_fini(&backlog);
}

static void the_limit_stops_the_examination(void **state)
{
    struct backlog backlog = make(1, 0);

    backlog.limit = 3;
    EXAMINE(&backlog, 9, 2, 9);
    assert_int_equal(backlog_count(&backlog), 3); /* 1 3 4 */
    assert_int_equal(backlog.examined, 4);
    EXAMINE(&backlog, 9, 1, 3, 4, 9);
    assert_int_equal(backlog.examined, 7); /* 5 6 7 */
    backlog_fini(&backlog);
}

static void collect(void *arg, const char *poll)
{
    strcat(arg, poll);
}

static void names_the_polls_that_changed(void **state)
{
    struct backlog backlog = make(1, 0);
    struct ballot ballots[3] = {{.poll = "a"}, {.poll = "b"}, {.poll = "a"}};
    struct ballot_batch batch = {.n_ballots = 3, .ballots = ballots};
    const uint64_t applied[] = {1};
    char seen[16] = "";

    backlog_read(&backlog, 1, &batch, collect, seen);
    assert_string_equal(seen, "ab");
    backlog_examine(&backlog, 1, applied, 1, collect, seen);
    assert_string_equal(seen, "abab");
    backlog_fini(&backlog);
}

/* Compares random histories with the simplest possible account. */
static void agrees_with_a_recount(void **state)
{
    enum { N = 400 };
    unsigned seed = 7;

    for (int history = 0; history < 200; history++) {
        struct backlog backlog = make(1, 0);
        bool applied[N + 1] = {false};
        uint64_t read = 0, newest = 0;
        for (int step = 0; step < 300; step++) {
            switch (rand_r(&seed) % 3) {
            case 0: /* the reader goes on */
                if (read < N)
                    read_message(&backlog, ++read, "a");
                break;
            case 1: { /* a worker applies something near the end */
                uint64_t at = 1 + (uint64_t)rand_r(&seed) % (newest + 4);
                if (at <= N) {
                    applied[at] = true;
                    newest = at > newest ? at : newest;
                }
                break;
            }
            default: { /* the applied batches are examined */
                uint64_t found[N], gaps[N];
                size_t n = 0, n_gaps = backlog_gaps(&backlog, gaps, N);
                for (uint64_t i = 1; i <= N; i++) {
                    bool asked = i > backlog.examined;
                    for (size_t j = 0; j < n_gaps; j++)
                        asked = asked || gaps[j] == i;
                    if (asked && applied[i])
                        found[n++] = i;
                }
                uint64_t up_to = n > 0 && found[n - 1] > backlog.examined ? found[n - 1] : backlog.examined;
                examine(&backlog, up_to, n, found);
                uint64_t floor = 0;
                while (floor < N && applied[floor + 1])
                    floor++;
                assert_int_equal(backlog_floor(&backlog), floor);
                int64_t pending = 0;
                for (uint64_t i = 1; i <= read; i++)
                    pending += !applied[i];
                assert_int_equal(backlog_pending(&backlog, "a"), pending);
            }
            }
        }
        backlog_fini(&backlog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_was_read_and_not_applied),
        cmocka_unit_test(applied_before_it_is_read_is_never_pending),
        cmocka_unit_test(out_of_order_batches_leave_a_gap_that_is_asked_for),
        cmocka_unit_test(many_gaps_are_asked_for_in_turn),
        cmocka_unit_test(a_fence_is_passed_only_without_a_gap_before_it),
        cmocka_unit_test(a_fence_that_is_the_floor_is_passed),
        cmocka_unit_test(pending_is_unknown_before_both_sources_have_reported),
        cmocka_unit_test(a_newer_stream_starts_over),
        cmocka_unit_test(the_floor_of_a_restored_database_is_used),
        cmocka_unit_test(starting_again_counts_again),
        cmocka_unit_test(messages_too_old_for_the_stream_are_not_pending),
        cmocka_unit_test(unreadable_messages_and_fences_are_waited_for),
        cmocka_unit_test(a_message_given_twice_counts_once),
        cmocka_unit_test(the_limit_stops_the_examination),
        cmocka_unit_test(names_the_polls_that_changed),
        cmocka_unit_test(agrees_with_a_recount),
    };
    return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
