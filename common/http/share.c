/* share - counters of places; an address is hashed to its counter.
 * SPDX-License-Identifier: MIT */
#include "http/share.h"

#include "base/alloc.h"
#include <sodium.h>

/* Two addresses in the same slot share its places. The slot is a hash under a secret key, so an attacker cannot choose
 * the slot of another client. */
#define SLOTS 65536

struct share {
    unsigned max;
    uint8_t key[crypto_shorthash_KEYBYTES];
    atomic_uint slots[SLOTS];
};

struct share *share_new(unsigned max)
{
    struct share *share = alloc_items(1, sizeof(*share));

    share->max = max;
    randombytes_buf(share->key, sizeof(share->key));
    return share;
}

unsigned share_max(const struct share *share)
{
    return share->max;
}

atomic_uint *share_take(struct share *share, const struct address *client)
{
    const struct address unit = address_of_client(client);
    uint8_t hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, unit.bytes, sizeof(unit.bytes), share->key);
    atomic_uint *place = &share->slots[(hash[0] | hash[1] << 8) % SLOTS];
    if (atomic_fetch_add(place, 1) < share->max)
        return place;
    atomic_fetch_sub(place, 1);
    return NULL;
}

void share_give_back(atomic_uint *place)
{
    if (place != NULL)
        atomic_fetch_sub(place, 1);
}
