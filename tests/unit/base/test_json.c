/* Tests of json: what is refused, with which sentence, and where the pointer points.
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/utf8.h"
#include "unit.h"

#define DEPTH_8 "{\"a\":[[[[[[[1]]]]]]]}"
#define DEPTH_9 "{\"a\":[[[[[[[[1]]]]]]]]}"

static void well_formed_objects_are_read(void **state)
{
    static const char *const rows[] = {
        "{}",
        " \t\r\n{ \"selection\" : [\"cats\"] } \n",
        "{\"a\":1,\"b\":-1.5e3,\"c\":true,\"d\":null,\"e\":\"\\u00e9\\ud83d\\ude00\"}",
        "{\"a\":{\"x\":1},\"b\":{\"x\":1}}", /* the same key in two objects is no duplicate */
        "{\"a\":\"[[[[[[[[[[{{{{{{\"}",      /* brackets in a text are no levels */
        "{\"a\":\"\\\"[[[[[[[[[[[[\"}",
        "{\"\\\\\":\"\\\\\"}",
        "{\"\":0}",
        "{\"h\xc3\xa9\":\"\xf0\x9f\x90\x88\"}",
        "{\"a\":[[],[],[],[],[],[],[],[],[],[]]}", /* ten siblings are not ten levels */
        DEPTH_8,
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_error err = {"", ""};
        json_t *json = json_parse_object(rows[i], strlen(rows[i]), &err);
        CHECK_ROW(json != NULL, "%s: %s", rows[i], err.text);
        json_decref(json);
    }
}

static void everything_else_is_refused_with_a_sentence(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: to the NUL */
        const char *sentence;
    } rows[] = {
        {"", 0, "empty"},
        {" ", 0, "ends in the middle"},
        {"{", 0, "ends in the middle"},
        {"{\"a\":", 0, "ends in the middle"},
        {"{\"a\":[1,2", 0, "ends in the middle"},
        {"[]", 0, "must be a JSON object"},
        {"[1,2]", 0, "must be a JSON object"},
        {"\"text\"", 0, "must be a JSON object"},
        {"17", 0, "must be a JSON object"},
        {"null", 0, "must be a JSON object"},
        {"{} x", 0, "Text follows"},
        {"{}{}", 0, "Text follows"},
        {"{}]", 0, "Text follows"},
        {"{\"a\":1,\"a\":2}", 0, "twice"},
        {"{\"a\":1,\"\\u0061\":2}", 0, "twice"}, /* the same key once it is read */
        {"{\"x\":{\"a\":1,\"b\":2,\"a\":1}}", 0, "twice"},
        {"{\"a\":1,}", 0, "not JSON"},
        {"{a:1}", 0, "not JSON"},
        {"{'a':1}", 0, "not JSON"},
        {"{\"a\":01}", 0, "not JSON"},
        {"{\"a\":+1}", 0, "not JSON"},
        {"{\"a\":.5}", 0, "not JSON"},
        {"{\"a\":1.}", 0, "not JSON"},
        {"{\"a\":NaN}", 0, "not JSON"},
        {"{\"a\":Infinity}", 0, "not JSON"},
        {"{\"a\":True}", 0, "not JSON"},
        {"{\"a\":1 // comment\n}", 0, "not JSON"},
        {"{\"a\":\"tab\there\"}", 0, "not JSON"},
        {"{\"a\":\"line\nhere\"}", 0, "not JSON"},
        {"{\"a\":\"\\x41\"}", 0, "not JSON"},
        {"{\"a\":\"\\u12\"}", 0, "not JSON"},
        {"{\"a\":\"\\ud800\"}", 0, "not JSON"},        /* half a surrogate pair */
        {"{\"a\":\"\\udc00\\ud800\"}", 0, "not JSON"}, /* the wrong way round */
        {"\xef\xbb\xbf{}", 0, "not JSON"},             /* a byte order mark */
        {"{\"a\":123456789012345678901234567890}", 0, "too large"},
        {"{\"a\":1e999}", 0, "too large"},
        {"{\"a\":\"\\u0000\"}", 0, "U+0000"},
        {"{\"\\u0000\":1}", 0, "U+0000"},
        {"{\"a\":\"x\0y\"}", 11, "U+0000"},
        {"{}\0", 3, "U+0000"},
        {"\0", 1, "U+0000"},
        {"{\"a\":\"\xff\"}", 0, "not valid UTF-8 from byte 6 on"},
        {"{\"a\":\"\xc0\xaf\"}", 0, "UTF-8"},         /* overlong */
        {"{\"a\":\"\xed\xa0\x80\"}", 0, "UTF-8"},     /* a surrogate */
        {"{\"a\":\"\xf4\x90\x80\x80\"}", 0, "UTF-8"}, /* past U+10FFFF */
        {"{\"a\":\"\xe2\x82\"}", 0, "UTF-8"},         /* cut */
        {"{\"\xe9\":1}", 0, "UTF-8"},                 /* Latin-1 */
        {"\xfe\xff\x00{", 4, "U+0000"},               /* UTF-16 */
        {DEPTH_9, 0, "deeper than 8"},
        {"[[[[[[[[[[[[[[", 0, "deeper than 8"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_error err = {"?", ""};
        size_t len = rows[i].len != 0 ? rows[i].len : strlen(rows[i].text);
        /* Exactly its own bytes: AddressSanitizer sees a step past them. */
        char *exact = malloc(len != 0 ? len : 1);
        memcpy(exact, rows[i].text, len);
        CHECK_ROW(json_parse_object(exact, len, &err) == NULL, "%s", rows[i].text);
        CHECK_ROW(strstr(err.text, rows[i].sentence) != NULL, "%s: %s", rows[i].text, err.text);
        assert_string_equal(err.pointer, "");
        free(exact);
    }
}

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
    enum { LEVELS = 1 << 20 };
    struct json_error err;
    char *text = malloc(LEVELS);
    memset(text, '[', LEVELS);
    assert_null(json_parse_object(text, LEVELS, &err));
    assert_contains(err.text, "deeper than 8");
    free(text);
}

static void a_refusal_names_the_duplicate(void **state)
{
    struct json_error err;
    const char *text = "{\"selection\":[],\"selection\":[]}";
    assert_null(json_parse_object(text, strlen(text), &err));
    assert_contains(err.text, "selection");
}

static void unknown_fields_are_refused_by_name(void **state)
{
    static const char *const known[] = {"selection", "receipt", NULL};
    static const struct {
        const char *text;
        const char *pointer; /* NULL: fine */
    } rows[] = {
        {"{}", NULL},
        {"{\"selection\":1}", NULL},
        {"{\"receipt\":1,\"selection\":{\"inner\":1}}", NULL},
        {"{\"selections\":1}", "/base/selections"},
        {"{\"selectio\":1}", "/base/selectio"},
        {"{\"selection\":1,\"Selection\":1}", "/base/Selection"},
        {"{\"\":1}", "/base/"},
        {"{\"a/b~c\":1}", "/base/a~1b~0c"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_error err;
        json_t *json = json_parse_object(rows[i].text, strlen(rows[i].text), &err);
        assert_non_null(json);
        bool fine = json_check_fields(json, "/base", known, &err);
        CHECK_ROW(fine == (rows[i].pointer == NULL), "%s", rows[i].text);
        if (!fine) {
            assert_string_equal(err.pointer, rows[i].pointer);
            assert_contains(err.text, "selection, receipt");
        }
        json_decref(json);
    }
}

static void a_long_list_of_known_fields_is_cut(void **state)
{
    static const char *const known[] = {
        "a_field_with_quite_a_long_name_1", "a_field_with_quite_a_long_name_2",
        "a_field_with_quite_a_long_name_3", "a_field_with_quite_a_long_name_4",
        "a_field_with_quite_a_long_name_5", "a_field_with_quite_a_long_name_6",
        "a_field_with_quite_a_long_name_7", "a_field_with_quite_a_long_name_8",
        "a_field_with_quite_a_long_name_9", NULL,
    };
    struct json_error err;
    json_t *json = json_pack("{s:i}", "x", 1);
    assert_false(json_check_fields(json, "", known, &err));
    assert_string_equal(err.pointer, "/x");
    assert_true(strlen(err.text) < sizeof(err.text));
    json_decref(json);
}

static void pointers_are_escaped_as_rfc_6901_says(void **state)
{
    char out[JSON_POINTER_MAX];
    json_pointer_append(out, "", "selection");
    assert_string_equal(out, "/selection");
    json_pointer_append(out, out, "0"); /* may be its own base */
    assert_string_equal(out, "/selection/0");
    json_pointer_append(out, "", "~/");
    assert_string_equal(out, "/~0~1");
    json_pointer_append(out, "/a", "");
    assert_string_equal(out, "/a/");
}

static void a_pointer_that_is_too_long_is_cut_at_a_character(void **state)
{
    char out[JSON_POINTER_MAX], field[400];

    memset(field, 'x', sizeof(field) - 1);
    field[sizeof(field) - 1] = '\0';
    json_pointer_append(out, "/base", field);
    assert_int_equal(strlen(out), JSON_POINTER_MAX - 1);

    for (size_t start = 110; start < 130; start++) {
        for (size_t i = start; i + 2 < sizeof(field); i += 2)
            memcpy(field + i, "\xc3\xa9", 2);
        json_pointer_append(out, "", field);
        size_t len = strlen(out);
        assert_true(len < JSON_POINTER_MAX);
        assert_true((unsigned char)out[len - 1] != 0xc3);
        memset(field, 'x', sizeof(field) - 1);

        memset(field + start, '/', sizeof(field) - 1 - start);
        json_pointer_append(out, "", field);
        assert_true(out[strlen(out) - 1] != '~');
        memset(field, 'x', sizeof(field) - 1);
    }
    json_pointer_append(out, field, "more");
    assert_int_equal(strlen(out), JSON_POINTER_MAX - 1);
}

static void code_points_are_counted_not_bytes(void **state)
{
    assert_int_equal(json_count_code_points(""), 0);
    assert_int_equal(json_count_code_points("cats"), 4);
    assert_int_equal(json_count_code_points("\xc3\xa9t\xc3\xa9"), 3);
    assert_int_equal(json_count_code_points("\xe2\x82\xac"), 1);
    assert_int_equal(json_count_code_points("\xf0\x9f\x90\x88\xf0\x9f\x90\x95"), 2);
}

static void whole_numbers_are_read_however_they_are_written(void **state)
{
    static const struct {
        const char *text;
        json_int_t number; /* -1: refused */
    } rows[] = {{"1", 1},    {"5", 5},      {"5.0", 5},     {"0.5e1", 5},  {"0", -1},    {"6", -1},    {"5.5", -1},
                {"6.0", -1}, {"1e300", -1}, {"-1e300", -1}, {"\"5\"", -1}, {"null", -1}, {"true", -1}, {"[5]", -1}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *value = json_loads(rows[i].text, JSON_DECODE_ANY, NULL);
        json_int_t number = -1;
        bool ok = json_read_whole(value, 1, 5, &number);
        CHECK_ROW(ok == (rows[i].number >= 0) && number == rows[i].number, "%s gave %lld", rows[i].text,
                  (long long)number);
        json_decref(value);
    }
    json_int_t number;
    assert_false(json_read_whole(NULL, 0, 5, &number));
}

static void an_error_that_is_too_long_is_cut(void **state)
{
    struct json_error err;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    json_error_set(&err, text, "%s", text);
    assert_int_equal(strlen(err.pointer), JSON_POINTER_MAX - 1);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

/* An answer in JSON cannot hold half a character: whoever sent one would have ended the process. */
static void an_error_that_is_cut_within_a_character_is_valid_utf8(void **state)
{
    struct json_error err;
    char text[400] = "";
    for (size_t i = 0; i < 90; i++)
        strcat(text, "\xf0\x9f\x90\x88");
    for (int n = 0; n < 12; n++) {
        json_error_set(&err, "", "%.*s", n, text);
        CHECK_ROW(utf8_is_valid(err.text, strlen(err.text), 256), "%d: %s", n, err.text);
        json_error_set(&err, "", "%.*s%s", n % 4, "abc", text);
        CHECK_ROW(utf8_is_valid(err.text, strlen(err.text), 256), "%d: %s", n, err.text);
    }
    json_error_set(&err, "", "%.7s!", "h\xc3\xa9\xf0\x9f\x90\x88");
    assert_string_equal(err.text, "h\xc3\xa9\xf0\x9f\x90\x88!");
    json_error_set(&err, "", "%.5s!", "h\xc3\xa9\xf0\x9f\x90\x88");
    assert_string_equal(err.text, "h\xc3\xa9?\?!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_objects_are_read),
        cmocka_unit_test(everything_else_is_refused_with_a_sentence),
        cmocka_unit_test(deep_nesting_is_refused_before_it_is_parsed),
        cmocka_unit_test(a_refusal_names_the_duplicate),
        cmocka_unit_test(unknown_fields_are_refused_by_name),
        cmocka_unit_test(a_long_list_of_known_fields_is_cut),
        cmocka_unit_test(pointers_are_escaped_as_rfc_6901_says),
        cmocka_unit_test(a_pointer_that_is_too_long_is_cut_at_a_character),
        cmocka_unit_test(code_points_are_counted_not_bytes),
        cmocka_unit_test(whole_numbers_are_read_however_they_are_written),
        cmocka_unit_test(an_error_that_is_too_long_is_cut),
        cmocka_unit_test(an_error_that_is_cut_within_a_character_is_valid_utf8),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
