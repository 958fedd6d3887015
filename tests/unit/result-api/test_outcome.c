/* Tests of result-api's outcome: the JSON and CSV of each method, with sums that were made by hand.
 * SPDX-License-Identifier: MIT */
#include "tally/outcome.h"

#include "base/alloc.h"
#include "tally/option_index.h"
#include "unit.h"

struct row {
    const char *choice;
    int64_t n;
};

static struct poll *make_poll(enum poll_method method, const char *const *ids, size_t n)
{
    struct poll *poll = poll_new();
    strcpy(poll->id, "demo");
    poll->method = method;
    poll->n_options = n;
    poll->options = alloc_items(n, sizeof(*poll->options));
    for (size_t i = 0; i < n; i++) {
        snprintf(poll->options[i].id, sizeof(poll->options[i].id), "%s", ids[i]);
        poll->options[i].label = alloc_copy(ids[i]);
        poll->options[i].label[0] = (char)(ids[i][0] - 32);
    }
    return poll;
}

/* Renders the rows as JSON, [results, runoff], and as CSV. The caller frees both. */
static void show(const struct poll *poll, const struct row *rows, size_t n, char **json, char **csv)
{
    struct tally tally = {.received = 0};
    struct outcome outcome;
    size_t len;
    for (size_t i = 0; i < n; i++)
        tally_add(&tally, rows[i].choice, rows[i].n);
    outcome_init(&outcome, poll, &tally, NULL);
    json_t *runoff = outcome_render_runoff(&outcome, poll);
    json_t *all = json_pack("[o, o*]", outcome_render_results(&outcome, poll), runoff);
    *json = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(5));
    json_decref(all);
    FILE *to = open_memstream(csv, &len);
    assert_non_null(to);
    outcome_write_csv(&outcome, poll, to);
    assert_int_equal(fclose(to), 0);
    outcome_fini(&outcome);
    tally_fini(&tally);
}

static void check_shown(enum poll_method method, const char *const *ids, size_t n_ids, const struct row *rows, size_t n,
                        const char *json, const char *csv)
{
    char *shown, *text;
    struct poll *poll = make_poll(method, ids, n_ids);
    show(poll, rows, n, &shown, &text);
    assert_string_equal(shown, json);
    assert_string_equal(text, csv);
    free(shown);
    free(text);
    poll_release(poll);
}

static const char *const cities[] = {"memphis", "nashville", "chattanooga", "knoxville"};

/* The capital of Tennessee again, where every voter approves of the two nearest cities (Wikipedia, "Approval voting"):
 * 42 Memphis and Nashville, 26 Nashville and Chattanooga, 15 and 17 Chattanooga and Knoxville. */
static void by_approval_the_capital_of_tennessee_is_nashville(void **state)
{
    static const struct row rows[] = {{"chattanooga", 58}, {"knoxville", 32}, {"memphis", 42}, {"nashville", 68}};
    check_shown(METHOD_APPROVAL, cities, 4, rows, COUNT_OF(rows),
                "[[{\"id\":\"memphis\",\"label\":\"Memphis\",\"count\":42},"
                "{\"id\":\"nashville\",\"label\":\"Nashville\",\"count\":68},"
                "{\"id\":\"chattanooga\",\"label\":\"Chattanooga\",\"count\":58},"
                "{\"id\":\"knoxville\",\"label\":\"Knoxville\",\"count\":32}]]",
                "option,label,count\r\n\"memphis\",\"Memphis\",42\r\n\"nashville\",\"Nashville\",68\r\n"
                "\"chattanooga\",\"Chattanooga\",58\r\n\"knoxville\",\"Knoxville\",32\r\n");
}

static void a_ranked_poll_shows_its_rounds(void **state)
{
    static const char *const ids[] = {"a", "b", "c", "d"};
    static const struct row rows[] = {{"a", 6}, {"b", 5}, {"c", 4}, {"d>c", 1}};
    check_shown(METHOD_RANKED, ids, 4, rows, COUNT_OF(rows),
                "[[{\"id\":\"a\",\"label\":\"A\",\"count\":6},{\"id\":\"b\",\"label\":\"B\",\"count\":5},"
                "{\"id\":\"c\",\"label\":\"C\",\"count\":4},{\"id\":\"d\",\"label\":\"D\",\"count\":1}],"
                "{\"winner\":\"a\",\"rounds\":["
                "{\"round\":1,\"counts\":{\"a\":6,\"b\":5,\"c\":4,\"d\":1},\"exhausted\":0,\"eliminated\":[\"d\"],"
                "\"tie\":null},"
                "{\"round\":2,\"counts\":{\"a\":6,\"b\":5,\"c\":5},\"exhausted\":0,\"eliminated\":[\"c\"],"
                "\"tie\":{\"between\":[\"b\",\"c\"],\"broken_by\":\"earlier_round\",\"round\":1}},"
                "{\"round\":3,\"counts\":{\"a\":6,\"b\":5},\"exhausted\":5,\"eliminated\":[],\"tie\":null}]}]",
                "option,label,count,round_1,round_2,round_3,eliminated_in,winner\r\n"
                "\"a\",\"A\",6,6,6,6,,true\r\n\"b\",\"B\",5,5,5,5,,false\r\n"
                "\"c\",\"C\",4,4,5,,2,false\r\n\"d\",\"D\",1,1,,,1,false\r\n");
}

static void a_lot_is_shown_as_one(void **state)
{
    static const char *const ids[] = {"a", "b"};
    static const struct row rows[] = {{"a", 1}, {"b", 1}};
    char *json, *csv;
    struct poll *poll = make_poll(METHOD_RANKED, ids, 2);
    show(poll, rows, 2, &json, &csv);
    assert_contains(json, "\"tie\":{\"between\":[\"a\",\"b\"],\"broken_by\":\"lot\"}");
    free(json);
    free(csv);
    poll_release(poll);
}

static void a_ranked_poll_without_ballots_has_no_winner(void **state)
{
    static const char *const ids[] = {"a", "b"};
    check_shown(METHOD_RANKED, ids, 2, NULL, 0,
                "[[{\"id\":\"a\",\"label\":\"A\",\"count\":0},{\"id\":\"b\",\"label\":\"B\",\"count\":0}],"
                "{\"winner\":null,\"rounds\":[]}]",
                "option,label,count,eliminated_in,winner\r\n\"a\",\"A\",0,,false\r\n\"b\",\"B\",0,,false\r\n");
}

/* Three ballots: a=5 b=0, a=4, a=4 b=1 c=1. c has one score and d has none, which is not a score of 0. */
static void scores_have_sum_mean_and_distribution(void **state)
{
    static const char *const ids[] = {"a", "b", "c", "d"};
    static const struct row rows[] = {{"a=4", 2}, {"a=5", 1}, {"b=0", 1}, {"b=1", 1}, {"c=1", 1}, {"d=3", 0}};
    check_shown(METHOD_SCORE, ids, 4, rows, COUNT_OF(rows),
                "[[{\"id\":\"a\",\"label\":\"A\",\"count\":3,\"sum\":13,\"mean\":4.3333,"
                "\"distribution\":[0,0,0,0,2,1]},"
                "{\"id\":\"b\",\"label\":\"B\",\"count\":2,\"sum\":1,\"mean\":0.5,\"distribution\":[1,1,0,0,0,0]},"
                "{\"id\":\"c\",\"label\":\"C\",\"count\":1,\"sum\":1,\"mean\":1.0,\"distribution\":[0,1,0,0,0,0]},"
                "{\"id\":\"d\",\"label\":\"D\",\"count\":0,\"sum\":0,\"mean\":null,"
                "\"distribution\":[0,0,0,0,0,0]}]]",
                "option,label,count,sum,mean,score_0,score_1,score_2,score_3,score_4,score_5\r\n"
                "\"a\",\"A\",3,13,4.3333,0,0,0,0,2,1\r\n\"b\",\"B\",2,1,0.5000,1,1,0,0,0,0\r\n"
                "\"c\",\"C\",1,1,1.0000,0,1,0,0,0,0\r\n\"d\",\"D\",0,0,,0,0,0,0,0,0\r\n");
}

/* Somebody wrote to the database by hand. result-api ignores such rows. */
static void choices_that_are_no_score_are_passed_over(void **state)
{
    static const char *const ids[] = {"a", "b"};
    static const char *const choices[] = {"a", "a=", "a=6", "a=55", "a=-1", "a==5", "x=5", "=5", "a=/", ""};
    struct poll *poll = make_poll(METHOD_SCORE, ids, 2);
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        struct tally tally = {.received = 0};
        struct score_count counts[2] = {0};
        tally_add(&tally, choices[i], 1);
        method_score_count(poll, &tally, counts);
        CHECK_ROW(score_count_ballots(&counts[0]) == 0 && score_count_ballots(&counts[1]) == 0, "%s", choices[i]);
        tally_fini(&tally);
    }
    poll_release(poll);
}

static void an_index_finds_each_option_and_no_other(void **state)
{
    char names[POLL_OPTIONS_MAX][POLL_ID_MAX + 1];
    const char *ids[POLL_OPTIONS_MAX];
    struct option_index index;
    for (size_t n = 1; n <= POLL_OPTIONS_MAX; n += 33) {
        for (size_t i = 0; i < n; i++) {
            snprintf(names[i], sizeof(names[i]), "%.*s%zu", (int)(i % 30), "abcdefghijklmnopqrstuvwxyz0123", i);
            ids[i] = names[i];
        }
        struct poll *poll = make_poll(METHOD_RANKED, ids, n);
        option_index_init(&index, poll);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(option_index_find(&index, names[i], strlen(names[i])), i);
            assert_int_equal(option_index_find(&index, names[i], strlen(names[i]) - 1) == (int)i, false);
        }
        assert_int_equal(option_index_find(&index, "nobody", 6), -1);
        assert_int_equal(option_index_find(&index, "", 0), -1);
        option_index_fini(&index);
        poll_release(poll);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_approval_the_capital_of_tennessee_is_nashville),
        cmocka_unit_test(a_ranked_poll_shows_its_rounds),
        cmocka_unit_test(a_lot_is_shown_as_one),
        cmocka_unit_test(a_ranked_poll_without_ballots_has_no_winner),
        cmocka_unit_test(scores_have_sum_mean_and_distribution),
        cmocka_unit_test(choices_that_are_no_score_are_passed_over),
        cmocka_unit_test(an_index_finds_each_option_and_no_other),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
