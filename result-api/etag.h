/* etag - entity tags of conditional requests. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ETAG_H
#define SCRUTIN_ETAG_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the value of If-None-Match (RFC 9110, 13.1.2; NULL: there is none) names the tag, quotes included, by weak
 * comparison, or is `*`. */
bool etag_list_has(const char *list, size_t len, const char *etag);

#endif
