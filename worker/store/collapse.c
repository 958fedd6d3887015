/* collapse - sorts ballots by key and picks each key's winner.
 * SPDX-License-Identifier: MIT */
#include "store/collapse.h"

#include <stdlib.h>
#include <string.h>

static int compare_keys(const struct candidate *a, const struct candidate *b)
{
    if (a->poll != b->poll)
        return a->poll < b->poll ? -1 : 1;
    return memcmp(a->voter, b->voter, sizeof(a->voter));
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = compare_keys(a, b);
    if (order != 0)
        return order;
    return (a->precedence < b->precedence) - (a->precedence > b->precedence);
}

void collapse_sort(struct candidate *candidates, size_t n)
{
    if (n > 1)
        qsort(candidates, n, sizeof(*candidates), compare_candidates);
}

size_t collapse_pick(struct candidate *candidates, size_t n, struct candidate *winners)
{
    size_t n_winners = 0, n_losers = 0;
    for (size_t i = 0; i < n; i++) {
        if (n_winners == 0 || compare_keys(&winners[n_winners - 1], &candidates[i]) != 0)
            winners[n_winners++] = candidates[i];
        else
            candidates[n_losers++] = candidates[i];
    }
    return n_winners;
}
