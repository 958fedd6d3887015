/* http_head - counts the fields that say where a request ends and which host it is for.
 * SPDX-License-Identifier: MIT */
#include "http_head.h"

#include <string.h>
#include <strings.h>

struct field_counts {
    unsigned host, length, encoding, folded, spaced;
};

/* Adds to *n if the line is a field of this name. */
static void count_field(struct field_counts *counts, unsigned *n, const char *line, size_t len, const char *name)
{
    size_t size = strlen(name);

    if (len <= size || strncasecmp(line, name, size) != 0)
        return;
    *n += line[size] == ':';
    counts->spaced += line[size] == ' ' || line[size] == '\t';
}

/* The first letter is enough to skip most lines. */
static void count_line(struct field_counts *counts, const char *line, size_t len)
{
    switch (line[0]) {
    case ' ':
    case '\t':
        counts->folded++;
        break;
    case 'H':
    case 'h':
        count_field(counts, &counts->host, line, len, "host");
        break;
    case 'C':
    case 'c':
        count_field(counts, &counts->length, line, len, "content-length");
        break;
    case 'T':
    case 't':
        count_field(counts, &counts->encoding, line, len, "transfer-encoding");
        break;
    default:
        break;
    }
}

static bool is_http11(const char *line, size_t len)
{
    static const char version[] = "HTTP/1.1";
    size_t size = sizeof(version) - 1;

    return len >= size && memcmp(line + len - size, version, size) == 0;
}

/* The length of the line at p, without its line break. *next is the line after it; NULL: there is no line break. */
static size_t read_line(const char *p, const char *end, const char **next)
{
    const char *feed = memchr(p, '\n', (size_t)(end - p));

    *next = feed == NULL ? NULL : feed + 1;
    if (feed == NULL)
        return (size_t)(end - p);
    return (size_t)(feed - p) - (feed > p && feed[-1] == '\r');
}

const char *http_head_fault(const char *head, size_t len)
{
    struct field_counts counts = {0};
    const char *end = head + len, *p = head;
    bool began = false, modern = false;

    while (p != NULL && p < end) {
        const char *next;
        size_t line = read_line(p, end, &next);
        if (line == 0 && began) /* empty lines may stand before a request (RFC 9112, 2.2) */
            break;
        if (began)
            count_line(&counts, p, line);
        else if (line > 0)
            modern = is_http11(p, line);
        began = began || line > 0;
        p = next;
    }
    if (counts.folded > 0)
        return "A header field must not continue on the next line.";
    if (counts.spaced > 0)
        return "A header field must not have a space before its colon.";
    if (counts.host > 1)
        return "A request must have only one Host field.";
    if (counts.length + counts.encoding > 1)
        return "A request must have only one Content-Length field or one Transfer-Encoding field, not both.";
    if (counts.encoding > 0 && !modern)
        return "Transfer-Encoding needs HTTP/1.1.";
    return NULL;
}

bool http_head_is_foreign(const char *head, size_t len)
{
    const char *end = head + len;
    unsigned words = 1;

    while (head < end && (*head == '\r' || *head == '\n'))
        head++;
    const char *word = head, *feed = memchr(head, '\n', (size_t)(end - head));
    for (const char *p = head; feed != NULL && p < feed; p++) {
        if (*p == ' ') {
            words++;
            word = p + 1;
        }
    }
    return feed != NULL && words >= 3 && (feed - word < 5 || memcmp(word, "HTTP/", 5) != 0);
}
