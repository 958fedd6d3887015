/* text_rules - classifies code points with utf8proc's copy of the Unicode Character Database.
 * SPDX-License-Identifier: MIT */
#include "polls/text_rules.h"

#include "base/alloc.h"
#include <stdio.h>
#include <utf8proc.h>

/* Reads one code point and moves *text behind it. */
static utf8proc_int32_t next_code_point(const char **text)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)*text, -1, &c);

    if (len <= 0) { /* not valid UTF-8; callers have checked that */
        (*text)++;
        return 0xfffd;
    }
    *text += len;
    return c;
}

/* White space, and characters that look like it: the blank Braille pattern and the fillers of Hangul. */
static bool is_space(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return true;
    default:
        return (c >= '\t' && c <= '\r') || c == 0x85 || c == 0x2800 || c == 0x115f || c == 0x1160 || c == 0x3164 ||
               c == 0xffa0;
    }
}

/* Characters that are invisible by themselves (Default_Ignorable_Code_Point). */
static bool is_invisible(utf8proc_int32_t c)
{
    return utf8proc_get_property(c)->ignorable;
}

/* Invisible characters that do not change how others look. Some invisible characters do: U+200C and U+200D, the
 * variation selectors, and the tags that turn a black flag into the flag of Scotland. */
static bool is_dropped(utf8proc_int32_t c)
{
    return c == 0xad || c == 0x34f || c == 0x61c || c == 0x200b || c == 0x200e || c == 0x200f ||
           (c >= 0x2060 && c <= 0x2064) || c == 0xfeff;
}

static bool turns_direction(utf8proc_int32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(utf8proc_int32_t c, enum text_kind kind)
{
    bool is_line_end = c == '\n' || c == 0x2028 || c == 0x2029;

    if (is_line_end || c == '\t')
        return kind == TEXT_LINE;
    return utf8proc_category(c) == UTF8PROC_CATEGORY_CC;
}

bool text_check(const char *text, enum text_kind kind, const char *name, char fault[TEXT_FAULT_MAX])
{
    bool shows = *text == '\0' && kind == TEXT_LINES;

    while (*text != '\0') {
        if (*text >= '!' && *text <= '~') { /* the usual case, without a lookup */
            shows = true;
            text++;
            continue;
        }
        utf8proc_int32_t c = next_code_point(&text);
        if (is_control(c, kind)) {
            snprintf(fault, TEXT_FAULT_MAX, "%.100s has the control character U+%04X; leave it out.", name,
                     (unsigned)c);
            return false;
        }
        if (turns_direction(c)) {
            snprintf(fault, TEXT_FAULT_MAX,
                     "%.100s has the character U+%04X, which turns the direction of text; leave it out.", name,
                     (unsigned)c);
            return false;
        }
        shows = shows || (!is_space(c) && !is_invisible(c));
    }
    if (!shows)
        snprintf(fault, TEXT_FAULT_MAX, "%.100s is blank; write something that can be seen.", name);
    return shows;
}

/* Copies the text with one space between words, none at the ends, and without the characters that is_dropped names. */
static char *squeeze_spaces(const char *text)
{
    char *out = alloc_bytes(strlen(text) + 1), *to = out;
    bool pending = false; /* a space comes before the next word */

    while (*text != '\0') {
        const char *start = text;
        utf8proc_int32_t c = next_code_point(&text);
        if (is_dropped(c))
            continue;
        if (is_space(c)) {
            pending = to != out;
            continue;
        }
        if (pending)
            *to++ = ' ';
        pending = false;
        memcpy(to, start, (size_t)(text - start));
        to += text - start;
    }
    *to = '\0';
    return out;
}

char *text_fold(const char *text)
{
    char *squeezed = squeeze_spaces(text);
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)squeezed, 0, &folded,
                                        UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);

    if (len == UTF8PROC_ERROR_NOMEM)
        abort();
    if (len < 0) /* not valid UTF-8 */
        return squeezed;
    free(squeezed);
    return (char *)folded;
}
