/* outcome - the result of a poll by its method: as numbers, as JSON and as CSV. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_OUTCOME_H
#define SCRUTIN_OUTCOME_H

#include "tally/method_ranked.h"
#include "tally/method_score.h"
#include <jansson.h>
#include <stdio.h>

/* Its arrays have an element for each option of the poll. */
struct outcome {
    enum poll_method method;
    int64_t *counts;            /* plurality, approval: ballots for the option */
    struct score_count *scores; /* score */
    struct ranked ranked;       /* ranked */
};

/* counted: the rounds of a ranked poll if they have been counted already, or NULL. The caller must call outcome_fini.
 */
void outcome_init(struct outcome *outcome, const struct poll *poll, const struct tally *tally,
                  const struct ranked *counted);
void outcome_fini(struct outcome *outcome);

/* Returns the array of results: an object {"id","label","count",…} for each option. `count` is the number of ballots
 * for the option. In a score poll it is the number of ballots that score the option, and sum, mean (null without
 * ballots) and distribution stand beside it. In a ranked poll it is the number of first preferences. The caller must
 * decref. */
json_t *outcome_render_results(const struct outcome *outcome, const struct poll *poll);
/* Returns the rounds of a ranked poll: {"winner","rounds":[{"round","counts","exhausted","eliminated","tie"}]}. NULL
 * for other methods. The caller must decref. */
json_t *outcome_render_runoff(const struct outcome *outcome, const struct poll *poll);

/* Writes CSV with a header line and a line for each option. */
void outcome_write_csv(const struct outcome *outcome, const struct poll *poll, FILE *to);

#endif
