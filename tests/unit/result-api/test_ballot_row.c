/* Tests of result-api's ballot_row: the columns of each method, and ids that look like formulas.
 * SPDX-License-Identifier: MIT */
#include "export/ballot_row.h"

#include "base/alloc.h"
#include "unit.h"

static const char *const ids[] = {"a", "-b", "c"};

/* Compares the header and the rows of these ballots with the expected file. */
static void assert_file(enum poll_method method, unsigned max_choices, const char *const *ballots, size_t n,
                        const char *expected)
{
    struct poll *poll = poll_new();
    struct option_index options;
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    poll->method = method;
    poll->max_choices = max_choices;
    poll->n_options = COUNT_OF(ids);
    poll->options = alloc_items(COUNT_OF(ids), sizeof(*poll->options));
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        strcpy(poll->options[i].id, ids[i]);
        poll->options[i].label = alloc_copy("");
    }
    option_index_init(&options, poll);
    ballot_row_write_header(poll, to);
    for (size_t i = 0; i < n; i++)
        ballot_row_write(&options, ballots[i], to);
    fclose(to);
    assert_string_equal(text, expected);
    free(text);
    option_index_fini(&options);
    poll_release(poll);
}

#define BALLOTS(...) (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))

static void plurality_has_the_choice(void **state)
{
    assert_file(METHOD_PLURALITY, 1, BALLOTS("a", "-b"), "choice\r\n\"a\"\r\n\"'-b\"\r\n");
}

static void approval_has_a_mark_for_each_option(void **state)
{
    assert_file(METHOD_APPROVAL, 3, BALLOTS("a", "-b c", "a -b c"),
                "\"a\",\"'-b\",\"c\"\r\n1,0,0\r\n0,1,1\r\n1,1,1\r\n");
}

static void ranked_has_a_column_for_each_rank(void **state)
{
    assert_file(METHOD_RANKED, 3, BALLOTS("c", "-b>a", "c>a>-b"),
                "rank_1,rank_2,rank_3\r\n\"c\",,\r\n\"'-b\",\"a\",\r\n\"c\",\"a\",\"'-b\"\r\n");
    assert_file(METHOD_RANKED, 2, BALLOTS("c"), "rank_1,rank_2\r\n\"c\",\r\n");
}

static void an_option_without_a_score_is_empty_and_no_0(void **state)
{
    assert_file(METHOD_SCORE, 3, BALLOTS("a=5", "a=0 -b=3 c=1"), "\"a\",\"'-b\",\"c\"\r\n5,,\r\n0,3,1\r\n");
}

static void options_that_the_poll_lacks_are_left_out(void **state)
{
    assert_file(METHOD_PLURALITY, 1, BALLOTS("x", "a c"), "choice\r\n\"\"\r\n\"\"\r\n");
    assert_file(METHOD_APPROVAL, 3, BALLOTS("x c", ""), "\"a\",\"'-b\",\"c\"\r\n0,0,1\r\n0,0,0\r\n");
    assert_file(METHOD_RANKED, 3, BALLOTS("x>c", "x", "a>-b>c>a"),
                "rank_1,rank_2,rank_3\r\n\"c\",,\r\n,,\r\n\"a\",\"'-b\",\"c\"\r\n");
    assert_file(METHOD_SCORE, 3, BALLOTS("x=1 c=6", "a=12 c= -b"), "\"a\",\"'-b\",\"c\"\r\n,,\r\n,,\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plurality_has_the_choice),
        cmocka_unit_test(approval_has_a_mark_for_each_option),
        cmocka_unit_test(ranked_has_a_column_for_each_rank),
        cmocka_unit_test(an_option_without_a_score_is_empty_and_no_0),
        cmocka_unit_test(options_that_the_poll_lacks_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
