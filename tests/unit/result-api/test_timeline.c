/* Tests of result-api's timeline: no gaps, JSON and CSV.
 * SPDX-License-Identifier: MIT */
#include "export/timeline.h"

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

static void gaps_are_filled_with_empty_buckets(void **state)
{
    struct timeline timeline, kept = {.step_s = 5, .peak_s = START + 25, .peak_received = 3, .revisions = 1};
    timeline_add(&kept, START + 5, 2, 1);
    timeline_add(&kept, START + 25, 3, 3);
    timeline_add(&kept, START + 30, 1, 1);
    timeline_fold(&kept, 10, 10, &timeline);
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
    timeline_fini(&kept);
}

/* Two ballots `span_s` apart, which the database gives in steps of `source_s`: the step that is served, and that
 * nothing is lost. */
static void assert_step(int64_t source_s, int64_t span_s, int64_t wanted_s, int64_t most, int64_t served_s)
{
    struct timeline source = {.step_s = source_s}, folded;

    timeline_add(&source, START / source_s * source_s, 2, 1);
    timeline_add(&source, (START + span_s) / source_s * source_s, 5, 3);
    timeline_fold(&source, wanted_s, most, &folded);
    CHECK_ROW(folded.step_s == served_s, "%lld in steps of %lld, %lld wanted: %lld", (long long)span_s,
              (long long)source_s, (long long)wanted_s, (long long)folded.step_s);
    assert_true(folded.n_buckets <= (size_t)most);
    int64_t received = 0, counted = 0;
    for (size_t i = 0; i < folded.n_buckets; i++) {
        assert_int_equal(folded.buckets[i].at_s, folded.buckets[0].at_s + (int64_t)i * served_s);
        received += folded.buckets[i].received;
        counted += folded.buckets[i].counted;
    }
    assert_int_equal(received, 7);
    assert_int_equal(counted, 4);
    assert_int_equal(folded.buckets[0].at_s % served_s, 0);
    timeline_fini(&folded);
    timeline_fini(&source);
}

static void the_step_is_the_one_asked_for_where_it_can_be(void **state)
{
    assert_step(5, 60, 5, 2000, 5);
    assert_step(5, 600, 95, 2000, 95);
    assert_step(5, 9995, 5, 2000, 5);   /* 2,000 buckets */
    assert_step(5, 10000, 5, 2000, 10); /* one too many */
    assert_step(5, 10000, 95, 2000, 95);
    assert_step(5, 3600, 5, 360, 15);
    assert_step(30, 600000, 305, 2000, 330); /* a multiple of the source's step */
    assert_step(30, 600000, 5, 2000, 600);
    assert_step(60, 30 * 86400, 5, 2000, 1800);
    assert_step(86400, INT64_C(86400) * 19000, 5, 2000, 864000);
    assert_step(5, 60, 31536000, 2000, 31536000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_without_ballots_has_no_bucket_and_no_peak),
        cmocka_unit_test(gaps_are_filled_with_empty_buckets),
        cmocka_unit_test(the_step_is_the_one_asked_for_where_it_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
