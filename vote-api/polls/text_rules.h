/* text_rules - which texts people may enter, and which two texts read the same. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_TEXT_RULES_H
#define VOTE_API_TEXT_RULES_H

#include <stdbool.h>
#include <stddef.h>

enum text_kind {
    TEXT_LINE,  /* one line with something visible */
    TEXT_LINES, /* may have line ends and tabs; empty, or with something visible */
};

#define TEXT_FAULT_MAX 200 /* bytes of a sentence, with its NUL */

/* Checks valid UTF-8. Returns false with a sentence in `fault` if the text has
 *
 * - a control character (general category Cc), or in TEXT_LINE a line or paragraph separator;
 * - a character that changes the direction of the text behind it (UAX 9, explicit formatting), because a label could
 *   then read as another text. The marks of right-to-left writing, U+200E, U+200F and U+061C, are allowed;
 * - only white space and invisible characters.
 *
 * U+200C and U+200D, which join or separate letters and emoji, are allowed beside visible characters. The sentence
 * begins with `name`, the name of the field. It gives the number of the character and does not repeat the text. */
bool text_check(const char *text, enum text_kind kind, const char *name, char fault[TEXT_FAULT_MAX]);

/* Folds a text so that two texts that read the same become equal: NFC, case folding, white space collapsed and trimmed,
 * invisible characters dropped. The caller frees the result. The text must be valid UTF-8 that text_check accepts. */
char *text_fold(const char *text);

#endif
