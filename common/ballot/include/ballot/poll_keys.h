/* poll_keys - from the id of a poll to what a row of the ballot table needs to know of it.
 * SPDX-License-Identifier: MIT
 *
 * A hash table by id, in the caller's storage. Not thread-safe. */
#ifndef SCRUTIN_POLL_KEYS_H
#define SCRUTIN_POLL_KEYS_H

#include "ballot/poll_definition.h"

#define POLL_KEY_MISSING 0 /* the database was asked and has no such poll; real keys start at 1 */

struct poll_key {
    char id[POLL_ID_MAX + 1];
    int32_t key;
    bool revisable;
};

struct poll_keys {
    struct poll_key *entries;
    size_t n, room;
    uint32_t *slots; /* 1 + index of an entry; 0: free */
    size_t n_slots;  /* a power of two, at least twice room */
};

void poll_keys_init(struct poll_keys *keys);
void poll_keys_fini(struct poll_keys *keys);
void poll_keys_clear(struct poll_keys *keys);

/* The entry, valid until the next put, drop or clear; NULL when there is none. */
const struct poll_key *poll_keys_find(const struct poll_keys *keys, const char *id);
/* Adds the entry or replaces the one with this id. */
void poll_keys_put(struct poll_keys *keys, const char *id, int32_t key, bool revisable);
/* Forgets the entries whose key is POLL_KEY_MISSING. */
void poll_keys_drop_missing(struct poll_keys *keys);

#endif
