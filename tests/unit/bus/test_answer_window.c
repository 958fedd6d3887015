/* Tests of answer_window: whatever order answers come in, they are taken in that of the questions.
 * SPDX-License-Identifier: MIT */
#include "answer_window.h"

#include "unit.h"

static char answers[100];

static void answers_are_taken_in_the_order_of_the_questions(void **state)
{
    struct answer_window window = {.asked = 3};

    assert_true(answer_window_keep(&window, 2, &answers[2]));
    assert_null(answer_window_take(&window));
    assert_true(answer_window_keep(&window, 0, &answers[0]));
    assert_ptr_equal(answer_window_take(&window), &answers[0]);
    assert_null(answer_window_take(&window));
    assert_true(answer_window_keep(&window, 1, &answers[1]));
    assert_ptr_equal(answer_window_take(&window), &answers[1]);
    assert_ptr_equal(answer_window_take(&window), &answers[2]);
    assert_null(answer_window_take(&window));
}

static void what_nobody_asked_and_what_comes_twice_is_refused(void **state)
{
    struct answer_window window = {.asked = 2};

    assert_false(answer_window_keep(&window, 2, &answers[2]));
    assert_true(answer_window_keep(&window, 1, &answers[1]));
    assert_false(answer_window_keep(&window, 1, &answers[1]));
    assert_true(answer_window_keep(&window, 0, &answers[0]));
    assert_ptr_equal(answer_window_take(&window), &answers[0]);
    assert_false(answer_window_keep(&window, 0, &answers[0]));
}

static void it_is_full_with_as_many_as_it_has_room_for(void **state)
{
    struct answer_window window = {.asked = 0};

    for (uint64_t n = 0; n < 50; n++) { /* several times around */
        window.asked = n + ANSWER_WINDOW;
        assert_true(answer_window_is_full(&window));
        assert_true(answer_window_keep(&window, n, &answers[n]));
        assert_ptr_equal(answer_window_take(&window), &answers[n]);
        assert_false(answer_window_is_full(&window));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_in_the_order_of_the_questions),
        cmocka_unit_test(what_nobody_asked_and_what_comes_twice_is_refused),
        cmocka_unit_test(it_is_full_with_as_many_as_it_has_room_for),
    };
    return cmocka_run_group_tests_name("answer_window", tests, NULL, NULL);
}
