/* tally - the numbers of one poll in one state of the database. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_TALLY_H
#define SCRUTIN_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_choice {
    char *choice; /* the tally owns it */
    int64_t n;
};

/* A zeroed tally is the tally of a poll without ballots. */
struct tally {
    bool is_large; /* a ranked poll with so many rankings that large_polls must count it: there are no choices here */
    int64_t received, counted, superseded, rejected; /* received is the sum of the others */
    int64_t fence; /* ordinal of the fence that closed the poll; 0: none, or it is open again */
    unsigned term; /* the term that the fence closed */
    size_t n_choices, room;
    struct tally_choice *choices;
};

void tally_add(struct tally *tally, const char *choice, int64_t n);
/* Returns the number of ballots for the choice. */
int64_t tally_count(const struct tally *tally, const char *choice);
void tally_fini(struct tally *tally);

#endif
