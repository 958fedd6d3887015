/* json - strict reading of JSON bodies.
 * SPDX-License-Identifier: MIT
 *
 * RFC 8259 with: valid UTF-8, no duplicate keys, no trailing data, no NUL, at most JSON_DEPTH_MAX levels; unknown
 * fields are refused by name. A refusal carries a JSON pointer (RFC 6901) to the field. */
#ifndef SCRUTIN_JSON_H
#define SCRUTIN_JSON_H

#include "base/status.h"
#include <jansson.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 8 /* levels: no body of ours needs more than 4 */
#define JSON_POINTER_MAX 128

struct json_error {
    char pointer[JSON_POINTER_MAX]; /* "" is the whole body */
    char text[256];                 /* one sentence, valid UTF-8 */
};

/* Parses an object. NULL with *err filled. The caller decrefs. */
json_t *json_parse_object(const char *data, size_t len, struct json_error *err);
/* False with *err filled when object has a field that is not in the NULL-terminated list. */
bool json_check_fields(const json_t *object, const char *pointer, const char *const *known, struct json_error *err);
/* Number of Unicode code points of valid UTF-8. */
size_t json_count_code_points(const char *text);
/* Whether value is a whole number from min to max, which 4.0 is as well as 4 (JSON Schema says so); then into *to. */
bool json_read_whole(const json_t *value, json_int_t min, json_int_t max, json_int_t *to);
/* "%s/%s" with ~ and / escaped. */
void json_pointer_append(char out[JSON_POINTER_MAX], const char *base, const char *field);
/* What does not fit is left out; the text is valid UTF-8, whatever it quotes. */
void json_error_set(struct json_error *err, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
