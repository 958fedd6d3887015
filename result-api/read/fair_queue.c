/* fair_queue - a list that is sorted by turn.
 * SPDX-License-Identifier: MIT */
#include "read/fair_queue.h"

#include <string.h>

bool fair_queue_add(struct fair_queue *queue, struct fair_item *item, size_t max, size_t max_of_one)
{
    size_t n = 0, n_of_one = 0;
    struct fair_item **at;

    item->turn = queue->turn;
    for (const struct fair_item *one = queue->first; one != NULL; one = one->next) {
        n++;
        if (memcmp(&one->of, &item->of, sizeof(item->of)) != 0)
            continue;
        n_of_one++;
        item->turn = one->turn + 1; /* the last one found has the client's latest turn */
    }
    if (n >= max || n_of_one >= max_of_one)
        return false;
    for (at = &queue->first; *at != NULL && (*at)->turn <= item->turn;)
        at = &(*at)->next;
    item->next = *at;
    *at = item;
    return true;
}

struct fair_item *fair_queue_take(struct fair_queue *queue)
{
    struct fair_item *item = queue->first;

    if (item != NULL) {
        queue->first = item->next;
        queue->turn = item->turn;
    }
    return item;
}
