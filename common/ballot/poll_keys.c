/* poll_keys - a hash table with open addressing over an array of entries.
 * SPDX-License-Identifier: MIT */
#include "ballot/poll_keys.h"

#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t hash_id(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds the id, or the free one where it belongs. */
static uint32_t *find_slot(const struct poll_keys *keys, const char *id)
{
    size_t i = hash_id(id) & (keys->n_slots - 1);
    while (keys->slots[i] != 0 && strcmp(keys->entries[keys->slots[i] - 1].id, id) != 0)
        i = (i + 1) & (keys->n_slots - 1);
    return &keys->slots[i];
}

static void rebuild_slots(struct poll_keys *keys)
{
    memset(keys->slots, 0, keys->n_slots * sizeof(*keys->slots));
    for (size_t i = 0; i < keys->n; i++)
        *find_slot(keys, keys->entries[i].id) = (uint32_t)i + 1;
}

void poll_keys_init(struct poll_keys *keys)
{
    *keys = (struct poll_keys){0};
}

void poll_keys_fini(struct poll_keys *keys)
{
    free(keys->entries);
    free(keys->slots);
    poll_keys_init(keys);
}

void poll_keys_clear(struct poll_keys *keys)
{
    keys->n = 0;
    if (keys->n_slots > 0)
        rebuild_slots(keys);
}

const struct poll_key *poll_keys_find(const struct poll_keys *keys, const char *id)
{
    if (keys->n == 0)
        return NULL;
    uint32_t slot = *find_slot(keys, id);
    return slot == 0 ? NULL : &keys->entries[slot - 1];
}

void poll_keys_put(struct poll_keys *keys, const char *id, int32_t key, bool revisable)
{
    if (keys->n == keys->room) {
        GROW(keys->entries, keys->room, keys->n + 1);
        while (keys->n_slots < 2 * keys->room)
            keys->n_slots = keys->n_slots == 0 ? 16 : 2 * keys->n_slots;
        free(keys->slots);
        keys->slots = alloc_items(keys->n_slots, sizeof(*keys->slots));
        rebuild_slots(keys);
    }
    uint32_t *slot = find_slot(keys, id);
    if (*slot == 0)
        *slot = (uint32_t)++keys->n;
    struct poll_key *entry = &keys->entries[*slot - 1];
    *entry = (struct poll_key){.key = key, .revisable = revisable};
    strncpy(entry->id, id, POLL_ID_MAX);
}

void poll_keys_drop_missing(struct poll_keys *keys)
{
    size_t kept = 0;
    for (size_t i = 0; i < keys->n; i++)
        if (keys->entries[i].key != POLL_KEY_MISSING)
            keys->entries[kept++] = keys->entries[i];
    if (kept == keys->n)
        return;
    keys->n = kept;
    rebuild_slots(keys);
}
