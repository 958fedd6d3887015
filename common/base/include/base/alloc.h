/* alloc - gives memory or aborts.
 * SPDX-License-Identifier: MIT
 *
 * No program here can go on without memory, so no caller has to check. The caller frees what these functions give. */
#ifndef SCRUTIN_ALLOC_H
#define SCRUTIN_ALLOC_H

#include <stdbool.h>
#include <stdio.h>
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

/* Resizes an array to n items. New items are not zeroed. */
static inline void *alloc_resize(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n != 0 ? n : 1, size);
    if (p == NULL)
        abort();
    return p;
}

/* A copy of len bytes of text, with a NUL behind them. */
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

/* A stream that writes to memory. alloc_stream_close sets *text and *len, and the caller frees *text. */
static inline FILE *alloc_stream(char **text, size_t *len)
{
    FILE *to = open_memstream(text, len);
    if (to == NULL)
        abort();
    return to;
}

static inline void alloc_stream_close(FILE *to)
{
    bool failed = ferror(to) != 0;
    if (fclose(to) != 0 || failed)
        abort();
}

#endif
