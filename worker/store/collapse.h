/* collapse - keeps the winner among several ballots of one voter in one poll.
 * SPDX-License-Identifier: MIT
 *
 * One INSERT ... ON CONFLICT must not name a key twice, and every worker must lock rows in the same order. So winners
 * are unique and sorted by key. Pure functions. */
#ifndef SCRUTIN_COLLAPSE_H
#define SCRUTIN_COLLAPSE_H

#include "ballot/wire.h"

struct candidate {
    int32_t poll; /* key */
    uint8_t voter[VOTER_HASH];
    int64_t precedence; /* no two ballots have the same */
    const struct ballot *ballot;
};

/* Sorts by poll, voter (as bytes, which is how PostgreSQL sorts uuid), highest precedence first. */
void collapse_sort(struct candidate *candidates, size_t n);

/* Splits sorted candidates: the first ballot of each voter and poll goes to winners, which must have room for n. The
 * others stay at the front of candidates. Both keep their order. Returns the number of winners. */
size_t collapse_pick(struct candidate *candidates, size_t n, struct candidate *winners);

#endif
