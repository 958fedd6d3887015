/* Tests of the worker's marks: when a ballot counts, whatever order the marks come in, held against a plain replay.
 * SPDX-License-Identifier: MIT */
#include "ballot/marks.h"

#include "unit.h"

struct row {
    const char *poll;
    struct mark mark;
};

#define FENCE(at, in_term)                                                                                             \
    {                                                                                                                  \
        .ordinal = (at), .term = (in_term)                                                                             \
    }
#define GATE(at, in_term)                                                                                              \
    {                                                                                                                  \
        .ordinal = (at), .term = (in_term), .opens = true                                                              \
    }

static void an_empty_book_has_every_poll_open(void **state)
{
    struct marks marks = {0};
    assert_true(marks_is_open(&marks, "demo", 1, 0));
    struct marks_state at_end = marks_state(&marks, "demo");
    assert_int_equal(at_end.fence, 0);
    assert_int_equal(at_end.newest, 0);
    marks_fini(&marks);
}

/* One line a mark; what is open is a run of ordinals from..to that follows from all of them. */
static void the_first_fence_of_a_term_closes_and_a_gate_of_a_higher_one_opens(void **state)
{
    static const struct {
        const char *what;
        struct mark marks[6];
        const char *open; /* ordinals 0 to 9 */
        struct marks_state end;
    } rows[] = {
        {"one fence", {FENCE(5, 0)}, "1111100000", {5, 0, 5}},
        {"every instance's fence", {FENCE(3, 0), FENCE(4, 0), FENCE(7, 0)}, "1110000000", {3, 0, 3}},
        {"opened again", {FENCE(3, 0), GATE(6, 1)}, "1110001111", {0, 1, 6}},
        {"a late fence behind the gate", {FENCE(3, 0), GATE(6, 1), FENCE(7, 0)}, "1110001111", {0, 1, 6}},
        {"closed again", {FENCE(2, 0), GATE(4, 1), FENCE(6, 1), FENCE(8, 1)}, "1100110000", {6, 1, 6}},
        {"a gate twice", {FENCE(2, 0), GATE(4, 1), FENCE(6, 1), GATE(8, 1)}, "1100110000", {6, 1, 6}},
        {"opened again before the fence came", {GATE(3, 1), FENCE(4, 0), FENCE(7, 1)}, "1111111000", {7, 1, 7}},
        {"three terms", {FENCE(1, 0), GATE(2, 1), FENCE(4, 1), GATE(5, 2), FENCE(8, 2)}, "1011011100", {8, 2, 8}},
        {"a gate that the stream lost", {FENCE(2, 0), FENCE(5, 1)}, "1100000000", {5, 1, 5}},
        {"a fence of a term to come", {FENCE(4, 3), GATE(6, 2), GATE(8, 4)}, "1111000011", {0, 4, 8}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct marks marks = {0};
        for (size_t k = 0; k < COUNT_OF(rows[i].marks) && rows[i].marks[k].ordinal != 0; k++)
            marks_add(&marks, "demo", &rows[i].marks[k]);
        for (int64_t at = 0; at < 10; at++)
            CHECK_ROW(marks_is_open(&marks, "demo", at, 0) == (rows[i].open[at] == '1'), "%s at %d", rows[i].what,
                      (int)at);
        struct marks_state end = marks_state(&marks, "demo");
        CHECK_ROW(end.fence == rows[i].end.fence && end.term == rows[i].end.term && end.newest == rows[i].end.newest,
                  "%s: fence %d term %u newest %d", rows[i].what, (int)end.fence, end.term, (int)end.newest);
        assert_true(marks_is_open(&marks, "other", 9, 0));
        marks_fini(&marks);
    }
}

/* The stream was made anew: the book has the fence of the old one, and the gate went with it. */
static void a_ballot_of_a_term_whose_gate_was_lost_counts_until_the_fence_of_that_term(void **state)
{
    static const struct mark rows[] = {FENCE(2, 0), FENCE(6, 1), GATE(8, 3)};
    static const char *const open[] = {"1100000011", "1111110011", "1111111111", "1111111111"}; /* by term */
    struct marks marks = {0};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        marks_add(&marks, "demo", &rows[i]);
    for (unsigned term = 0; term < COUNT_OF(open); term++)
        for (int64_t at = 0; at < 10; at++)
            CHECK_ROW(marks_is_open(&marks, "demo", at, term) == (open[term][at] == '1'), "term %u at %d", term,
                      (int)at);
    marks_fini(&marks);
}

static void a_batch_that_changes_nothing_is_not_kept(void **state)
{
    static const struct {
        struct ballot_batch batch;
        bool kept;
    } rows[] = {
        {{.fence_poll = "demo"}, true},
        {{.fence_poll = "demo"}, false}, /* every vote-api's, and again after each restart */
        {{.gate_poll = "demo", .term = 1}, true},
        {{.gate_poll = "demo", .term = 1}, false},
        {{.fence_poll = "demo"}, false}, /* of a term that is over */
        {{.fence_poll = "demo", .term = 1}, true},
        {{.fence_poll = "other"}, true},
    };
    struct marks marks = {0};
    for (int times = 0; times < 2; times++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            const char *id = rows[i].batch.gate_poll[0] != '\0' ? rows[i].batch.gate_poll : rows[i].batch.fence_poll;
            marks_add_batch(&marks, &rows[i].batch, 10 * (int64_t)i + 1);
            CHECK_ROW(marks_has(&marks, id, 10 * (int64_t)i + 1) == rows[i].kept, "row %zu", i);
        }
    }
    assert_false(marks_has(&marks, "demo", 2));
    assert_false(marks_has(&marks, "nowhere", 1));
    assert_int_equal(marks_state(&marks, "demo").fence, 51);
    marks_fini(&marks);
}

static void a_batch_is_a_fence_a_gate_or_neither(void **state)
{
    struct marks marks = {0};
    struct ballot_batch ballots = {.n_ballots = 1}, fence = {.fence_poll = "demo"},
                        gate = {.gate_poll = "demo", .term = 1};
    marks_add_batch(&marks, &ballots, 1);
    assert_int_equal(marks.n, 0);
    marks_add_batch(&marks, &fence, 2);
    assert_false(marks_is_open(&marks, "demo", 3, 0));
    marks_add_batch(&marks, &gate, 4);
    assert_true(marks_is_open(&marks, "demo", 5, 0));
    marks_fini(&marks);
}

/* --- against a replay that knows nothing of books: the stream from its start, message by message */

#define POLLS 4
#define MARKS 40

static bool replay_is_open(const struct row *rows, size_t n, const char *poll, int64_t ordinal, unsigned cast_in)
{
    unsigned term = 0;
    bool open = true;
    for (int64_t at = 0; at <= ordinal; at++) {
        for (size_t i = 0; i < n; i++) {
            if (rows[i].mark.ordinal != at || strcmp(rows[i].poll, poll) != 0)
                continue;
            if (rows[i].mark.opens && rows[i].mark.term > term) {
                open = true;
                term = rows[i].mark.term;
            } else if (!rows[i].mark.opens && rows[i].mark.term >= term) {
                open = false;
                term = rows[i].mark.term;
            }
        }
    }
    return open || cast_in > term;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void any_order_of_adding_gives_what_a_replay_gives(void **state)
{
    static const char *const ids[POLLS] = {"a", "b", "demo", "z"};
    uint32_t seed = 7;
    for (int round = 0; round < 300; round++) {
        struct row rows[MARKS];
        struct marks marks = {0};
        for (size_t i = 0; i < MARKS; i++) /* one mark a message, at the ordinals 2, 4, 6, … */
            rows[i] = (struct row){
                ids[next_random(&seed) % POLLS],
                {.ordinal = 2 * (int64_t)i + 2, .term = next_random(&seed) % 5, .opens = next_random(&seed) % 2 == 0}};
        for (size_t i = MARKS; i > 0; i--) {
            size_t k = next_random(&seed) % i;
            struct row swap = rows[k];
            rows[k] = rows[i - 1];
            rows[i - 1] = swap;
        }
        for (size_t i = 0; i < MARKS; i++)
            for (uint32_t times = next_random(&seed) % 2 + 1; times > 0; times--)
                marks_add(&marks, rows[i].poll, &rows[i].mark);
        for (size_t p = 0; p < POLLS; p++) {
            for (int64_t at = 1; at < 2 * MARKS + 4; at += 2)
                for (unsigned term = 0; term < 5; term++)
                    CHECK_ROW(marks_is_open(&marks, ids[p], at, term) == replay_is_open(rows, MARKS, ids[p], at, term),
                              "%d %s %d %u", round, ids[p], (int)at, term);
            assert_true((marks_state(&marks, ids[p]).fence == 0) ==
                        replay_is_open(rows, MARKS, ids[p], 2 * MARKS + 3, 0));
        }
        marks_fini(&marks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_book_has_every_poll_open),
        cmocka_unit_test(the_first_fence_of_a_term_closes_and_a_gate_of_a_higher_one_opens),
        cmocka_unit_test(a_ballot_of_a_term_whose_gate_was_lost_counts_until_the_fence_of_that_term),
        cmocka_unit_test(a_batch_that_changes_nothing_is_not_kept),
        cmocka_unit_test(a_batch_is_a_fence_a_gate_or_neither),
        cmocka_unit_test(any_order_of_adding_gives_what_a_replay_gives),
    };
    return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
