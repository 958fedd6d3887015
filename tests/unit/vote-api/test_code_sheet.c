/* Tests of code_sheet: the three formats, and that no title gets out of its place in the page.
 * SPDX-License-Identifier: MIT */
#include "codes/code_sheet.h"

#include "unit.h"

static const char codes[3][CODE_SYMBOLS] = {"0123456789AB", "CDEFGHJKMNPQ", "RSTVWXYZ0000"};

/* The sheet as a string of the caller's. */
static char *write_sheet(const char *title, enum code_format format, char csp[CODE_SHEET_CSP])
{
    struct poll *poll = poll_new();
    struct bytes bytes;

    strcpy(poll->id, "abc");
    poll->title = strdup(title);
    const struct code_sheet sheet = {poll, codes, 3, 7};
    code_sheet_write(&sheet, format, &bytes, csp);
    bytes.data = realloc(bytes.data, bytes.len + 1);
    bytes.data[bytes.len] = '\0';
    poll_release(poll);
    return (char *)bytes.data;
}

static void json_and_csv(void **state)
{
    char *text = write_sheet("T", CODES_JSON, NULL);
    assert_string_equal(text, "{\"codes\":[\"0123-4567-89AB\",\"CDEF-GHJK-MNPQ\",\"RSTV-WXYZ-0000\"],\"issued\":7}");
    free(text);
    text = write_sheet("T", CODES_CSV, NULL);
    assert_string_equal(text, "code\r\n0123-4567-89AB\r\nCDEF-GHJK-MNPQ\r\nRSTV-WXYZ-0000\r\n");
    free(text);
}

static void a_page_has_every_code_once_and_no_script(void **state)
{
    char csp[CODE_SHEET_CSP], *text = write_sheet("Où aller ?", CODES_HTML, csp);

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char written[CODE_TEXT];
        code_write(codes[i], written);
        const char *at = strstr(text, written);
        assert_non_null(at);
        assert_null(strstr(at + 1, written));
    }
    assert_contains(text, "<h1>Où aller ?</h1>");
    assert_contains(text, "3 voting codes");
    assert_lacks(text, "<script");
    assert_contains(csp, "default-src 'none'; style-src 'sha256-");
    assert_lacks(csp, "unsafe");
    free(text);
}

static void a_hostile_title_stays_text(void **state)
{
    char *text = write_sheet("</style><script>alert(1)</script>\"}*{color:red}\\", CODES_HTML, NULL);
    const char *style = strstr(text, "<style>"), *end = strstr(text, "</style>");

    assert_non_null(style);
    assert_null(strstr(end + 1, "</style>")); /* the page's own is the only one */
    assert_lacks(text, "<script");
    assert_contains(text, "<h1>&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;}*{color:red}\\</h1>");
    assert_contains(text, "content:\"\\3c \\2f style\\3e ");
    free(text);
}

static void the_first_known_type_is_given(void **state)
{
    static const struct {
        const char *accept;
        enum code_format format;
    } rows[] = {
        {"", CODES_JSON},
        {"*/*", CODES_JSON},
        {"application/json", CODES_JSON},
        {"text/csv", CODES_CSV},
        {"TEXT/CSV;q=0.9", CODES_CSV},
        {"image/png, text/html;q=0.8, text/csv", CODES_HTML},
        {"text/csvx", CODES_JSON},
        {"application/json,text/csv", CODES_JSON},
        {",, text/html", CODES_HTML},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(code_format_of(rows[i].accept, strlen(rows[i].accept)) == rows[i].format, "%s", rows[i].accept);
    assert_int_equal(code_format_of(NULL, 0), CODES_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_csv),
        cmocka_unit_test(a_page_has_every_code_once_and_no_script),
        cmocka_unit_test(a_hostile_title_stays_text),
        cmocka_unit_test(the_first_known_type_is_given),
    };
    return cmocka_run_group_tests_name("code_sheet", tests, NULL, NULL);
}
