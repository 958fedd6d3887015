/* http_head - finds heads of HTTP/1 requests that two servers could read differently. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_HEAD_H
#define SCRUTIN_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* Checks the head of an HTTP/1 request that libh2o has accepted, from its first byte. Bytes after the empty line do not
 * matter. Returns NULL when the head is clear, or else a sentence about its fault (RFC 9112, 3.2, 5.1, 5.2, 6.1, 6.3):
 *
 * - a folded line, or a space between the name of a field and the colon
 * - more than one Host
 * - more than one Content-Length or Transfer-Encoding, or both
 * - Transfer-Encoding over HTTP/1.0
 *
 * libh2o takes one of several fields and goes on. A proxy in front that takes the other one would see other requests on
 * the connection (request smuggling). A missing Host is accepted: nginx sends none when its HTTP/1.0 client sent none.
 */
const char *http_head_fault(const char *head, size_t len);

/* Whether the first line is complete and is not a request line of HTTP: it has three words or more, and the last one
 * does not begin with `HTTP/`. A line of two words counts as HTTP/0.9. */
bool http_head_is_foreign(const char *head, size_t len);

#endif
