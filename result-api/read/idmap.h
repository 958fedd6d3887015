/* idmap - a hash table from poll ids to pointers.
 * SPDX-License-Identifier: MIT
 *
 * The caller owns what the pointers point at. One thread at a time. */
#ifndef SCRUTIN_IDMAP_H
#define SCRUTIN_IDMAP_H

#include "ballot/poll_definition.h"

struct idmap_slot {
    char id[POLL_ID_MAX + 1];
    void *value; /* NULL: the slot is free */
};

/* A zeroed map is empty. */
struct idmap {
    struct idmap_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t used;
};

/* The value of the id, or NULL. */
void *idmap_get(const struct idmap *map, const char *id);
/* Sets the value, which is not NULL, whether or not the id has one. */
void idmap_put(struct idmap *map, const char *id, void *value);
/* Takes the id out and returns the value it had, or NULL. */
void *idmap_remove(struct idmap *map, const char *id);
/* The next value behind the cursor, 0 at first, or NULL at the end. After removing the id just returned, step the
 * cursor back by one; a value may then come twice, and none is passed over. */
void *idmap_next(const struct idmap *map, size_t *cursor);
void idmap_fini(struct idmap *map);

#endif
