/* poll_keys - maps the id of a poll to the poll's key in the database.
 * SPDX-License-Identifier: MIT
 *
 * Not thread-safe. */
#ifndef SCRUTIN_POLL_KEYS_H
#define SCRUTIN_POLL_KEYS_H

#include "ballot/poll_definition.h"
#include "base/map.h"

#define POLL_KEY_MISSING 0 /* the database was asked and has no such poll; real keys start at 1 */

struct poll_key {
    char id[POLL_ID_MAX + 1];
    int32_t key;
    bool revisable;
};

struct poll_keys {
    struct map by_id; /* struct poll_key */
};

void poll_keys_init(struct poll_keys *keys);
/* Frees all entries. The table is then empty and may be used again. */
void poll_keys_fini(struct poll_keys *keys);

/* The entry, valid until poll_keys_drop_missing or poll_keys_fini; NULL when there is none. */
const struct poll_key *poll_keys_find(const struct poll_keys *keys, const char *id);
/* Adds the entry or replaces the one with this id. */
void poll_keys_put(struct poll_keys *keys, const char *id, int32_t key, bool revisable);
/* Removes the entries whose key is POLL_KEY_MISSING. */
void poll_keys_drop_missing(struct poll_keys *keys);

#endif
