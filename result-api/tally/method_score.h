/* method_score - adds up the scores of a score poll. Pure.
 * SPDX-License-Identifier: MIT
 *
 * If a ballot does not score an option, it has no opinion about the option, and that is not a score of 0. It counts
 * neither in the distribution nor in the mean. */
#ifndef SCRUTIN_METHOD_SCORE_H
#define SCRUTIN_METHOD_SCORE_H

#include "ballot/poll_definition.h"
#include "tally/tally.h"

/* The scores of one option. */
struct score_count {
    int64_t ballots[POLL_SCORE_MAX + 1]; /* that gave each score */
};

/* Adds the tally's choices, which look like `id=score`, to counts: one for each option of the poll. Ignores other
 * choices. */
void method_score_count(const struct poll *poll, const struct tally *tally, struct score_count *counts);

/* The number of ballots that score the option, and the sum of their scores. */
int64_t score_count_ballots(const struct score_count *count);
int64_t score_count_sum(const struct score_count *count);

#endif
