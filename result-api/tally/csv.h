/* csv - writes text as comma-separated values: RFC 4180, UTF-8. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_CSV_H
#define SCRUTIN_CSV_H

#include <stdio.h>

#define CSV_TYPE "text/csv; charset=utf-8; header=present"
#define CSV_END "\r\n" /* ends a line */

/* Writes a quoted field.
 *
 * A spreadsheet takes a cell that begins with = + - @ for a formula, and calculates it. It does the same with the
 * full-width and small forms of these signs. So an apostrophe is written before such a sign, and before a tab or a line
 * break, where a cell begins. Blanks, control and format characters, quotes and apostrophes before the sign do not
 * count. A cell begins at the start of the text, and after each `;`, `,`, tab or line break in it, because a
 * spreadsheet may open the file with another separator than the comma.
 *
 * A program gets the text back if it removes one apostrophe at each of these places, and nothing else. */
void csv_write_text(FILE *to, const char *text);

#endif
