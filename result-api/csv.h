/* csv - text in comma-separated values: RFC 4180, UTF-8.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_CSV_H
#define SCRUTIN_CSV_H

#include <stdio.h>

#define CSV_TYPE "text/csv; charset=utf-8; header=present"
#define CSV_END "\r\n" /* of a line */

/* A quoted field. Where the text begins with what a spreadsheet would take for the start of a formula (= + - @, a tab
 * or a line break) it gets an apostrophe in front; whoever reads the file by program takes that away again. */
void csv_write_text(FILE *to, const char *text);

#endif
