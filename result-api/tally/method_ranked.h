/* method_ranked - instant-runoff: the rounds of a ranked poll, from the number of ballots of each ranking. Pure.
 * SPDX-License-Identifier: MIT
 *
 * In each round, a ballot counts for the first option of its ranking that has not left. A ballot whose options have all
 * left is exhausted. An option wins with more than half of the ballots that are not exhausted. If no option wins, the
 * option with the fewest ballots leaves. Options without ballots leave together: they have no ballots to pass on, so
 * the order does not matter.
 *
 * If several options have the fewest ballots, the round before decides, and so on back to the first round (O'Neill,
 * "Tie-Breaking with the Single Transferable Vote", Voting matters 18, 2004; council elections in Scotland do the
 * same). If they were equal in all rounds, they draw lots: the option with the lowest SHA-256 of "poll id:option id"
 * leaves. Anybody can repeat this draw. Nobody can choose its result, because the poll's id is drawn at random after
 * the options were named. */
#ifndef SCRUTIN_METHOD_RANKED_H
#define SCRUTIN_METHOD_RANKED_H

#include "ballot/poll_definition.h"
#include "tally/tally.h"

enum ranked_tie { RANKED_NO_TIE, RANKED_EARLIER_ROUND, RANKED_LOT };

/* An option is named by its index in the poll. */
struct ranked_round {
    int64_t counts[POLL_OPTIONS_MAX]; /* -1: the option left in an earlier round */
    int64_t exhausted;
    size_t n_eliminated; /* 0: this is the last round */
    uint8_t eliminated[POLL_OPTIONS_MAX];
    enum ranked_tie tie; /* whether options tied for the fewest ballots, and what decided */
    size_t n_tied;
    uint8_t tied[POLL_OPTIONS_MAX];
    size_t decided_in; /* with RANKED_EARLIER_ROUND: the round that decided, from 1 */
};

struct ranked {
    int winner;      /* -1: there are no ballots */
    size_t n_rounds; /* 0 without ballots, otherwise at most the number of options */
    struct ranked_round *rounds;
};

/* Counts the tally's choices, which look like `a>b>c`. Ignores ids that the poll does not have. Takes time for each
 * ranking and each step of a ballot down its ranking: about 10 ms for 100,000 rankings of 8 options. The caller must
 * call ranked_fini. */
void method_ranked_count(const struct poll *poll, const struct tally *tally, struct ranked *out);
void ranked_fini(struct ranked *ranked);
void ranked_copy(const struct poll *poll, const struct ranked *from, struct ranked *out);

/* The same for rankings that come one after the other. A ranking takes 24 bytes and one byte for each option that it
 * names. The poll is borrowed until ranked_count_close. */
struct ranked_count;
struct ranked_count *ranked_count_open(const struct poll *poll);
/* A ranking may come several times, also with negative numbers: their sum counts. */
void ranked_count_add(struct ranked_count *count, const char *ranking, int64_t ballots);
/* Writes the rounds to out, unless it is NULL. Frees the count. */
void ranked_count_close(struct ranked_count *count, struct ranked *out);

#endif
