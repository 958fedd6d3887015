/* directory - all polls of the bucket `polls`, in memory.
 * SPDX-License-Identifier: MIT
 *
 * Thread-safe. The watch of the bucket writes, and so does a service that has just stored a poll. */
#ifndef SCRUTIN_DIRECTORY_H
#define SCRUTIN_DIRECTORY_H

#include "ballot/poll_definition.h"

struct directory;

struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* Takes over the caller's reference. Drops a definition that is not newer (updated_at_ms) than the one in the
 * directory. Returns whether the directory changed. */
bool directory_put(struct directory *directory, struct poll *poll);
/* The poll with this id, with a reference for the caller, or NULL. It may be deleted. */
struct poll *directory_find(struct directory *directory, const char *id, size_t len);
/* Lists polls that are neither deleted nor drafts, newest first, at most max. The list begins behind the poll with the
 * id `after`, which may be deleted; "": with the newest poll. An unknown id gives an empty list. Fills out with
 * references for the caller and returns their number. */
size_t directory_list(struct directory *directory, const char *after, struct poll **out, size_t max);
/* Calls fn for every poll, also for deleted ones, under the read lock of the directory. fn must not call the directory.
 */
void directory_each(struct directory *directory, void (*fn)(void *arg, const struct poll *poll), void *arg);
/* Call it when the watch has read the whole bucket. Removes the deleted polls that were not put since the last call:
 * the bucket no longer has them. Other polls stay, because a lost bucket is filled again. */
void directory_end_round(struct directory *directory);
size_t directory_count(struct directory *directory);
/* Rises with every change. A poll that was found at a version is current while the version stays the same. */
uint64_t directory_version(const struct directory *directory);

#endif
