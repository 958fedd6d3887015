/* map - a hash table from keys, which are bytes, to pointers.
 * SPDX-License-Identifier: MIT
 *
 * Keys are hashed with SipHash-2-4 (Aumasson and Bernstein, 2012) under a random secret of the process, because clients
 * choose some of them. Without the secret, a client cannot find keys that share a slot. A lookup allocates nothing.
 *
 * The map copies no key and owns no value. The bytes of a key must stay as they are while the map has it, so they
 * usually stand inside the value. Not thread-safe: lookups may run side by side, a change needs a lock. */
#ifndef SCRUTIN_MAP_H
#define SCRUTIN_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct map_slot {
    uint64_t hash;
    const void *key;
    size_t len;
    void *value; /* NULL: the slot is free */
};

/* A zeroed map is empty. */
struct map {
    struct map_slot *slots;
    size_t n_slots; /* 0 or a power of two; at least a quarter of the slots are free */
    size_t n;       /* keys */
};

/* Frees the table, but no key and no value. The map is then empty. */
void map_fini(struct map *map);

/* The value of the key, or NULL. */
void *map_get(const struct map *map, const void *key, size_t len);
/* Sets the value, which must not be NULL. If the map already has the key, it keeps the new bytes instead of the old. */
void map_put(struct map *map, const void *key, size_t len, void *value);
/* Removes the key. Returns the value that it had, or NULL. */
void *map_remove(struct map *map, const void *key, size_t len);

/* The next value, in no order, or NULL at the end. The cursor is 0 at first. A caller that removes the key of the value
 * just returned must subtract 1 from the cursor: then some values may come twice, but none is left out. After any other
 * change the walk must begin again. */
void *map_next(const struct map *map, size_t *cursor);

/* The same for a key that is a string; its NUL does not belong to the key. */
static inline void *map_get_text(const struct map *map, const char *key)
{
    return map_get(map, key, strlen(key));
}

static inline void map_put_text(struct map *map, const char *key, void *value)
{
    map_put(map, key, strlen(key), value);
}

static inline void *map_remove_text(struct map *map, const char *key)
{
    return map_remove(map, key, strlen(key));
}

#endif
