/* http_fields - checks of the characters of fields.
 * SPDX-License-Identifier: MIT */
#include "http_fields.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_text(const char *text, size_t len, const char *expected)
{
    return len == strlen(expected) && memcmp(text, expected, len) == 0;
}

/* A quick test for most characters. The lists of excluded characters have none of these. */
static bool is_common(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* Whether all characters are printable ASCII and none is excluded. */
static bool is_free_of(const char *text, size_t len, const char *excluded)
{
    for (size_t i = 0; i < len; i++) {
        if (is_common(text[i]))
            continue;
        if (text[i] <= ' ' || text[i] > '~' || strchr(excluded, text[i]) != NULL)
            return false;
    }
    return true;
}

bool http_is_method(const char *text, size_t len)
{
    return len > 0 && is_free_of(text, len, "\"(),/:;<=>?@[\\]{}");
}

bool http_is_target(const char *method, size_t method_len, const char *path, size_t len)
{
    if (is_text(path, len, "*"))
        return is_text(method, method_len, "OPTIONS");
    if (len == 0 || path[0] != '/')
        return false;
    /* Browsers do not encode every character that RFC 3986 tells them to. So only those characters are refused that
     * would end the path over HTTP/1. */
    for (size_t i = 0; i < len; i++) {
        if (is_blank(path[i]) || path[i] == '#')
            return false;
    }
    return true;
}

bool http_is_authority(const char *text, size_t len)
{
    return len > 0 && is_free_of(text, len, "\"#/<>?@\\^`{|}");
}

bool http_is_field(const char *name, size_t name_len, const char *value, size_t len)
{
    if (name_len == 0 || is_text(name, name_len, "keep-alive") || is_text(name, name_len, "proxy-connection"))
        return false;
    return len == 0 || (!is_blank(value[0]) && !is_blank(value[len - 1]));
}
