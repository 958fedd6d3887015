/* method_score - what the ballots of a score poll add up to. Pure.
 * SPDX-License-Identifier: MIT
 *
 * An option that a ballot does not score has no opinion from it, not a 0: it counts neither in the distribution nor in
 * the mean. The sum is the same either way. */
#ifndef SCRUTIN_METHOD_SCORE_H
#define SCRUTIN_METHOD_SCORE_H

#include "ballot/poll_definition.h"
#include "tally/tally.h"

/* Of one option. */
struct score_count {
    int64_t ballots[POLL_SCORE_MAX + 1]; /* that gave it this score */
};

/* Adds the tally's choices, `id=score`, to one count for each of the poll's options. Other choices are passed over. */
void method_score_count(const struct poll *poll, const struct tally *tally, struct score_count *counts);

/* Ballots that score the option, and the sum of their scores. */
int64_t score_count_ballots(const struct score_count *count);
int64_t score_count_sum(const struct score_count *count);

#endif
