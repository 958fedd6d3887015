/* tally - a list of choices, in the order in which they were added.
 * SPDX-License-Identifier: MIT */
#include "tally/tally.h"

#include "base/grow.h"

void tally_add(struct tally *tally, const char *choice, int64_t n)
{
    GROW(tally->choices, tally->room, tally->n_choices + 1);
    tally->choices[tally->n_choices++] = (struct tally_choice){alloc_copy(choice), n};
}

int64_t tally_count(const struct tally *tally, const char *choice)
{
    for (size_t i = 0; i < tally->n_choices; i++)
        if (strcmp(tally->choices[i].choice, choice) == 0)
            return tally->choices[i].n;
    return 0;
}

void tally_fini(struct tally *tally)
{
    for (size_t i = 0; i < tally->n_choices; i++)
        free(tally->choices[i].choice);
    free(tally->choices);
    *tally = (struct tally){.received = 0};
}
