/* option_index - finds a poll's option by its id, for tallies with many rows. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_OPTION_INDEX_H
#define SCRUTIN_OPTION_INDEX_H

#include "ballot/poll_definition.h"
#include "base/map.h"

/* Borrows the poll. */
struct option_index {
    const struct poll *poll;
    struct map by_id; /* struct poll_option */
};

void option_index_init(struct option_index *index, const struct poll *poll);
void option_index_fini(struct option_index *index);
/* Returns the index of the option in the poll, or -1. */
int option_index_find(const struct option_index *index, const char *id, size_t len);

#endif
