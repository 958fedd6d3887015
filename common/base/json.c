/* json - checks what jansson does not check, and explains refusals.
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence that quotes the client's text may end within a character, because it was cut here or by jansson. Half a
 * character cannot stand in an answer, which is JSON. */
static void mend_utf8(char *text, size_t len)
{
    size_t n;

    for (size_t at = 0; at < len; at += n) {
        n = utf8_sequence_len(text + at, len - at);
        if (n == 0) {
            text[at] = '?';
            n = 1;
        }
    }
}

void json_error_set(struct json_error *err, const char *pointer, const char *format, ...)
{
    va_list args;

    snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
    va_start(args, format);
    int len = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    mend_utf8(err->text, len >= 0 && len < (int)sizeof(err->text) ? (size_t)len : sizeof(err->text) - 1);
}

/* Counts the levels of arrays and objects, up to JSON_DEPTH_MAX + 1. For text that is not JSON the number means
 * nothing; the parser refuses that text later. The limit of jansson (2,048) is compiled in, and its parser is
 * recursive. */
static int count_levels(const char *data, size_t len)
{
    int depth = 0, deepest = 0;
    bool quoted = false;

    for (size_t i = 0; i < len && deepest <= JSON_DEPTH_MAX; i++) {
        if (quoted) {
            if (data[i] == '\\')
                i++;
            else if (data[i] == '"')
                quoted = false;
        } else if (data[i] == '"') {
            quoted = true;
        } else if (data[i] == '{' || data[i] == '[') {
            if (++depth > deepest)
                deepest = depth;
        } else if (data[i] == '}' || data[i] == ']') {
            depth--;
        }
    }
    return deepest;
}

/* Offset of the first byte that is not part of well-formed UTF-8, or len. */
static size_t find_invalid_utf8(const char *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t n = utf8_sequence_len(data + at, len - at);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

static void explain_refusal(const json_error_t *error, struct json_error *err)
{
    const char *near = strstr(error->text, " near ");
    if (near == NULL)
        near = "";

    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        json_error_set(err, "", "A field appears twice in the same object%s. Send each field once.", near);
        return;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        json_error_set(err, "", "The character U+0000 is not allowed, neither as a byte nor as \\u0000.");
        return;
    case json_error_premature_end_of_input:
        json_error_set(err, "", "The body ends in the middle of the JSON text.");
        return;
    case json_error_end_of_input_expected:
        json_error_set(err, "", "Text follows the JSON object%s. Send one object and nothing else.", near);
        return;
    case json_error_numeric_overflow:
        json_error_set(err, "", "A number is too large%s.", near);
        return;
    default:
        json_error_set(err, "", "The body is not JSON: %s (line %d, column %d).", error->text, error->line,
                       error->column);
    }
}

json_t *json_parse_object(const char *data, size_t len, struct json_error *err)
{
    json_error_t error;

    if (len == 0) {
        json_error_set(err, "", "The body is empty. Send a JSON object.");
        return NULL;
    }
    if (memchr(data, '\0', len) != NULL) {
        json_error_set(err, "", "The character U+0000 is not allowed, neither as a byte nor as \\u0000.");
        return NULL;
    }
    size_t valid = find_invalid_utf8(data, len);
    if (valid < len) {
        json_error_set(err, "", "The body is not valid UTF-8 from byte %zu on.", valid);
        return NULL;
    }
    if (count_levels(data, len) > JSON_DEPTH_MAX) {
        json_error_set(err, "", "The JSON is nested deeper than %d levels.", JSON_DEPTH_MAX);
        return NULL;
    }

    json_t *json = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        explain_refusal(&error, err);
        return NULL;
    }
    if (!json_is_object(json)) {
        json_decref(json);
        json_error_set(err, "", "The body must be a JSON object.");
        return NULL;
    }
    return json;
}

bool json_check_fields(const json_t *object, const char *pointer, const char *const *known, struct json_error *err)
{
    const char *name;
    json_t *value;
    char place[JSON_POINTER_MAX];

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] != NULL)
            continue;

        char list[160];
        size_t len = 0;
        list[0] = '\0';
        for (i = 0; known[i] != NULL && len < sizeof(list); i++)
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i == 0 ? "" : ", ", known[i]);
        json_pointer_append(place, pointer, name);
        json_error_set(err, place, "This field is not known here. The known fields are: %s.", list);
        return false;
    }
    return true;
}

size_t json_count_code_points(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80; /* all but continuation bytes */
    return n;
}

bool json_read_whole(const json_t *value, json_int_t min, json_int_t max, json_int_t *to)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || number < (double)min || number > (double)max || number != (double)(json_int_t)number)
        return false;
    *to = json_is_integer(value) ? json_integer_value(value) : (json_int_t)number;
    return true;
}

void json_pointer_append(char out[JSON_POINTER_MAX], const char *base, const char *field)
{
    char text[JSON_POINTER_MAX];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s/", base);

    /* A pointer that does not fit ends after its last whole character. */
    while (len < sizeof(text) && *field != '\0') {
        size_t n = utf8_sequence_len(field, strlen(field));
        const char *piece = *field == '~' ? "~0" : *field == '/' ? "~1" : field;
        size_t size = piece == field ? n : 2;
        if (n == 0 || len + size >= sizeof(text))
            break;
        memcpy(text + len, piece, size);
        len += size;
        field += n;
    }
    if (len >= sizeof(text))
        len = sizeof(text) - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}
