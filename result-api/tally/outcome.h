/* outcome - what a poll's method makes of its tally, as numbers, as JSON and as CSV. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_OUTCOME_H
#define SCRUTIN_OUTCOME_H

#include "tally/method_ranked.h"
#include "tally/method_score.h"
#include <jansson.h>
#include <stdio.h>

/* By option of the poll that it was made for. */
struct outcome {
    enum poll_method method;
    int64_t *counts;            /* plurality, approval: ballots for the option */
    struct score_count *scores; /* score */
    struct ranked ranked;       /* ranked */
};

/* counted: the rounds of a ranked poll where they are counted already, or NULL. The caller calls outcome_fini. */
void outcome_init(struct outcome *outcome, const struct poll *poll, const struct tally *tally,
                  const struct ranked *counted);
void outcome_fini(struct outcome *outcome);

/* The array of results, one object {"id","label","count",…} for each option. `count` is the ballots for the option;
 * score: those that score it, beside sum, mean (null without ballots) and distribution; ranked: its first
 * preferences. The caller decrefs. */
json_t *outcome_render_results(const struct outcome *outcome, const struct poll *poll);
/* The rounds of a ranked poll, {"winner","rounds":[{"round","counts","exhausted","eliminated","tie"}]}; NULL for other
 * methods. The caller decrefs. */
json_t *outcome_render_runoff(const struct outcome *outcome, const struct poll *poll);

/* RFC 4180 with a header line; a line for each option. */
void outcome_write_csv(const struct outcome *outcome, const struct poll *poll, FILE *to);

#endif
