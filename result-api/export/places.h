/* places - who has a file of ballots on its way, and who may begin one.
 * SPDX-License-Identifier: MIT
 *
 * There are few places. An address has one for each poll and half of all at most, so that one client does not have all
 * of them. When they are all taken, who is refused leaves a wish, and a file whose client is slow gives its place up
 * for it. Thread-safe. */
#ifndef SCRUTIN_PLACES_H
#define SCRUTIN_PLACES_H

#include "ballot/poll_definition.h"
#include "http/address.h"
#include <stddef.h>

struct places;

/* One that was taken; the first member of whoever takes it. */
struct place {
    struct place *next;
    struct address of; /* the client's network */
    char poll[POLL_ID_MAX + 1];
};

enum places_answer { PLACES_TAKEN, PLACES_POLL_HAS_ONE, PLACES_ADDRESS_HAS_HALF, PLACES_FULL };

/* The process's: they are never freed. */
struct places *places_new(size_t max);
/* Takes a place, which the caller has zeroed. The place is lent until places_leave. */
enum places_answer places_take(struct places *places, struct place *place, const struct address *client,
                               const char *poll);
void places_leave(struct places *places, struct place *place);
/* Whether somebody was refused since the last time because all places were taken; the asker gives up its own then. */
bool places_grant_wish(struct places *places);

#endif
