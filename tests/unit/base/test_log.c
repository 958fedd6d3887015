/* Tests of log: each line is one JSON object, whatever the values are.
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/clock.h"
#include "capture.h"
#include "unit.h"
#include <errno.h>
#include <jansson.h>

/* The one line that text must be, as JSON. */
static json_t *parse_line(const char *text)
{
    json_error_t error;
    size_t len = strlen(text);
    if (len == 0 || text[len - 1] != '\n' || strchr(text, '\n') != text + len - 1)
        fail_test("not one line: %s", text);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_test("%s: %s", error.text, text);
    return json;
}

static const char *string_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static void a_line_has_time_level_service_event_and_fields(void **state)
{
    struct capture capture;
    int64_t before = clock_wall_ms();

    log_init("worker", LOG_INFO);
    capture_start(&capture);
    log_info("batch stored", LOG_I("ballots", 12), LOG_S("poll", "demo"), LOG_I("lowest", INT64_MIN));
    char *text = capture_stop(&capture);

    json_t *json = parse_line(text);
    int64_t at = clock_parse_ms(string_of(json, "at"));
    assert_true(at >= before && at <= clock_wall_ms());
    assert_string_equal(string_of(json, "level"), "info");
    assert_string_equal(string_of(json, "service"), "worker");
    assert_string_equal(string_of(json, "event"), "batch stored");
    assert_int_equal(json_integer_value(json_object_get(json, "ballots")), 12);
    assert_string_equal(string_of(json, "poll"), "demo");
    assert_int_equal(json_integer_value(json_object_get(json, "lowest")), INT64_MIN);
    json_decref(json);
    free(text);
}

static void the_fields_come_in_the_order_of_the_header(void **state)
{
    struct capture capture;
    capture_start(&capture);
    log_warn("slow", LOG_I("ms", 3));
    char *text = capture_stop(&capture);
    assert_int_equal(strncmp(text, "{\"at\":\"", 7), 0);
    assert_contains(text, "Z\",\"level\":\"warn\",\"service\":\"worker\",\"event\":\"slow\",\"ms\":3}\n");
    free(text);
}

static void every_text_comes_back_as_it_went_in(void **state)
{
    static const char *const rows[] = {
        "",
        "plain",
        "quote \" backslash \\ slash /",
        "line\nbreak\r\ttab\b\f",
        "\x01\x02\x1f\x7f",
        "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88",
        "{\"not\":\"json\"}\n{\"level\":\"error\"}", /* nobody forges a second line */
        "\xe2\x80\xa8\xe2\x80\xa9",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct capture capture;
        capture_start(&capture);
        log_info(rows[i], LOG_S("value", rows[i]));
        char *text = capture_stop(&capture);
        json_t *json = parse_line(text);
        assert_string_equal(string_of(json, "value"), rows[i]);
        assert_string_equal(string_of(json, "event"), rows[i]);
        json_decref(json);
        free(text);
    }
}

static void control_characters_are_escaped_as_rfc_8259_says(void **state)
{
    struct capture capture;
    capture_start(&capture);
    log_info("\"\\\n\r\t\x01\x7f");
    char *text = capture_stop(&capture);
    assert_contains(text, "\"event\":\"\\\"\\\\\\n\\r\\t\\u0001\\u007f\"");
    free(text);
}

#define FFFD "\xef\xbf\xbd"

static void invalid_utf8_is_replaced(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"\xff", FFFD},
        {"a\x80z", "a" FFFD "z"},
        {"\xc3", FFFD},
        {"\xc3\"", FFFD "\""},
        {"\xc0\xaf", FFFD FFFD},
        {"\xe2\x82", FFFD FFFD},
        {"\xed\xa0\x80", FFFD FFFD FFFD},
        {"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
        {"ok \xc3\xa9 \xe9 ok", "ok \xc3\xa9 " FFFD " ok"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct capture capture;
        capture_start(&capture);
        log_info("x", LOG_S("value", rows[i].text));
        char *text = capture_stop(&capture);
        json_t *json = parse_line(text);
        assert_string_equal(string_of(json, "value"), rows[i].expected);
        json_decref(json);
        free(text);
    }
}

static void a_value_that_is_too_long_is_cut_and_the_line_stays_whole(void **state)
{
    static const char *const units[] = {"x", "\xc3\xa9", "\x01", "\"", "\xf0\x9f\x90\x88", "\xff"};
    static char value[40000];

    for (size_t unit = 0; unit < COUNT_OF(units); unit++) {
        for (size_t shift = 0; shift < 7; shift++) {
            struct capture capture;
            size_t len = shift;
            memset(value, 'a', shift);
            while (len + 5 < sizeof(value)) {
                strcpy(value + len, units[unit]);
                len += strlen(units[unit]);
            }
            capture_start(&capture);
            log_info("long", LOG_S("value", value), LOG_S("second", value), LOG_I("number", 5));
            char *text = capture_stop(&capture);
            assert_true(strlen(text) <= 8192);
            json_t *json = parse_line(text);
            const char *cut = string_of(json, "value");
            assert_true(strlen(cut) > 1000);
            assert_string_equal(cut + strlen(cut) - 3, "\xe2\x80\xa6");
            json_decref(json);
            free(text);
        }
    }
}

static void more_fields_than_a_line_holds_are_left_out(void **state)
{
    struct log_field fields[400];
    struct capture capture;

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        fields[i] = LOG_I("a_name_of_some_length", i);
    capture_start(&capture);
    log_write(LOG_INFO, "many", fields, COUNT_OF(fields));
    char *text = capture_stop(&capture);
    assert_true(strlen(text) <= 8192);
    assert_int_equal(strcmp(text + strlen(text) - 2, "}\n"), 0);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    json_decref(json);
    free(text);
}

static void what_is_below_the_level_is_not_written(void **state)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    for (size_t lowest = 0; lowest < COUNT_OF(levels); lowest++) {
        struct capture capture;
        log_init("worker", levels[lowest]);
        capture_start(&capture);
        log_debug("d");
        log_info("i");
        log_warn("w");
        log_error("e");
        char *text = capture_stop(&capture);
        size_t lines = 0;
        for (const char *c = text; *c != '\0'; c++)
            lines += *c == '\n';
        assert_int_equal(lines, COUNT_OF(levels) - lowest);
        free(text);
    }
    log_init("worker", LOG_INFO);
}

static void levels_have_names(void **state)
{
    assert_int_equal(log_level_from_name("debug"), LOG_DEBUG);
    assert_int_equal(log_level_from_name("info"), LOG_INFO);
    assert_int_equal(log_level_from_name("warn"), LOG_WARN);
    assert_int_equal(log_level_from_name("error"), LOG_ERROR);
    assert_int_equal(log_level_from_name("INFO"), -1);
    assert_int_equal(log_level_from_name(""), -1);
}

static void a_missing_text_is_no_crash_and_errno_stays(void **state)
{
    struct capture capture;
    errno = ENOENT;
    capture_start(&capture);
    errno = ENOENT;
    log_info("x", LOG_S("value", NULL));
    assert_int_equal(errno, ENOENT);
    char *text = capture_stop(&capture);
    json_decref(parse_line(text));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_service_event_and_fields),
        cmocka_unit_test(the_fields_come_in_the_order_of_the_header),
        cmocka_unit_test(every_text_comes_back_as_it_went_in),
        cmocka_unit_test(control_characters_are_escaped_as_rfc_8259_says),
        cmocka_unit_test(invalid_utf8_is_replaced),
        cmocka_unit_test(a_value_that_is_too_long_is_cut_and_the_line_stays_whole),
        cmocka_unit_test(more_fields_than_a_line_holds_are_left_out),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(a_missing_text_is_no_crash_and_errno_stays),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
