/* Tests of result-api's csv: no cell begins with a formula, for any common separator, and a program gets the text back.
 * SPDX-License-Identifier: MIT */
#include "tally/csv.h"

#include "unit.h"

/* Returns the field. The caller frees it. */
static char *write_text(const char *text)
{
    char *field;
    size_t len;
    FILE *to = open_memstream(&field, &len);

    assert_non_null(to);
    csv_write_text(to, text);
    assert_int_equal(fclose(to), 0);
    return field;
}

static const struct {
    const char *text, *field;
} rows[] = {
    {"", "\"\""},
    {"Cats", "\"Cats\""},
    {"Dogs, \"all\"; cats", "\"Dogs, \"\"all\"\"; cats\""},
    {"l'été", "\"l'été\""},
    {"5 - 3 = 2", "\"5 - 3 = 2\""},
    {"a=b+c@d", "\"a=b+c@d\""},
    {"e-mail;web", "\"e-mail;web\""},
    /* signs at the start of the text */
    {"=1+1", "\"'=1+1\""},
    {"+1", "\"'+1\""},
    {"-1", "\"'-1\""},
    {"@SUM(A1)", "\"'@SUM(A1)\""},
    {"\tx", "\"'\tx\""},
    {"\rx", "\"'\rx\""},
    {"\nx", "\"'\nx\""},
    {"＝1", "\"'＝1\""},
    {"＋1", "\"'＋1\""},
    {"－1", "\"'－1\""},
    {"＠A", "\"'＠A\""},
    {"﹦1", "\"'﹦1\""},
    {"﹢1", "\"'﹢1\""},
    {"﹣1", "\"'﹣1\""},
    {"﹫A", "\"'﹫A\""},
    {"−1", "\"'−1\""},
    /* signs at the start of a cell that another separator makes, or of a line */
    {";=1+1;", "\";'=1+1;\""},
    {"a;+1", "\"a;'+1\""},
    {"a,-1", "\"a,'-1\""},
    {"a\t@A", "\"a\t'@A\""},
    {"a;＝1", "\"a;'＝1\""},
    {"a\n=1", "\"a\n'=1\""},
    {"a\r=1", "\"a\r'=1\""},
    {"a;=1;=2,=3", "\"a;'=1;'=2,'=3\""},
    /* characters that a spreadsheet may drop before the sign */
    {" =1", "\" '=1\""},
    {"; \xc2\xa0=1", "\"; \xc2\xa0'=1\""},       /* a no-break space */
    {"\xef\xbb\xbf=1", "\"\xef\xbb\xbf'=1\""},   /* a byte order mark */
    {";\xe2\x80\x8b=1", "\";\xe2\x80\x8b'=1\""}, /* a zero-width space */
    {";\xe2\x80\xae=1", "\";\xe2\x80\xae'=1\""}, /* a bidirectional override */
    {"\xe3\x80\x80＝1", "\"\xe3\x80\x80'＝1\""}, /* an ideographic space */
    {"\x01=1", "\"\x01'=1\""},
    {"\x7f=1", "\"\x7f'=1\""},
    {";\"=1+1;\"", "\";\"\"'=1+1;\"\"\""}, /* quotes */
    {"\";=1+1;\"", "\"\"\";'=1+1;\"\"\""},
    /* a reader must not remove an apostrophe of the text itself */
    {"'=1", "\"''=1\""},
    {"a;''=1", "\"a;'''=1\""},
    {"'a", "\"'a\""},
};

static void a_sign_that_may_begin_a_cell_gets_an_apostrophe(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *field = write_text(rows[i].text);
        CHECK_ROW(strcmp(field, rows[i].field) == 0, "%s: %s", rows[i].text, field);
        free(field);
    }
}

/* --- random texts made of parts that matter here */

static const char *const signs[] = {"=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "−"};
static const char *const ends[] = {";", ",", "\t", "\r", "\n"};
static const char *const fills[] = {" ", "\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xe2\x80\xae", "\"", "'", "\x01"};
static const char *const plain[] = {"a", "1", "é", "字"};

static const struct {
    const char *const *parts;
    size_t n;
} kinds[] = {{signs, COUNT_OF(signs)}, {ends, COUNT_OF(ends)}, {fills, COUNT_OF(fills)}, {plain, COUNT_OF(plain)}};

static unsigned draw(unsigned below)
{
    static uint32_t seed = 20261127;

    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % below;
}

static void draw_text(char text[64])
{
    *text = '\0';
    for (unsigned left = draw(12); left > 0; left--) {
        unsigned kind = draw(COUNT_OF(kinds));
        strcat(text, kinds[kind].parts[draw((unsigned)kinds[kind].n)]);
    }
}

/* Returns the length of the part that the text begins with. 0: it begins with none. */
static size_t part_len(const char *text, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(text, parts[i], strlen(parts[i])) == 0)
            return strlen(parts[i]);
    return 0;
}

/* Says whether some cell begins with a sign, after characters that may be dropped. Every separator ends a cell. */
static bool has_formula(const char *text)
{
    bool begins = true;

    while (*text != '\0') {
        size_t end = part_len(text, ends, COUNT_OF(ends)), fill = part_len(text, fills, COUNT_OF(fills));
        if (begins && part_len(text, signs, COUNT_OF(signs)) != 0)
            return true;
        begins = end != 0 || (begins && fill != 0 && *text != '\'');
        text += end + fill != 0 ? end + fill : 1;
    }
    return false;
}

/* Removes the quotes of RFC 4180. */
static void unquote(const char *field, char *text)
{
    for (field++; field[1] != '\0'; field++) {
        if (*field == '"')
            field++; /* a quote is written twice */
        *text++ = *field;
    }
    *text = '\0';
}

/* Removes the apostrophes that csv.h describes. */
static void take_guards(const char *guarded, char *text)
{
    bool begins = true;

    for (const char *at = guarded; *at != '\0'; at++) {
        size_t end = part_len(at, ends, COUNT_OF(ends)), fill = part_len(at, fills, COUNT_OF(fills));
        if (begins && *at == '\'' &&
            part_len(at + 1, signs, COUNT_OF(signs)) + part_len(at + 1, ends + 2, COUNT_OF(ends) - 2) != 0)
            continue;
        begins = end != 0 || (begins && fill != 0);
        size_t len = end + fill != 0 ? end + fill : 1;
        memcpy(text, at, len);
        text += len;
        at += len - 1;
    }
    *text = '\0';
}

static void any_text_is_harmless_and_comes_back(void **state)
{
    for (int i = 0; i < 200000; i++) {
        char text[64], guarded[256] = "", again[256];
        draw_text(text);
        char *field = write_text(text);
        CHECK_ROW(!has_formula(field), "%s", field);
        unquote(field, guarded);
        take_guards(guarded, again);
        CHECK_ROW(strcmp(text, again) == 0, "%s: %s: %s", text, field, again);
        free(field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_that_may_begin_a_cell_gets_an_apostrophe),
        cmocka_unit_test(any_text_is_harmless_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
