/* outcome - counts with the poll's method, and renders the result.
 * SPDX-License-Identifier: MIT */
#include "tally/outcome.h"

#include "base/alloc.h"
#include "tally/csv.h"

void outcome_init(struct outcome *outcome, const struct poll *poll, const struct tally *tally,
                  const struct ranked *counted)
{
    *outcome = (struct outcome){.method = poll->method};
    switch (poll->method) {
    case METHOD_PLURALITY:
    case METHOD_APPROVAL:
        outcome->counts = alloc_items(poll->n_options, sizeof(*outcome->counts));
        for (size_t i = 0; i < poll->n_options; i++)
            outcome->counts[i] = tally_count(tally, poll->options[i].id);
        return;
    case METHOD_RANKED:
        if (counted != NULL)
            ranked_copy(poll, counted, &outcome->ranked);
        else
            method_ranked_count(poll, tally, &outcome->ranked);
        return;
    case METHOD_SCORE:
        outcome->scores = alloc_items(poll->n_options, sizeof(*outcome->scores));
        method_score_count(poll, tally, outcome->scores);
    }
}

void outcome_fini(struct outcome *outcome)
{
    free(outcome->counts);
    free(outcome->scores);
    ranked_fini(&outcome->ranked);
}

/* Returns the `count` of an option, as outcome.h says. */
static int64_t count_of(const struct outcome *outcome, size_t option)
{
    if (outcome->method == METHOD_SCORE)
        return score_count_ballots(&outcome->scores[option]);
    if (outcome->method == METHOD_RANKED)
        return outcome->ranked.n_rounds == 0 ? 0 : outcome->ranked.rounds[0].counts[option];
    return outcome->counts[option];
}

/* --- JSON */

static void add_scores(json_t *result, const struct score_count *count)
{
    int64_t ballots = score_count_ballots(count), sum = score_count_sum(count);
    json_t *distribution = json_array();

    for (int score = 0; score <= POLL_SCORE_MAX; score++)
        json_array_append_new(distribution, json_integer(count->ballots[score]));
    json_object_set_new(result, "sum", json_integer(sum));
    json_object_set_new(result, "mean", ballots > 0 ? json_real((double)sum / (double)ballots) : json_null());
    json_object_set_new(result, "distribution", distribution);
}

json_t *outcome_render_results(const struct outcome *outcome, const struct poll *poll)
{
    json_t *results = json_array();

    for (size_t i = 0; i < poll->n_options; i++) {
        json_t *result = json_pack("{s:s, s:s, s:I}", "id", poll->options[i].id, "label", poll->options[i].label,
                                   "count", (json_int_t)count_of(outcome, i));
        if (outcome->method == METHOD_SCORE)
            add_scores(result, &outcome->scores[i]);
        json_array_append_new(results, result);
    }
    return results;
}

static json_t *render_ids(const struct poll *poll, const uint8_t *options, size_t n)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(ids, json_string(poll->options[options[i]].id));
    return ids;
}

static json_t *render_tie(const struct poll *poll, const struct ranked_round *round)
{
    json_t *between = render_ids(poll, round->tied, round->n_tied);

    if (round->tie == RANKED_LOT)
        return json_pack("{s:o, s:s}", "between", between, "broken_by", "lot");
    return json_pack("{s:o, s:s, s:I}", "between", between, "broken_by", "earlier_round", "round",
                     (json_int_t)round->decided_in);
}

static json_t *render_round(const struct poll *poll, const struct ranked *ranked, size_t i)
{
    const struct ranked_round *round = &ranked->rounds[i];
    json_t *counts = json_object();

    for (size_t option = 0; option < poll->n_options; option++)
        if (round->counts[option] >= 0)
            json_object_set_new(counts, poll->options[option].id, json_integer(round->counts[option]));
    return json_pack("{s:I, s:o, s:I, s:o, s:o}", "round", (json_int_t)(i + 1), "counts", counts, "exhausted",
                     (json_int_t)round->exhausted, "eliminated",
                     render_ids(poll, round->eliminated, round->n_eliminated), "tie",
                     round->tie == RANKED_NO_TIE ? json_null() : render_tie(poll, round));
}

json_t *outcome_render_runoff(const struct outcome *outcome, const struct poll *poll)
{
    const struct ranked *ranked = &outcome->ranked;
    json_t *rounds;

    if (outcome->method != METHOD_RANKED)
        return NULL;
    rounds = json_array();
    for (size_t i = 0; i < ranked->n_rounds; i++)
        json_array_append_new(rounds, render_round(poll, ranked, i));
    return json_pack("{s:o, s:o}", "winner",
                     ranked->winner < 0 ? json_null() : json_string(poll->options[ranked->winner].id), "rounds",
                     rounds);
}

/* --- CSV */

static void write_header(const struct outcome *outcome, FILE *to)
{
    fputs("option,label,count", to);
    if (outcome->method == METHOD_SCORE) {
        fputs(",sum,mean", to);
        for (int score = 0; score <= POLL_SCORE_MAX; score++)
            fprintf(to, ",score_%d", score);
    }
    if (outcome->method == METHOD_RANKED) {
        for (size_t i = 0; i < outcome->ranked.n_rounds; i++)
            fprintf(to, ",round_%zu", i + 1);
        fputs(",eliminated_in,winner", to);
    }
    fputs(CSV_END, to);
}

static void write_scores(const struct score_count *count, FILE *to)
{
    int64_t ballots = score_count_ballots(count), sum = score_count_sum(count);

    fprintf(to, ",%lld,", (long long)sum);
    if (ballots > 0)
        fprintf(to, "%.4f", (double)sum / (double)ballots);
    for (int score = 0; score <= POLL_SCORE_MAX; score++)
        fprintf(to, ",%lld", (long long)count->ballots[score]);
}

/* The fields of rounds after the option left are empty. */
static void write_rounds(const struct ranked *ranked, size_t option, FILE *to)
{
    size_t seen = 0;

    for (size_t i = 0; i < ranked->n_rounds; i++) {
        fputc(',', to);
        if (ranked->rounds[i].counts[option] < 0)
            continue;
        fprintf(to, "%lld", (long long)ranked->rounds[i].counts[option]);
        seen = i + 1;
    }
    fputc(',', to);
    if (seen < ranked->n_rounds)
        fprintf(to, "%zu", seen);
    fputs(ranked->winner == (int)option ? ",true" : ",false", to);
}

void outcome_write_csv(const struct outcome *outcome, const struct poll *poll, FILE *to)
{
    write_header(outcome, to);
    for (size_t i = 0; i < poll->n_options; i++) {
        csv_write_text(to, poll->options[i].id);
        fputc(',', to);
        csv_write_text(to, poll->options[i].label);
        fprintf(to, ",%lld", (long long)count_of(outcome, i));
        if (outcome->method == METHOD_SCORE)
            write_scores(&outcome->scores[i], to);
        if (outcome->method == METHOD_RANKED)
            write_rounds(&outcome->ranked, i, to);
        fputs(CSV_END, to);
    }
}
