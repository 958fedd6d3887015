/* csv - text in comma-separated values: RFC 4180, UTF-8.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_CSV_H
#define SCRUTIN_CSV_H

#include <stdio.h>

#define CSV_TYPE "text/csv; charset=utf-8; header=present"
#define CSV_END "\r\n" /* of a line */

/* Writes a quoted field. A cell can begin at the start of the text, and after each `;`, `,`, tab or line break in it: a
 * spreadsheet may open the file with another separator than the comma. Where a cell would begin with = + - @, one of
 * their full-width or small forms, a tab or a line break, an apostrophe goes in front of that character, so that no
 * spreadsheet calculates it. Blanks, control and format characters, quotes and apostrophes before it do not count.
 *
 * A program gets the text back when it takes away one apostrophe at each of these places, and nothing else. */
void csv_write_text(FILE *to, const char *text);

#endif
