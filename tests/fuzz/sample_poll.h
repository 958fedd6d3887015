/* sample_poll - a poll for targets and seeds to vote in.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_SAMPLE_POLL_H
#define SCRUTIN_SAMPLE_POLL_H

#include "ballot/poll_definition.h"
#include "base/alloc.h"

static inline struct poll *sample_poll(void)
{
    static const char *const ids[] = {"a", "cats", "abcdefghijklmnopqrstuvwxyz012345"};
    struct poll *poll = poll_new();

    strcpy(poll->id, "demo");
    poll->title = alloc_copy("Cats or dogs?");
    poll->description = alloc_copy("");
    poll->min_choices = 1;
    poll->max_choices = 1;
    strcpy(poll->key_id, "k1");
    poll->created_at_ms = 1;
    poll->updated_at_ms = 2;
    poll->n_options = sizeof(ids) / sizeof(ids[0]);
    poll->options = alloc_items(poll->n_options, sizeof(*poll->options));
    for (size_t i = 0; i < poll->n_options; i++) {
        strcpy(poll->options[i].id, ids[i]);
        poll->options[i].label = alloc_copy("A label");
    }
    return poll;
}

/* A key ring of one key that is no secret. */
#define SAMPLE_RING "k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

#endif
