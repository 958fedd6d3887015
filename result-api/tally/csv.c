/* csv - writes fields that no spreadsheet takes for formulas, with any separator.
 * SPDX-License-Identifier: MIT */
#include "tally/csv.h"

#include "base/utf8.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Returns the code point of a well-formed sequence, or the first byte of anything else. */
static uint32_t code_point(const char *text, size_t len)
{
    uint32_t point = (unsigned char)text[0];

    if (len > 1)
        point &= 0xffu >> (len + 1);
    for (size_t i = 1; i < len; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3f);
    return point;
}

/* Says whether a formula can begin with the character (OWASP, "CSV Injection"). Spreadsheets treat the full-width and
 * small forms and the minus sign like the ASCII signs. */
static bool is_sign(uint32_t c)
{
    static const uint32_t wide[] = {0xff1d, 0xff0b, 0xff0d, 0xff20, 0xfe66, 0xfe62, 0xfe63, 0xfe6b, 0x2212};

    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (c == wide[i])
            return true;
    return c != 0 && c < 0x80 && strchr("=+-@\t\r\n", (int)c) != NULL;
}

/* French and German spreadsheets divide a line at semicolons. Text that is pasted is divided at tabs. */
static bool ends_cell(uint32_t c)
{
    return c != 0 && c < 0x80 && strchr(";,\t\r\n", (int)c) != NULL;
}

/* Says whether a spreadsheet may drop the character before it looks for a sign: blanks, control and format characters,
 * quotes. The apostrophe is one of them, so that an apostrophe of the text is not taken for one of ours. */
static bool may_be_dropped(uint32_t c)
{
    return c <= ' ' || c == '"' || c == '\'' || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x61c || c == 0x1680 ||
           c == 0x180e || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
           (c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff;
}

void csv_write_text(FILE *to, const char *text)
{
    bool begins = true; /* a cell may begin here */

    fputc('"', to);
    for (size_t left = strlen(text); left > 0;) {
        size_t len = utf8_sequence_len(text, left);
        if (len == 0)
            len = 1;
        uint32_t c = code_point(text, len);
        if (begins && is_sign(c))
            fputc('\'', to);
        if (c == '"')
            fputc('"', to);
        fwrite(text, 1, len, to);
        begins = ends_cell(c) || (begins && may_be_dropped(c));
        text += len;
        left -= len;
    }
    fputc('"', to);
}
