/* unit - what every unit test includes: cmocka with the headers that it wants before it.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_UNIT_H
#define SCRUTIN_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* TEST_NAME runs the one case of this name; tests/mutants/run sets it. */
__attribute__((constructor)) static void pick_case(void)
{
    if (getenv("TEST_NAME") != NULL)
        cmocka_set_test_filter(getenv("TEST_NAME"));
}

#undef fail     /* ours is the one of status.h */
#undef fail_msg /* uses cmocka's */

/* abort() is never reached: it tells analyzers that _fail does not return. */
#define fail_test(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__), abort())

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails the running test, naming the row of the table, when the condition does not hold. */
#define CHECK_ROW(condition, ...)                                                                                      \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            print_error("row: " __VA_ARGS__);                                                                          \
            print_error("\n");                                                                                         \
            fail_test("%s", #condition);                                                                               \
        }                                                                                                              \
    } while (0)

/* Fails unless text contains part. */
#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL)                                                                            \
            fail_test("\"%s\" is not in: %s", (part), (text));                                                         \
    } while (0)
#define assert_lacks(text, part)                                                                                       \
    do {                                                                                                               \
        if (strstr((text), (part)) != NULL)                                                                            \
            fail_test("\"%s\" should not be in: %s", (part), (text));                                                  \
    } while (0)

#endif
