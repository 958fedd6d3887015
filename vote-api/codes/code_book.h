/* code_book - the hashes of all voting codes, in memory, by poll.
 * SPDX-License-Identifier: MIT
 *
 * Each poll has a hash table of its own kind, because base/map.h would need 32 bytes for each slot beside the hash. A
 * hash is its own slot here. The table is at most three quarters full. It takes 22 to 43 bytes for each code, at least
 * 1 KiB, and half as much again while it grows. Measured with 900,000 codes: the process grows by 65 bytes for each
 * code, with the memory for reading them. Any thread. A reader waits for at most CODE_BOOK_SLICE insertions. */
#ifndef VOTE_API_CODE_BOOK_H
#define VOTE_API_CODE_BOOK_H

#include "ballot/poll_definition.h"

#define CODE_BOOK_SLICE 256 /* hashes */

struct code_book;

struct code_book *code_book_new(void);
void code_book_free(struct code_book *book); /* NULL is fine */

/* Adds n hashes of CODE_HASH bytes. A hash that is already there changes nothing. */
void code_book_add(struct code_book *book, const char *poll, const uint8_t *hashes, size_t n);
bool code_book_has(struct code_book *book, const char *poll, const uint8_t hash[CODE_HASH]);
/* Number of codes of a poll. */
size_t code_book_count(struct code_book *book, const char *poll);
/* Removes all codes of a poll. */
void code_book_drop(struct code_book *book, const char *poll);
/* Number of codes of all polls. */
size_t code_book_total(struct code_book *book);

#endif
