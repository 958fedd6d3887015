/* http_fields - which fields of an HTTP/2 request are malformed, where libh2o takes any. Pure.
 * SPDX-License-Identifier: MIT
 *
 * RFC 9113, 8.2 and 8.3.1, with RFC 9110 for the characters. The texts need no NUL at their end. libh2o itself refuses
 * control characters, upper-case names, and pseudo-header fields that are unknown, repeated, late or missing. */
#ifndef SCRUTIN_HTTP_FIELDS_H
#define SCRUTIN_HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/* `:method`: a token, of at least one character. */
bool http_is_method(const char *text, size_t len);
/* `:path`: begins with a slash, or is `*` for OPTIONS; without blanks and without a fragment. */
bool http_is_target(const char *method, size_t method_len, const char *path, size_t len);
/* `:authority`: host and port, not empty, without a user's name. */
bool http_is_authority(const char *text, size_t len);
/* Any other field: has a name, does not concern a single connection as HTTP/1's do, has no blank around its value. */
bool http_is_field(const char *name, size_t name_len, const char *value, size_t len);

#endif
