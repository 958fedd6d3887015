/* text_rules - what a text that a person enters must not be, and when two of them read the same. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_TEXT_RULES_H
#define VOTE_API_TEXT_RULES_H

#include <stdbool.h>
#include <stddef.h>

enum text_kind {
    TEXT_LINE,  /* one line, which shows something */
    TEXT_LINES, /* may have line ends and tabs, and may be empty; what is not empty shows something */
};

#define TEXT_FAULT_MAX 200 /* bytes of a sentence, with its NUL */

/* False with a sentence that begins with the name of the field where valid UTF-8 has
 *
 * - a control character (general category Cc), in one line also a line or paragraph separator;
 * - a character that turns the direction of what follows (UAX 9, explicit formatting): a label could show another text
 *   than it is. The marks that right-to-left writing uses, U+200E, U+200F and U+061C, are welcome;
 * - nothing to see: white space and invisible characters alone.
 *
 * What joins or keeps apart letters and emoji, U+200C and U+200D, is welcome between others. The sentence names the
 * character by its number and does not repeat the text. */
bool text_check(const char *text, enum text_kind kind, const char *name, char fault[TEXT_FAULT_MAX]);

/* What two texts have in common that a person reads as the same: NFC, case folding, white space collapsed and trimmed,
 * invisible characters left out. The caller frees it. Only for valid UTF-8 that text_check lets pass. */
char *text_fold(const char *text);

#endif
