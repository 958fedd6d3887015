/* Tests of clock: date-times as RFC 3339 has them, and what is none.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include "unit.h"

static void known_times_are_written_in_utc_with_milliseconds(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1769860800123, "2026-01-31T12:00:00.123Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[CLOCK_TEXT];
        clock_format_ms(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void date_times_with_any_offset_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-31T12:00:00.123Z", 1769860800123},
        {"2026-01-31t12:00:00.123z", 1769860800123},
        {"2026-01-31T13:00:00.123+01:00", 1769860800123},
        {"2026-01-31T06:30:00.123-05:30", 1769860800123},
        {"2026-02-01T02:00:00+14:00", 1769860800000},
        {"2026-01-31T12:00:00.1Z", 1769860800100},
        {"2026-01-31T12:00:00.1239999999999999999999Z", 1769860800123},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2024-02-29T23:59:59Z", 1709251199000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"9999-12-31T22:59:59.999-01:00", 253402300799999},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(clock_parse_ms(rows[i].text) == rows[i].ms, "%s", rows[i].text);
}

static void text_that_is_no_date_time_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",  /* without an offset it is no instant */
        "2026-01-31 12:00:00Z", /* RFC 3339 section 5.6 allows it by agreement only */
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+1",
        "2026-01-31T12:00:00Z ",
        " 2026-01-31T12:00:00Z",
        "2026-1-31T12:00:00Z",
        "+026-01-31T12:00:00Z",
        "20260131T120000Z",
        "1969-12-31T23:59:59Z", /* before 1970 */
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-23:59", /* the year 10000 in UTC, which nobody could write again */
        "9999-12-31T23:59:59.999-00:01",
        "9999-12-31T23:59:60Z",
        "2026-01-31T12:00:00\xc3\xa9",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(clock_parse_ms(rows[i]) == -1, "%s", rows[i]);
}

static void what_is_written_is_read_back(void **state)
{
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int64_t ms = (int64_t)(random % 253402300800000u);
        char text[CLOCK_TEXT];
        clock_format_ms(ms, text);
        CHECK_ROW(clock_parse_ms(text) == ms, "%s", text);
    }
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    int64_t before = clock_mono_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(clock_mono_ms() >= before / 1000000);
    assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_written_in_utc_with_milliseconds),
        cmocka_unit_test(date_times_with_any_offset_are_read),
        cmocka_unit_test(text_that_is_no_date_time_is_refused),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
