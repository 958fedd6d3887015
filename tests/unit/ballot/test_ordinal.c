/* Tests of ordinal: the order of ballots, its limits, and which of two ballots stands.
 * SPDX-License-Identifier: MIT */
#include "ballot/ordinal.h"

#include "ballot/wire.h"
#include "unit.h"

static void the_parts_come_out_as_they_went_in(void **state)
{
    static const struct {
        unsigned epoch;
        uint64_t sequence;
        unsigned index;
    } rows[] = {
        {0, 0, 0},
        {1, 1, 0},
        {1, 1, 1},
        {7, 123456789, 4095},
        {ORDINAL_EPOCH_MAX, ORDINAL_SEQUENCE_MAX, ORDINAL_INDEX_MAX},
        {ORDINAL_EPOCH_MAX, 0, 0},
        {0, ORDINAL_SEQUENCE_MAX, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ordinal = ordinal_make(rows[i].epoch, rows[i].sequence, rows[i].index);
        assert_true(ordinal >= 0);
        assert_int_equal(ordinal_epoch(ordinal), rows[i].epoch);
        assert_int_equal(ordinal_sequence(ordinal), rows[i].sequence);
        assert_int_equal(ordinal_index(ordinal), rows[i].index);
    }
}

static void later_ballots_have_higher_ordinals(void **state)
{
    /* Each is later than the one before it. */
    const int64_t order[] = {
        ordinal_make(0, 1, 0),
        ordinal_make(0, 1, 1),
        ordinal_make(0, 1, ORDINAL_INDEX_MAX),
        ordinal_make(0, 2, 0),
        ordinal_make(0, ORDINAL_SEQUENCE_MAX, ORDINAL_INDEX_MAX),
        ordinal_make(1, 0, 0), /* a new stream begins again at 1, and is later all the same */
        ordinal_make(1, 1, 0),
        ordinal_make(ORDINAL_EPOCH_MAX, ORDINAL_SEQUENCE_MAX, ORDINAL_INDEX_MAX),
    };
    for (size_t i = 1; i < COUNT_OF(order); i++)
        assert_true(order[i - 1] < order[i]);
}

static void the_highest_ordinal_is_the_highest_number_of_the_database(void **state)
{
    assert_true(ordinal_make(ORDINAL_EPOCH_MAX, ORDINAL_SEQUENCE_MAX, ORDINAL_INDEX_MAX) == INT64_MAX);
}

static void the_later_ballot_stands_where_a_poll_may_be_revised(void **state)
{
    int64_t early = ordinal_make(1, 10, 3), late = ordinal_make(1, 11, 0);
    assert_true(ordinal_precedence(late, true) > ordinal_precedence(early, true));
}

static void the_earlier_ballot_stands_where_the_first_is_final(void **state)
{
    int64_t early = ordinal_make(1, 10, 3), late = ordinal_make(1, 11, 0);
    assert_true(ordinal_precedence(early, false) > ordinal_precedence(late, false));
    assert_true(ordinal_precedence(INT64_MAX, false) > INT64_MIN); /* no overflow */
}

static void a_whole_batch_has_room_in_the_index(void **state)
{
    assert_int_equal(BATCH_BALLOTS_MAX, ORDINAL_INDEX_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_come_out_as_they_went_in),
        cmocka_unit_test(later_ballots_have_higher_ordinals),
        cmocka_unit_test(the_highest_ordinal_is_the_highest_number_of_the_database),
        cmocka_unit_test(the_later_ballot_stands_where_a_poll_may_be_revised),
        cmocka_unit_test(the_earlier_ballot_stands_where_the_first_is_final),
        cmocka_unit_test(a_whole_batch_has_room_in_the_index),
    };
    return cmocka_run_group_tests_name("ordinal", tests, NULL, NULL);
}
