/* etag - reads the list of tags from left to right.
 * SPDX-License-Identifier: MIT */
#include "etag.h"

#include <string.h>

bool etag_list_has(const char *list, size_t len, const char *etag)
{
    const char *p = list, *end = list + len;
    size_t etag_len = strlen(etag);

    while (list != NULL) {
        while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
            p++;
        if (p == end)
            break;
        if (*p == '*')
            return true;
        if (end - p > 2 && p[0] == 'W' && p[1] == '/')
            p += 2;
        if (*p != '"') /* not a list of tags */
            break;
        const char *start = p;
        p = memchr(start + 1, '"', (size_t)(end - start - 1));
        if (p == NULL)
            break;
        p++;
        if ((size_t)(p - start) == etag_len && memcmp(start, etag, etag_len) == 0)
            return true;
    }
    return false;
}
