/* collapse - of several ballots of one voter in one poll only the winner goes to the database.
 * SPDX-License-Identifier: MIT
 *
 * One INSERT ... ON CONFLICT must not name a key twice, and must take its row locks in the same order as everybody
 * else's: winners come out unique and sorted by key. Pure functions. */
#ifndef SCRUTIN_COLLAPSE_H
#define SCRUTIN_COLLAPSE_H

#include "ballot/wire.h"

struct candidate {
    int32_t poll; /* key */
    uint8_t voter[VOTER_HASH];
    int64_t precedence; /* no two ballots of the world share one */
    const struct ballot *ballot;
};

/* Sorts by poll, voter (as bytes, which is how PostgreSQL sorts uuid), highest precedence first. */
void collapse_sort(struct candidate *candidates, size_t n);

/* Splits what collapse_sort has sorted: the first of each voter and poll goes to winners, which has room for n; the
 * others stay at the front of candidates. Both keep their order. Returns the number of winners. */
size_t collapse_pick(struct candidate *candidates, size_t n, struct candidate *winners);

#endif
