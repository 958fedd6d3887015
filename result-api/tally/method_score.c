/* method_score - one pass over the tally, which has at most six rows for each option.
 * SPDX-License-Identifier: MIT */
#include "tally/method_score.h"

#include "tally/option_index.h"
#include <string.h>

void method_score_count(const struct poll *poll, const struct tally *tally, struct score_count *counts)
{
    struct option_index index;

    option_index_init(&index, poll);
    for (size_t i = 0; i < tally->n_choices; i++) {
        const char *choice = tally->choices[i].choice;
        size_t len = strcspn(choice, "=");
        if (choice[len] != '=' || choice[len + 1] < '0' || choice[len + 1] > '0' + POLL_SCORE_MAX ||
            choice[len + 2] != '\0')
            continue;
        int option = option_index_find(&index, choice, len);
        if (option >= 0)
            counts[option].ballots[choice[len + 1] - '0'] += tally->choices[i].n;
    }
    option_index_fini(&index);
}

int64_t score_count_ballots(const struct score_count *count)
{
    int64_t n = 0;

    for (int score = 0; score <= POLL_SCORE_MAX; score++)
        n += count->ballots[score];
    return n;
}

int64_t score_count_sum(const struct score_count *count)
{
    int64_t sum = 0;

    for (int score = 1; score <= POLL_SCORE_MAX; score++)
        sum += score * count->ballots[score];
    return sum;
}
