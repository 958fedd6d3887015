/* code_book - the hashes of all voting codes, in memory, by poll.
 * SPDX-License-Identifier: MIT
 *
 * A hash table a poll, filled to at most three quarters: 22 to 43 bytes a code, 1 KiB at least for a poll with codes,
 * and half as much again while it grows. Measured: a process that has read 900,000 codes is larger by 65 bytes a code,
 * what it read them with included. Any thread; readers wait for no more than CODE_BOOK_SLICE insertions. */
#ifndef VOTE_API_CODE_BOOK_H
#define VOTE_API_CODE_BOOK_H

#include "ballot/poll_definition.h"

#define CODE_BOOK_SLICE 256

struct code_book;

struct code_book *code_book_new(void);
void code_book_free(struct code_book *book); /* NULL is fine */

/* Adds n hashes of CODE_HASH bytes; those that are there already change nothing. */
void code_book_add(struct code_book *book, const char *poll, const uint8_t *hashes, size_t n);
bool code_book_has(struct code_book *book, const char *poll, const uint8_t hash[CODE_HASH]);
/* Codes of a poll. */
size_t code_book_count(struct code_book *book, const char *poll);
/* Forgets a poll's codes. */
void code_book_drop(struct code_book *book, const char *poll);
/* Codes of all polls. */
size_t code_book_total(struct code_book *book);

#endif
