/* fair_queue - what waits for a thread, so that nobody who asks for much keeps others waiting. Pure.
 * SPDX-License-Identifier: MIT
 *
 * Clients are served in turn, like packets of flows (start-time fair queueing; Goyal, Vin and Cheng, 1996, with items
 * of equal length): an item's turn is one after that of its client's item before it, and of another client the present
 * one. */
#ifndef SCRUTIN_FAIR_QUEUE_H
#define SCRUTIN_FAIR_QUEUE_H

#include "http/address.h"
#include <stddef.h>

/* The first member of what waits. */
struct fair_item {
    struct fair_item *next;
    struct address of; /* the client's network, set by whoever adds it */
    uint64_t turn;
};

/* Zeroed: empty. */
struct fair_queue {
    struct fair_item *first; /* by turn, of one turn the oldest first */
    uint64_t turn;           /* of the item that was taken last */
};

/* False: max items wait, or max_of_one of this client. Looks at all items. */
bool fair_queue_add(struct fair_queue *queue, struct fair_item *item, size_t max, size_t max_of_one);
/* NULL: it is empty. */
struct fair_item *fair_queue_take(struct fair_queue *queue);

#endif
