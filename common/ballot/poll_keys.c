/* poll_keys - entries by id. Each stands alone, so that its address stays the same while the table grows.
 * SPDX-License-Identifier: MIT */
#include "ballot/poll_keys.h"

#include "base/alloc.h"

void poll_keys_init(struct poll_keys *keys)
{
    *keys = (struct poll_keys){.by_id = {NULL, 0, 0}};
}

void poll_keys_fini(struct poll_keys *keys)
{
    struct poll_key *entry;
    size_t cursor = 0;

    while ((entry = map_next(&keys->by_id, &cursor)) != NULL)
        free(entry);
    map_fini(&keys->by_id);
}

const struct poll_key *poll_keys_find(const struct poll_keys *keys, const char *id)
{
    return map_get_text(&keys->by_id, id);
}

void poll_keys_put(struct poll_keys *keys, const char *id, int32_t key, bool revisable)
{
    struct poll_key *entry = map_get_text(&keys->by_id, id);

    if (entry == NULL) {
        entry = alloc_items(1, sizeof(*entry));
        strncpy(entry->id, id, POLL_ID_MAX);
        map_put_text(&keys->by_id, entry->id, entry);
    }
    entry->key = key;
    entry->revisable = revisable;
}

void poll_keys_drop_missing(struct poll_keys *keys)
{
    struct poll_key *entry;
    size_t cursor = 0;

    while ((entry = map_next(&keys->by_id, &cursor)) != NULL) {
        if (entry->key != POLL_KEY_MISSING)
            continue;
        map_remove_text(&keys->by_id, entry->id);
        cursor--;
        free(entry);
    }
}
