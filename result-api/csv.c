/* csv - fields that a spreadsheet takes for what they are.
 * SPDX-License-Identifier: MIT */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

/* OWASP, "CSV Injection". */
static bool starts_formula(const char *text)
{
    return text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL;
}

void csv_write_text(FILE *to, const char *text)
{
    fputc('"', to);
    if (starts_formula(text))
        fputc('\'', to);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}
