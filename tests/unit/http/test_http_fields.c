/* test_http_fields - malformed fields of HTTP/2 requests.
 * SPDX-License-Identifier: MIT */
#include "http_fields.h"

#include "unit.h"

static void methods_are_tokens(void **state)
{
    static const char *const fine[] = {"GET", "get", "M-SEARCH", "A!#$%&'*+.^_`|~9"};
    static const char *const malformed[] = {"", "G T", "GET ", "G(T", "GET\t", "GE\x7f", "G\xc3\xa9T", "GET/", "a:b"};

    for (size_t i = 0; i < COUNT_OF(fine); i++)
        CHECK_ROW(http_is_method(fine[i], strlen(fine[i])), "%s", fine[i]);
    for (size_t i = 0; i < COUNT_OF(malformed); i++)
        CHECK_ROW(!http_is_method(malformed[i], strlen(malformed[i])), "%s", malformed[i]);
}

static bool is_target(const char *method, const char *path)
{
    return http_is_target(method, strlen(method), path, strlen(path));
}

static void paths_begin_with_a_slash(void **state)
{
    static const char *const fine[] = {"/", "/v1/polls?limit=1", "//", "/a|b{}^?q=\"x\"", "/\xc3\xa9"};
    static const char *const malformed[] = {"",     "livez", "*",    "?a=b", "http://localhost/livez",
                                            "/a b", "/a\tb", "/a#b", " /"};

    for (size_t i = 0; i < COUNT_OF(fine); i++)
        CHECK_ROW(is_target("GET", fine[i]), "%s", fine[i]);
    for (size_t i = 0; i < COUNT_OF(malformed); i++)
        CHECK_ROW(!is_target("GET", malformed[i]), "%s", malformed[i]);
    assert_true(is_target("OPTIONS", "*"));
    assert_true(is_target("OPTIONS", "/"));
    assert_false(is_target("OPTIONS", "**"));
    assert_false(is_target("OPTION", "*"));
}

static void authorities_are_host_and_port(void **state)
{
    static const char *const fine[] = {"localhost", "vote.example:5000",  "[::1]:443", "x_y",
                                       "a%20b",     "xn--caf-dma.example"};
    static const char *const malformed[] = {"",    "user@localhost", "localhost/", "local host", "a?b",
                                            "a#b", "a\\b",           "a\x01",      "caf\xc3\xa9"};

    for (size_t i = 0; i < COUNT_OF(fine); i++)
        CHECK_ROW(http_is_authority(fine[i], strlen(fine[i])), "%s", fine[i]);
    for (size_t i = 0; i < COUNT_OF(malformed); i++)
        CHECK_ROW(!http_is_authority(malformed[i], strlen(malformed[i])), "%s", malformed[i]);
}

static bool is_field(const char *name, const char *value)
{
    return http_is_field(name, strlen(name), value, strlen(value));
}

static void fields_have_a_name_and_no_blanks_around_their_value(void **state)
{
    assert_true(is_field("accept", "text/html, */*"));
    assert_true(is_field("accept-encoding", ""));
    assert_true(is_field("keep-alive-2", "a"));
    assert_false(is_field("", "a"));
    assert_false(is_field("keep-alive", "timeout=5"));
    assert_false(is_field("proxy-connection", "close"));
    assert_false(is_field("x", " a"));
    assert_false(is_field("x", "a\t"));
    assert_false(is_field("x", " "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_tokens),
        cmocka_unit_test(paths_begin_with_a_slash),
        cmocka_unit_test(authorities_are_host_and_port),
        cmocka_unit_test(fields_have_a_name_and_no_blanks_around_their_value),
    };

    return cmocka_run_group_tests_name("http_fields", tests, NULL, NULL);
}
