/* utf8 - checks UTF-8, one sequence (character) at a time. Any thread.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_UTF8_H
#define SCRUTIN_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the well-formed sequence at the start of text: 1 to 4 bytes, or 0 when there is none. The ranges come
 * from the Unicode Standard, table 3-7: no overlong forms, no surrogates, nothing after U+10FFFF. */
static inline size_t utf8_sequence_len(const char *text, size_t left)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len;
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */

    if (left == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        len = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        len = 3;
        low = s[0] == 0xe0 ? 0xa0 : 0x80;
        high = s[0] == 0xed ? 0x9f : 0xbf;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        len = 4;
        low = s[0] == 0xf0 ? 0x90 : 0x80;
        high = s[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < len || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* Whether text is well-formed and has at most max code points. */
static inline bool utf8_is_valid(const char *text, size_t len, size_t max)
{
    size_t n = 0;
    while (len != 0) {
        size_t step = utf8_sequence_len(text, len);
        if (step == 0 || ++n > max)
            return false;
        text += step;
        len -= step;
    }
    return true;
}

#endif
