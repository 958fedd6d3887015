/* tally - what the database says of one poll, all of it from one moment.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_TALLY_H
#define SCRUTIN_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_choice {
    char *choice; /* the tally's */
    int64_t n;
};

/* A zeroed tally is that of a poll without ballots. */
struct tally {
    bool is_large; /* a ranked poll of too many rankings to be read in passing: choices are not here */
    int64_t received, counted, superseded, rejected; /* received is the sum of the others */
    int64_t fence;                                   /* ordinal of the fence that closed it; 0: none, or open again */
    unsigned term;                                   /* in which it did */
    size_t n_choices, room;
    struct tally_choice *choices;
};

void tally_add(struct tally *tally, const char *choice, int64_t n);
/* Ballots for the choice. */
int64_t tally_count(const struct tally *tally, const char *choice);
void tally_fini(struct tally *tally);

#endif
