/* option_index - a hash table with open addressing; the hash is FNV-1a.
 * SPDX-License-Identifier: MIT */
#include "tally/option_index.h"

#include <assert.h>
#include <string.h>

static unsigned slot_of(const char *id, size_t len)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)id[i]) * 16777619U;
    return (hash ^ hash >> 16) % OPTION_INDEX_SLOTS;
}

void option_index_init(struct option_index *index, const struct poll *poll)
{
    assert(poll->n_options <= POLL_OPTIONS_MAX);
    *index = (struct option_index){.poll = poll};
    for (size_t i = 0; i < poll->n_options; i++) {
        size_t len = strlen(poll->options[i].id);
        unsigned slot = slot_of(poll->options[i].id, len);
        while (index->slots[slot] != 0)
            slot = (slot + 1) % OPTION_INDEX_SLOTS;
        index->slots[slot] = (uint8_t)(i + 1);
        index->lengths[i] = (uint8_t)len;
    }
}

int option_index_find(const struct option_index *index, const char *id, size_t len)
{
    for (unsigned slot = slot_of(id, len); index->slots[slot] != 0; slot = (slot + 1) % OPTION_INDEX_SLOTS) {
        unsigned i = index->slots[slot] - 1U;
        if (index->lengths[i] == len && memcmp(index->poll->options[i].id, id, len) == 0)
            return (int)i;
    }
    return -1;
}
