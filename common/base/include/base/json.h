/* json - reads JSON bodies strictly.
 * SPDX-License-Identifier: MIT
 *
 * RFC 8259, and also: valid UTF-8, no duplicate keys, nothing behind the object, no NUL, at most JSON_DEPTH_MAX levels.
 * An unknown field is refused by its name. A refusal has a JSON pointer (RFC 6901) to the field. Any thread. */
#ifndef SCRUTIN_JSON_H
#define SCRUTIN_JSON_H

#include "base/status.h"
#include <jansson.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 8 /* levels; our bodies need at most 4 */
#define JSON_POINTER_MAX 128

struct json_error {
    char pointer[JSON_POINTER_MAX]; /* "" means the whole body */
    char text[256];                 /* one sentence, valid UTF-8 */
};

/* Parses an object, which the caller decrefs. NULL: it is refused, and *err says why. */
json_t *json_parse_object(const char *data, size_t len, struct json_error *err);
/* False, with *err filled in, when the object has a field that is not in the NULL-terminated list. */
bool json_check_fields(const json_t *object, const char *pointer, const char *const *known, struct json_error *err);
/* The number of Unicode code points of valid UTF-8. */
size_t json_count_code_points(const char *text);
/* Whether value is a whole number from min to max, which is then put into *to. 4.0 is whole, as in JSON Schema. */
bool json_read_whole(const json_t *value, json_int_t min, json_int_t max, json_int_t *to);
/* "%s/%s" with ~ and / escaped. */
void json_pointer_append(char out[JSON_POINTER_MAX], const char *base, const char *field);
/* Fills in *err. A text that is too long is cut. The result is valid UTF-8, even when it quotes text that is not. */
void json_error_set(struct json_error *err, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
