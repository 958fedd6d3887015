/* idmap - open addressing, linear probing, deletion by moving later entries up.
 * SPDX-License-Identifier: MIT */
#include "read/idmap.h"

#include "base/alloc.h"
#include <assert.h>

#define FIRST_CAPACITY 64

/* FNV-1a. Nobody but the instance itself chooses which polls exist, and the directory has thinned them out. */
static size_t hash(const char *id)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *id != '\0'; id++)
        h = (h ^ (uint8_t)*id) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds the id, or the free one where it belongs. The map has at least one free slot. */
static struct idmap_slot *find(const struct idmap *map, const char *id)
{
    for (size_t i = hash(id) & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1))
        if (map->slots[i].value == NULL || strcmp(map->slots[i].id, id) == 0)
            return &map->slots[i];
}

static void grow(struct idmap *map)
{
    struct idmap old = *map;

    map->capacity = old.capacity == 0 ? FIRST_CAPACITY : old.capacity * 2;
    map->slots = alloc_items(map->capacity, sizeof(*map->slots));
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value != NULL)
            *find(map, old.slots[i].id) = old.slots[i];
    free(old.slots);
}

void *idmap_get(const struct idmap *map, const char *id)
{
    return map->capacity == 0 ? NULL : find(map, id)->value;
}

void idmap_put(struct idmap *map, const char *id, void *value)
{
    size_t len = strlen(id);

    assert(value != NULL && len <= POLL_ID_MAX);
    if ((map->used + 1) * 4 > map->capacity * 3)
        grow(map);
    struct idmap_slot *slot = find(map, id);
    if (slot->value == NULL) {
        memcpy(slot->id, id, len + 1);
        map->used++;
    }
    slot->value = value;
}

void *idmap_remove(struct idmap *map, const char *id)
{
    struct idmap_slot *slot = map->capacity == 0 ? NULL : find(map, id);
    size_t mask = map->capacity - 1;

    if (slot == NULL || slot->value == NULL)
        return NULL;
    void *value = slot->value;
    size_t hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        /* An entry may move up when its own place is not between the hole and where it is. */
        if (((i - hash(map->slots[i].id)) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole].value = NULL;
    map->used--;
    return value;
}

void *idmap_next(const struct idmap *map, size_t *cursor)
{
    while (*cursor < map->capacity) {
        void *value = map->slots[(*cursor)++].value;
        if (value != NULL)
            return value;
    }
    return NULL;
}

void idmap_fini(struct idmap *map)
{
    free(map->slots);
    *map = (struct idmap){NULL, 0, 0};
}
