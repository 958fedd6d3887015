/* http_fields - checks the fields of an HTTP/2 request that libh2o does not check. Pure.
 * SPDX-License-Identifier: MIT
 *
 * By RFC 9113, 8.2 and 8.3.1; the characters are those of RFC 9110, 5.6.2 and RFC 3986. A text needs no NUL at its end.
 * libh2o itself refuses control characters, upper-case names, and pseudo-header fields that are unknown, repeated, late
 * or missing. */
#ifndef SCRUTIN_HTTP_FIELDS_H
#define SCRUTIN_HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/* `:method`: a token, of at least one character. */
bool http_is_method(const char *text, size_t len);
/* `:path`: begins with a slash, or is `*` with OPTIONS; has no blanks and no fragment. */
bool http_is_target(const char *method, size_t method_len, const char *path, size_t len);
/* `:authority`: host and port; not empty, and without the name of a user. */
bool http_is_authority(const char *text, size_t len);
/* Any other field: has a name, is not one of HTTP/1's fields for a single connection (RFC 9113, 8.2.2), and has no
 * blank at either end of its value (8.2.1). libh2o refuses `connection`, `transfer-encoding` and `upgrade` itself. */
bool http_is_field(const char *name, size_t name_len, const char *value, size_t len);

#endif
