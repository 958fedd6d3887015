/* alloc - memory or the end of the process: running out of it is no state that anything here can go on from.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ALLOC_H
#define SCRUTIN_ALLOC_H

#include <stdlib.h>
#include <string.h>

static inline void *alloc_bytes(size_t size)
{
    void *p = malloc(size != 0 ? size : 1);
    if (p == NULL)
        abort();
    return p;
}

/* n zeroed items. */
static inline void *alloc_items(size_t n, size_t size)
{
    void *p = calloc(n != 0 ? n : 1, size);
    if (p == NULL)
        abort();
    return p;
}

/* realloc to n items; what is new is not zeroed. */
static inline void *alloc_resize(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n != 0 ? n : 1, size);
    if (p == NULL)
        abort();
    return p;
}

/* A copy of len bytes of text and a NUL. */
static inline char *alloc_text(const char *text, size_t len)
{
    char *p = alloc_bytes(len + 1);
    if (len != 0)
        memcpy(p, text, len);
    p[len] = '\0';
    return p;
}

/* A copy of a string; NULL gives NULL. */
static inline char *alloc_copy(const char *text)
{
    return text == NULL ? NULL : alloc_text(text, strlen(text));
}

#endif
