/* Tests of result-api's timeline: no gaps, and what JSON and CSV say.
 * SPDX-License-Identifier: MIT */
#include "timeline.h"

#include "unit.h"

#define START INT64_C(1769860800) /* 2026-01-31T12:00:00Z */

static void assert_renders(const struct timeline *timeline, const char *json, const char *csv)
{
    size_t json_len, csv_len;
    char *as_json = timeline_render_json(timeline, "demo", &json_len),
         *as_csv = timeline_render_csv(timeline, &csv_len);
    assert_string_equal(as_json, json);
    assert_string_equal(as_csv, csv);
    assert_int_equal(json_len, strlen(json));
    assert_int_equal(csv_len, strlen(csv));
    free(as_json);
    free(as_csv);
}

static void a_poll_without_ballots_has_no_bucket_and_no_peak(void **state)
{
    struct timeline timeline = {.step_s = 5};
    assert_renders(&timeline, "{\"poll\":\"demo\",\"step_s\":5,\"buckets\":[],\"peak\":null,\"revisions\":0}",
                   "at,received,counted\r\n");
    timeline_fini(&timeline);
}

static void what_lies_between_two_buckets_is_filled_with_empty_ones(void **state)
{
    struct timeline timeline = {.step_s = 10, .peak_s = START + 25, .peak_received = 3, .revisions = 1};
    timeline_add(&timeline, START, 2, 1);
    timeline_add(&timeline, START + 20, 3, 3);
    timeline_add(&timeline, START + 30, 1, 1);
    assert_renders(&timeline,
                   "{\"poll\":\"demo\",\"step_s\":10,\"buckets\":["
                   "{\"at\":\"2026-01-31T12:00:00.000Z\",\"received\":2,\"counted\":1},"
                   "{\"at\":\"2026-01-31T12:00:10.000Z\",\"received\":0,\"counted\":0},"
                   "{\"at\":\"2026-01-31T12:00:20.000Z\",\"received\":3,\"counted\":3},"
                   "{\"at\":\"2026-01-31T12:00:30.000Z\",\"received\":1,\"counted\":1}],"
                   "\"peak\":{\"at\":\"2026-01-31T12:00:25.000Z\",\"per_second\":0.6},\"revisions\":1}",
                   "at,received,counted\r\n2026-01-31T12:00:00.000Z,2,1\r\n2026-01-31T12:00:10.000Z,0,0\r\n"
                   "2026-01-31T12:00:20.000Z,3,3\r\n2026-01-31T12:00:30.000Z,1,1\r\n");
    timeline_fini(&timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_without_ballots_has_no_bucket_and_no_peak),
        cmocka_unit_test(what_lies_between_two_buckets_is_filled_with_empty_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
