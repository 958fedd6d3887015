/* etag - entity tags of conditional requests. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ETAG_H
#define SCRUTIN_ETAG_H

#include <stdbool.h>
#include <stddef.h>

/* Says whether the value of If-None-Match (RFC 9110, 13.1.2) names the tag, by weak comparison, or is `*`. The tag has
 * its quotes. list is NULL if there is no such header. */
bool etag_list_has(const char *list, size_t len, const char *etag);

#endif
