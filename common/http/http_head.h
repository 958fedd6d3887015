/* http_head - what of a request's head could mean two things to two servers. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_HEAD_H
#define SCRUTIN_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* Looks at the head of an HTTP/1 request, from its first byte, that libh2o has taken; what follows its empty line does
 * not matter. Returns NULL, or a sentence about what it must be refused for (RFC 9112, 3.2, 5.1, 5.2, 6.1, 6.3): folded
 * lines, a space before the colon, several Host, several Content-Length or Transfer-Encoding or both, Transfer-Encoding
 * over HTTP/1.0. libh2o takes one of them and goes on; a proxy before it that took the other would see other requests.
 * That Host is missing is let pass: nginx sends none on for a client of HTTP/1.0 that had none. */
const char *http_head_fault(const char *head, size_t len);

/* Whether the first line is whole and no request line of HTTP: three words or more, and the last one names another
 * protocol. What has two words is taken for HTTP/0.9. */
bool http_head_is_foreign(const char *head, size_t len);

#endif
