/* option_index - finds a poll's option by its id, for tallies of many rows. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_OPTION_INDEX_H
#define SCRUTIN_OPTION_INDEX_H

#include "ballot/poll_definition.h"

#define OPTION_INDEX_SLOTS 256 /* a power of two, well above the most options */

/* Borrows the poll. */
struct option_index {
    const struct poll *poll;
    uint8_t lengths[POLL_OPTIONS_MAX];
    uint8_t slots[OPTION_INDEX_SLOTS]; /* 1 + place of the option; 0: free */
};

void option_index_init(struct option_index *index, const struct poll *poll);
/* The place of the option in the poll, or -1. */
int option_index_find(const struct option_index *index, const char *id, size_t len);

#endif
