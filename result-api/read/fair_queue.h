/* fair_queue - a queue of jobs in which clients take turns. Pure.
 * SPDX-License-Identifier: MIT
 *
 * Start-time fair queueing (Goyal, Vin and Cheng, 1996) with items of equal length. Every item has a turn. If its
 * client has items in the queue, its turn is one after the client's last item. Otherwise its turn is the present one.
 */
#ifndef SCRUTIN_FAIR_QUEUE_H
#define SCRUTIN_FAIR_QUEUE_H

#include "http/address.h"
#include <stddef.h>

/* The first member of a job. */
struct fair_item {
    struct fair_item *next;
    struct address of; /* the client's network, which the caller sets */
    uint64_t turn;
};

/* A zeroed queue is empty. */
struct fair_queue {
    struct fair_item *first; /* by turn; items of one turn by age */
    uint64_t turn;           /* of the last item taken */
};

/* False: max items wait already, or max_of_one items of this client. Takes time for every item in the queue. */
bool fair_queue_add(struct fair_queue *queue, struct fair_item *item, size_t max, size_t max_of_one);
/* NULL: the queue is empty. */
struct fair_item *fair_queue_take(struct fair_queue *queue);

#endif
