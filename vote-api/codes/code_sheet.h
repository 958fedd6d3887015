/* code_sheet - writes new voting codes as JSON, as CSV, or as a page to print and cut. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_CODE_SHEET_H
#define VOTE_API_CODE_SHEET_H

#include "ballot/keys.h"
#include "ballot/poll_definition.h"

enum code_format { CODES_JSON, CODES_CSV, CODES_HTML };

struct code_sheet {
    const struct poll *poll;
    const char (*codes)[CODE_SYMBOLS];
    size_t n;
    unsigned issued; /* all codes of the poll, with these */
};

/* The format that an Accept header (RFC 9110, 12.5.1) asks for: the first known type in it, else JSON. accept may be
 * NULL when len is 0. */
enum code_format code_format_of(const char *accept, size_t len);
/* The Content-Type of a format. Static. */
const char *code_format_type(enum code_format format);

/* Writes the codes into *out; the caller frees out->data. CODES_HTML also writes csp, a Content-Security-Policy that
 * allows only the style of the page (CSP level 2, hashes). The page has no scripts. csp may be NULL. */
#define CODE_SHEET_CSP 256
void code_sheet_write(const struct code_sheet *sheet, enum code_format format, struct bytes *out,
                      char csp[CODE_SHEET_CSP]);

#endif
