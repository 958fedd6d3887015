/* directory - all polls, in memory, as the bucket `polls` has them.
 * SPDX-License-Identifier: MIT
 *
 * One writer (the bus's watch thread, or a service that just wrote a poll), any number of readers. */
#ifndef SCRUTIN_DIRECTORY_H
#define SCRUTIN_DIRECTORY_H

#include "ballot/poll_definition.h"

struct directory;

struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* Takes over the caller's reference. An older definition than the one held (updated_at_ms) is dropped.
 * Returns whether the directory changed. */
bool directory_put(struct directory *directory, struct poll *poll);
/* The poll with one more reference, or NULL; deleted polls are found too. */
struct poll *directory_find(struct directory *directory, const char *id, size_t len);
/* Up to max polls that are neither deleted nor drafts, newest first, starting after the poll with id `after` ("": from
 * the start; an id that was never there: none; one that was deleted meanwhile still holds its place). Fills out with
 * references and returns their number. */
size_t directory_list(struct directory *directory, const char *after, struct poll **out, size_t max);
/* Calls fn for every poll, deleted ones too, under the directory's read lock. */
void directory_each(struct directory *directory, void (*fn)(void *arg, const struct poll *poll), void *arg);
/* A watch has read the bucket as a whole: deleted polls that nobody has put since the last call are gone from it, and
 * are forgotten. Polls that are not deleted stay: a bucket that was lost is filled again. */
void directory_end_round(struct directory *directory);
size_t directory_count(struct directory *directory);
/* Rises with every change. Who kept a poll found at a version may use it while the version is the same. */
uint64_t directory_version(const struct directory *directory);

#endif
