/* test_status - the tables of status and of problem are complete, and details get their context.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "http/problem.h"
#include "unit.h"

static const enum status all[] = {
#define STATUS_VALUE(name, text) ST_##name,
    STATUS_TABLE(STATUS_VALUE)
#undef STATUS_VALUE
};

static void every_status_has_a_text(void **state)
{
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_int_equal(all[i], i);
        assert_true(strlen(status_text(all[i])) > 3);
    }
}

static void a_detail_is_written_and_wrapped_once_per_layer(void **state)
{
    struct errmsg err;
    assert_int_equal(fail(&err, ST_DB_DOWN, "port %d is closed", 5432), ST_DB_DOWN);
    assert_string_equal(err.text, "port 5432 is closed");
    assert_int_equal(fail_within(&err, ST_DB_DOWN, "store a batch"), ST_DB_DOWN);
    assert_string_equal(err.text, "store a batch: port 5432 is closed");
}

static void a_detail_that_is_too_long_is_cut(void **state)
{
    struct errmsg err;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(fail(&err, ST_IO, "%s", text), ST_IO);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(fail_within(&err, ST_IO, text), ST_IO);
    assert_true(strlen(err.text) < sizeof(err.text));
}

static void nobody_has_to_want_the_detail(void **state)
{
    assert_int_equal(fail(NULL, ST_IO, "x"), ST_IO);
    assert_int_equal(fail_within(NULL, ST_IO, "x"), ST_IO);
}

static void every_problem_has_a_slug_a_code_and_a_title(void **state)
{
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        enum problem problem = (enum problem)i;
        const char *slug = problem_slug(problem);
        CHECK_ROW(strlen(slug) != 0 && strspn(slug, "abcdefghijklmnopqrstuvwxyz-") == strlen(slug), "%d", i);
        CHECK_ROW(problem_code(problem) >= 400 && problem_code(problem) < 600, "%s", slug);
        const char *title = problem_title(problem);
        CHECK_ROW(strlen(title) > 5 && title[strlen(title) - 1] != '.', "%s", slug);
    }
}

/* The slug is the stable name of a problem: two must never share one. */
static void no_two_problems_share_a_slug(void **state)
{
    for (int i = 0; i < PROBLEM_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(problem_slug((enum problem)i), problem_slug((enum problem)j));
}

static void well_known_problems_have_their_codes(void **state)
{
    assert_int_equal(problem_code(PROBLEM_INVALID_JSON), 400);
    assert_int_equal(problem_code(PROBLEM_UNAUTHORIZED), 401);
    assert_int_equal(problem_code(PROBLEM_POLL_NOT_FOUND), 404);
    assert_int_equal(problem_code(PROBLEM_METHOD_NOT_ALLOWED), 405);
    assert_int_equal(problem_code(PROBLEM_POLL_CLOSED), 409);
    assert_int_equal(problem_code(PROBLEM_PAYLOAD_TOO_LARGE), 413);
    assert_int_equal(problem_code(PROBLEM_UNSUPPORTED_MEDIA_TYPE), 415);
    assert_int_equal(problem_code(PROBLEM_NOT_RECORDED), 503);
    assert_string_equal(problem_slug(PROBLEM_POLL_NOT_FOUND), "poll-not-found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(a_detail_is_written_and_wrapped_once_per_layer),
        cmocka_unit_test(a_detail_that_is_too_long_is_cut),
        cmocka_unit_test(nobody_has_to_want_the_detail),
        cmocka_unit_test(every_problem_has_a_slug_a_code_and_a_title),
        cmocka_unit_test(no_two_problems_share_a_slug),
        cmocka_unit_test(well_known_problems_have_their_codes),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
