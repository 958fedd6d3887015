/* map - open addressing with linear probing; a removal moves later keys up, so that no slot is left half used.
 * SPDX-License-Identifier: MIT */
#include "base/map.h"

#include "base/alloc.h"
#include <assert.h>
#include <pthread.h>
#include <sodium.h>

#define SLOTS_MIN 16

static uint8_t secret[crypto_shorthash_KEYBYTES];

static void make_secret(void)
{
    randombytes_buf(secret, sizeof(secret));
}

static uint64_t hash_key(const void *key, size_t len)
{
    uint64_t hash;

    _Static_assert(sizeof(hash) == crypto_shorthash_BYTES, "SipHash gives 64 bits");
    crypto_shorthash((uint8_t *)&hash, key, len, secret);
    return hash;
}

/* The slot that has the key, or the free slot where the key belongs. */
static struct map_slot *find_slot(const struct map *map, uint64_t hash, const void *key, size_t len)
{
    size_t mask = map->n_slots - 1;

    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &map->slots[i];
        if (slot->value == NULL)
            return slot;
        if (slot->hash == hash && slot->len == len && memcmp(slot->key, key, len) == 0)
            return slot;
    }
}

static void grow_slots(struct map *map)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct map old = *map;

    pthread_once(&once, make_secret); /* a map without slots needs no secret */
    map->n_slots = old.n_slots == 0 ? SLOTS_MIN : 2 * old.n_slots;
    map->slots = alloc_items(map->n_slots, sizeof(*map->slots));
    for (size_t i = 0; i < old.n_slots; i++) {
        const struct map_slot *slot = &old.slots[i];
        if (slot->value != NULL)
            *find_slot(map, slot->hash, slot->key, slot->len) = *slot;
    }
    free(old.slots);
}

void map_fini(struct map *map)
{
    free(map->slots);
    *map = (struct map){NULL, 0, 0};
}

void *map_get(const struct map *map, const void *key, size_t len)
{
    return map->n == 0 ? NULL : find_slot(map, hash_key(key, len), key, len)->value;
}

void map_put(struct map *map, const void *key, size_t len, void *value)
{
    assert(value != NULL);
    if ((map->n + 1) * 4 > map->n_slots * 3)
        grow_slots(map);
    uint64_t hash = hash_key(key, len);
    struct map_slot *slot = find_slot(map, hash, key, len);
    map->n += slot->value == NULL;
    *slot = (struct map_slot){hash, key, len, value};
}

void *map_remove(struct map *map, const void *key, size_t len)
{
    if (map->n == 0)
        return NULL;
    struct map_slot *slots = map->slots, *slot = find_slot(map, hash_key(key, len), key, len);
    void *value = slot->value;
    if (value == NULL)
        return NULL;
    size_t mask = map->n_slots - 1, hole = (size_t)(slot - slots);
    for (size_t i = (hole + 1) & mask; slots[i].value != NULL; i = (i + 1) & mask) {
        /* A key may move up to the hole unless the slot where its search begins lies behind the hole. */
        if (((i - slots[i].hash) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            hole = i;
        }
    }
    slots[hole].value = NULL;
    map->n--;
    return value;
}

void *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->n_slots) {
        void *value = map->slots[(*cursor)++].value;
        if (value != NULL)
            return value;
    }
    return NULL;
}
