/* Tests of vote-api's text_rules: what people write stays welcome, what deceives or shows nothing does not.
 * SPDX-License-Identifier: MIT */
#include "polls/text_rules.h"

#include "base/utf8.h"
#include "unit.h"

static void what_people_write_is_welcome(void **state)
{
    static const char *const rows[] = {
        "Cats",
        "!",
        "~",
        "a b",
        " padded ",
        "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85",     /* Persian with ZWNJ */
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", /* a family, joined by ZWJ */
        "\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88",                 /* the rainbow flag */
        "\xe2\x9d\xa4\xef\xb8\x8f",                                                 /* a heart as an emoji */
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\xe2\x80\x8f!",                            /* Hebrew with U+200F */
        "\xe2\x80\x8f\xd8\xa7",                                                     /* and in front of Arabic */
        "\xe0\xb9\x84\xe2\x80\x8b\xe0\xb8\x97", /* Thai, its words kept apart by U+200B */
        "Co\xc2\xad"
        "op",                             /* a soft hyphen */
        "\xc3\x89t\xc3\xa9\xe2\x80\xaf?", /* French, with a narrow no-break space */
        "\xcc\x81",                       /* an accent alone shows */
        "\xee\x80\x80",
        "\xf4\x8f\xbf\xbd", /* private use */
    };
    char fault[TEXT_FAULT_MAX];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_ROW(text_check(rows[i], TEXT_LINE, "title", fault), "%zu %s: %s", i, rows[i], fault);
        CHECK_ROW(text_check(rows[i], TEXT_LINES, "title", fault), "%zu %s: %s", i, rows[i], fault);
    }
    assert_true(text_check("", TEXT_LINES, "description", fault));
    assert_true(text_check("two\nlines,\ta tab\xe2\x80\xa8", TEXT_LINES, "description", fault));
}

static void what_deceives_or_shows_nothing_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"a\x01", "title has the control character U+0001; leave it out."},
        {"\x1f"
         "a",
         "title has the control character U+001F; leave it out."},
        {"a\rb", "title has the control character U+000D; leave it out."},
        {"a\x7f", "title has the control character U+007F; leave it out."},
        {"a\xc2\x80", "title has the control character U+0080; leave it out."},
        {"a\xc2\x9f", "title has the control character U+009F; leave it out."},
        {"\xe2\x80\xaa"
         "a",
         "title has the character U+202A, which turns the direction of text; leave it out."},
        {"a\xe2\x80\xae"
         "b",
         "title has the character U+202E, which turns the direction of text; leave it out."},
        {"a\xe2\x81\xa6", "title has the character U+2066, which turns the direction of text; leave it out."},
        {"a\xe2\x81\xa9", "title has the character U+2069, which turns the direction of text; leave it out."},
        {" ", "title is blank; write something that can be seen."},
        {"\xc2\xa0\xe3\x80\x80\xe2\x80\x83", "title is blank; write something that can be seen."},
        {"\xe2\x80\x8b", "title is blank; write something that can be seen."},
        {"\xe2\x80\x8c\xe2\x80\x8d \xef\xbb\xbf\xe2\x81\xa0", "title is blank; write something that can be seen."},
        {"\xe2\x80\x8f\xc2\xad\xd8\x9c\xef\xb8\x8f", "title is blank; write something that can be seen."},
        {"\xe2\xa0\x80\xe3\x85\xa4\xef\xbe\xa0", "title is blank; write something that can be seen."},
        {"\xf3\xa0\x81\xa7\xf3\xa0\x87\xaf", "title is blank; write something that can be seen."}, /* tags */
    };
    static const char *const one_line[] = {"a\nb", "a\tb",
                                           "a\xe2\x80\xa8"
                                           "b",
                                           "a\xe2\x80\xa9"};
    char fault[TEXT_FAULT_MAX], name[200];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int kind = TEXT_LINE; kind <= TEXT_LINES; kind++) {
            CHECK_ROW(!text_check(rows[i].text, (enum text_kind)kind, "title", fault), "%zu %s", i, rows[i].sentence);
            assert_string_equal(fault, rows[i].sentence);
        }
    }
    for (size_t i = 0; i < COUNT_OF(one_line); i++) {
        CHECK_ROW(!text_check(one_line[i], TEXT_LINE, "title", fault), "%zu", i);
        assert_contains(fault, "control character U+");
    }
    assert_false(text_check("", TEXT_LINE, "title", fault));
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_false(text_check("\xe2\x80\xae", TEXT_LINE, name, fault));
    assert_int_equal(fault[strlen(fault) - 1], '.');
}

static void texts_that_read_the_same_fold_to_the_same(void **state)
{
    static const char *const rows[][2] = {
        {"Cats", "cATS"},
        {"two words", " two\t\xc2\xa0 words\xe3\x80\x80"},
        {"Caf\xc3\xa9", "CAFE\xcc\x81"},
        {"e\xcc\xa3\xcc\x81", "e\xcc\x81\xcc\xa3"}, /* accents in another order */
        {"\xe1\xb9\xa9", "S\xcc\x87\xcc\xa3"},
        {"Stra\xc3\x9f"
         "e",
         "STRASSE"},
        {"\xe1\xba\x9e", "ss"},                       /* the capital sharp s */
        {"\xcf\x82", "\xce\xa3"},                     /* a final sigma */
        {"\xe2\x84\xab", "\xc3\xa5"},                 /* the sign of the angstrom */
        {"\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1"}, /* Hangul, whole and in parts */
        {"Cats", "\xef\xbb\xbf"
                 "Ca\xe2\x80\x8bt\xc2\xad\xe2\x81\xa0s\xe2\x80\x8e"},
        {"e\xe2\x80\x8b\xcc\x81", "\xc3\xa9"},
        {"", " \xe2\x80\x8b "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *a = text_fold(rows[i][0]), *b = text_fold(rows[i][1]), *again = text_fold(a);
        CHECK_ROW(strcmp(a, b) == 0, "%zu: %s, %s", i, a, b);
        CHECK_ROW(strcmp(a, again) == 0, "%zu: %s folds again to %s", i, a, again);
        free(a);
        free(b);
        free(again);
    }
}

static void texts_that_read_differently_stay_apart(void **state)
{
    static const char *const rows[][2] = {
        {"e", "\xc3\xa9"},
        {"ab", "a b"},
        {"\xc4\xb1", "i"},                                                    /* the dotless i */
        {"A", "\xef\xbc\xa1"},                                                /* full width */
        {"1", "\xd9\xa1"},                                                    /* an Arabic digit */
        {"A", "\xd0\x90"},                                                    /* a Cyrillic letter */
        {"\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae", "\xd9\x85\xdb\x8c\xd8\xae"}, /* with ZWNJ and without */
        {"\xe2\x9d\xa4", "\xe2\x9d\xa4\xef\xb8\x8f"},                         /* black, and red */
        {"\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xa5\xf3\xa0\x81\xae\xf3\xa0\x81\xa7\xf3\xa0\x81"
         "\xbf",
         "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb3\xf3\xa0\x81\xa3\xf3\xa0\x81\xb4\xf3\xa0\x81"
         "\xbf"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *a = text_fold(rows[i][0]), *b = text_fold(rows[i][1]);
        CHECK_ROW(strcmp(a, b) != 0, "%zu: %s", i, a);
        free(a);
        free(b);
    }
}

/* Also the longest text, of what grows most when it is folded. */
static void folding_ends_whatever_the_text(void **state)
{
    char text[3 * 200 + 1] = "";

    for (int i = 0; i < 200; i++)
        strcat(text, "\xe1\xbe\xb7"); /* alpha with perispomeni and iota: three code points */
    char *folded = text_fold(text);
    assert_true(utf8_is_valid(folded, strlen(folded), 600));
    free(folded);
    folded = text_fold("broken \xff\xe2\x80");
    assert_non_null(folded);
    free(folded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_is_welcome),
        cmocka_unit_test(what_deceives_or_shows_nothing_is_refused_by_name),
        cmocka_unit_test(texts_that_read_the_same_fold_to_the_same),
        cmocka_unit_test(texts_that_read_differently_stay_apart),
        cmocka_unit_test(folding_ends_whatever_the_text),
    };
    return cmocka_run_group_tests_name("text_rules", tests, NULL, NULL);
}
