/* Tests of utf8: the well-formed sequences of the Unicode Standard, table 3-7, and their neighbours.
 * SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "unit.h"

static void well_formed_sequences_have_their_length(void **state)
{
    static const char *const rows[] = {
        "\x01",         "\x7f",         "\xc2\x80",     "\xdf\xbf",         "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(utf8_sequence_len(rows[i], strlen(rows[i])), strlen(rows[i]));
    assert_int_equal(utf8_sequence_len("\0", 1), 1);
}

static void ill_formed_sequences_have_none(void **state)
{
    static const char *const rows[] = {
        "",
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x7f",
        "\xc2\xc0",
        "\xe0\x9f\xbf",
        "\xe0\xa0",
        "\xe1\x80\x7f",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf1\x80\x80",
        "\xf1\x80\x80\xc0",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(utf8_sequence_len(rows[i], strlen(rows[i])) == 0, "%zu", i);
}

/* All of Unicode, encoded by hand. */
static void every_code_point_but_surrogates_is_well_formed(void **state)
{
    for (unsigned c = 0x80; c <= 0x10ffff; c++) {
        char s[4];
        size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = len - 1; i > 0; i--)
            s[i] = (char)(0x80 | (c >> 6 * (len - 1 - i) & 0x3f));
        s[0] = (char)(lead[len] | c >> 6 * (len - 1));
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        if (utf8_sequence_len(s, len) != (surrogate ? 0 : len))
            fail_test("U+%04X", c);
    }
}

static void the_limit_counts_code_points(void **state)
{
    assert_true(utf8_is_valid("", 0, 0));
    assert_true(utf8_is_valid("\xc3\xa9\xc3\xa9", 4, 2));
    assert_false(utf8_is_valid("\xc3\xa9\xc3\xa9", 4, 1));
    assert_false(utf8_is_valid("a\xc3", 2, 9));
    assert_false(utf8_is_valid("a", 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_sequences_have_their_length),
        cmocka_unit_test(ill_formed_sequences_have_none),
        cmocka_unit_test(every_code_point_but_surrogates_is_well_formed),
        cmocka_unit_test(the_limit_counts_code_points),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
