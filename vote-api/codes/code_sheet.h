/* code_sheet - new voting codes as JSON, as CSV and as a page to print and cut. Pure.
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
    unsigned issued; /* of the poll, these included */
};

/* What an Accept header asks for (RFC 9110, 12.5.1): the first that is known of the types it names; else JSON. */
enum code_format code_format_of(const char *accept, size_t len);
const char *code_format_type(enum code_format format);

/* The text, for the caller to free with free(out->data). A page has no scripts; its one style is named in csp, a
 * Content-Security-Policy that allows nothing else (CSP level 2, hashes). csp may be NULL. */
#define CODE_SHEET_CSP 256
void code_sheet_write(const struct code_sheet *sheet, enum code_format format, struct bytes *out,
                      char csp[CODE_SHEET_CSP]);

#endif
