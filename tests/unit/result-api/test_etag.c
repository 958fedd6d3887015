/* Tests of result-api's etag: which values of If-None-Match name a tag.
 * SPDX-License-Identifier: MIT */
#include "etag.h"
#include "unit.h"

#define TAG "\"12\""

static void lists_that_name_the_tag(void **state)
{
    static const char *const lists[] = {"\"12\"",           "W/\"12\"",   "*",       "\"1\", \"12\"",
                                        "\"a,b\",W/\"12\"", "  \"12\"  ", ",,\"12\""};

    for (size_t i = 0; i < COUNT_OF(lists); i++)
        CHECK_ROW(etag_list_has(lists[i], strlen(lists[i]), TAG), "%s", lists[i]);
}

static void lists_that_do_not(void **state)
{
    static const char *const lists[] = {"",     "\"1\"", "\"123\"",  "12",       "\"12",    "\"", "W/",
                                        "\"\"", ",",     "w/\"12\"", "\"1\" 12", "\"x\"\"", " "};

    for (size_t i = 0; i < COUNT_OF(lists); i++)
        CHECK_ROW(!etag_list_has(lists[i], strlen(lists[i]), TAG), "%s", lists[i]);
    assert_false(etag_list_has(NULL, 0, TAG));
}

/* The header has no NUL at its end, so no byte after it may be read. */
static void only_the_header_is_read(void **state)
{
    char *list = malloc(3);

    memcpy(list, "\"12", 3);
    assert_false(etag_list_has(list, 3, TAG));
    assert_false(etag_list_has(list, 1, TAG));
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_that_name_the_tag),
        cmocka_unit_test(lists_that_do_not),
        cmocka_unit_test(only_the_header_is_read),
    };
    return cmocka_run_group_tests_name("etag", tests, NULL, NULL);
}
