/* code_watch - keeps the code book equal to the bucket `codes`.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_CODE_WATCH_H
#define VOTE_API_CODE_WATCH_H

#include "ballot/directory.h"
#include "bus/bus.h"
#include "codes/code_book.h"
#include <stdatomic.h>

/* The caller fills it; it must live as long as the bus. */
struct code_watch {
    struct bus *bus;
    struct directory *polls;
    struct code_book *book;
    atomic_bool is_known; /* the whole bucket was read once */
};

/* Begins to read the bucket. Errors as bus_watch_bucket. */
MUST_CHECK enum status code_watch_start(struct code_watch *watch, struct errmsg *err);
/* For struct http_check; arg is the watch. */
bool code_watch_is_ready(void *watch, char detail[128]);
/* Whether the book has all codes of this poll, as far as this process knows. If so, a code that is not in the book is
 * wrong. */
bool code_watch_has_all(struct code_watch *watch, const struct poll *poll);
/* Drops the codes of the poll from memory if the directory says that it was deleted. Any thread. */
void code_watch_on_poll_change(struct code_watch *watch, const char *poll);
/* Removes a deleted poll's codes from memory and from the bucket. Blocks, so it must not run on a loop. */
void code_watch_purge(struct code_watch *watch, const char *poll);

#endif
