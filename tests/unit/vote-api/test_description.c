/* The problem types as docs/openapi.yaml describes them against the table that the services answer from.
 * SPDX-License-Identifier: MIT */
#include "unit.h"

#include "description_data.h"
#include "http/problem.h"

static void every_problem_type_is_described_as_it_is(void **state)
{
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const char *slug = problem_slug((enum problem)i);
        const struct description_problem *found = NULL;
        for (size_t j = 0; j < description_n_problems; j++)
            if (strcmp(description_problems[j].slug, slug) == 0)
                found = &description_problems[j];
        if (found == NULL)
            fail_test("docs/openapi.yaml does not describe %s", slug);
        assert_string_equal(found->title, problem_title((enum problem)i));
        assert_int_equal(found->code, problem_code((enum problem)i));
    }
    assert_int_equal(description_n_problems, PROBLEM_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_type_is_described_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
