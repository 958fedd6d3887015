/* method_ranked - instant-runoff: the rounds of a ranked poll, from the number of ballots of each ranking. Pure.
 * SPDX-License-Identifier: MIT
 *
 * In each round a ballot counts for the first option of its ranking that is still in; one whose options are all out is
 * exhausted. An option with more than half of the ballots that are not exhausted wins. Otherwise the option with the
 * fewest leaves; options without any leave together, which transfers nothing and so changes no later round.
 *
 * Ties for the fewest are broken backwards (O'Neill, "Tie-Breaking with the Single Transferable Vote", Voting matters
 * 18, 2004; Scotland's council elections do it so): of those tied, the ones that had the fewest in the round before,
 * and so on back to the first, until one is left. Those who were equal in all rounds draw lots: the one with the lowest
 * SHA-256 of "poll id:option id" leaves. Anybody can draw that lot again, and who makes a poll cannot load it: its id
 * is drawn after its options are named. */
#ifndef SCRUTIN_METHOD_RANKED_H
#define SCRUTIN_METHOD_RANKED_H

#include "ballot/poll_definition.h"
#include "tally/tally.h"

enum ranked_tie { RANKED_NO_TIE, RANKED_EARLIER_ROUND, RANKED_LOT };

/* Options are named by their place in the poll. */
struct ranked_round {
    int64_t counts[POLL_OPTIONS_MAX]; /* -1: the option has left before */
    int64_t exhausted;
    size_t n_eliminated; /* 0: the last round */
    uint8_t eliminated[POLL_OPTIONS_MAX];
    enum ranked_tie tie; /* for the fewest ballots, and how it was broken */
    size_t n_tied;
    uint8_t tied[POLL_OPTIONS_MAX];
    size_t decided_in; /* with RANKED_EARLIER_ROUND: the round, from 1, that left one of them */
};

struct ranked {
    int winner;      /* -1: there are no ballots */
    size_t n_rounds; /* 0 without ballots, otherwise up to the number of options */
    struct ranked_round *rounds;
};

/* Counts the tally's choices, `a>b>c`. An id that the poll has not is passed over. Takes time for each ranking and each
 * step of a ballot down its ranking: some 10 ms for 100,000 rankings of 8 options. The caller calls ranked_fini. */
void method_ranked_count(const struct poll *poll, const struct tally *tally, struct ranked *out);
void ranked_fini(struct ranked *ranked);
void ranked_copy(const struct poll *poll, const struct ranked *from, struct ranked *out);

/* The same from one ranking after the other, kept as a byte for each option that it names, and 24 more. The poll is
 * borrowed until _close. */
struct ranked_count;
struct ranked_count *ranked_count_open(const struct poll *poll);
/* A ranking may come several times, also with numbers below zero: the sum counts. */
void ranked_count_add(struct ranked_count *count, const char *ranking, int64_t ballots);
/* Counts into out, or not where it is NULL, and frees the count. */
void ranked_count_close(struct ranked_count *count, struct ranked *out);

#endif
