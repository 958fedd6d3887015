/* grow - arrays that double their room, so that the cost of adding an element does not depend on their length.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_GROW_H
#define SCRUTIN_GROW_H

#include "base/alloc.h"

static inline void *grow_to(void *array, size_t *room, size_t wanted, size_t size)
{
    size_t more = *room < 8 ? 16 : 2 * *room;
    *room = more < wanted ? wanted : more;
    return alloc_resize(array, *room, size);
}

/* Makes room for at least `wanted` elements. array and room (size_t, elements) are variables, both zero for an empty
 * array. New elements are not initialised; the caller frees the array. */
#define GROW(array, room, wanted)                                                                                      \
    do {                                                                                                               \
        if ((room) < (wanted))                                                                                         \
            (array) = grow_to((array), &(room), (wanted), sizeof(*(array)));                                           \
    } while (0)

#endif
