/* Tests of vote-api's selection: which ballots fit a poll, what they become, and where a refusal points.
 * SPDX-License-Identifier: MIT */
#include "ballots/selection.h"

#include "base/alloc.h"
#include "unit.h"

static struct poll *make_poll(enum poll_method method)
{
    static const char *const ids[] = {"cats", "dogs", "cat", "abcdefghijklmnopqrstuvwxyz012345"};
    struct poll *poll = poll_new();
    poll->method = method;
    poll->min_choices = 1;
    poll->max_choices = method == METHOD_PLURALITY ? 1 : COUNT_OF(ids);
    poll->n_options = COUNT_OF(ids);
    poll->options = alloc_items(COUNT_OF(ids), sizeof(*poll->options));
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        strcpy(poll->options[i].id, ids[i]);
    return poll;
}

/* The choices of a ballot's body, or "" with *problem and *err. */
static const char *read_choices(const char *body, const struct poll *poll, enum problem *problem,
                                struct json_error *err)
{
    static char choices[BALLOT_CHOICES_MAX + 1];
    memset(choices, '?', sizeof(choices));
    json_t *json = json_parse_object(body, strlen(body), err);
    if (json == NULL)
        fail_test("%s: %s", body, err->text);
    int len = selection_read_ballot(json, poll, choices, problem, err);
    json_decref(json);
    if (len < 0)
        return "";
    assert_int_equal(strlen(choices), len);
    return choices;
}

static const char *choices_of(const char *body, const struct poll *poll, struct json_error *err)
{
    enum problem problem;
    return read_choices(body, poll, &problem, err);
}

static void one_option_becomes_its_own_id(void **state)
{
    static const char *const ids[] = {"cats", "dogs", "cat", "abcdefghijklmnopqrstuvwxyz012345"};
    struct poll *poll = make_poll(METHOD_PLURALITY);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct json_error err;
        char body[128];
        snprintf(body, sizeof(body), "{\"selection\":[\"%s\"]}", ids[i]);
        assert_string_equal(choices_of(body, poll, &err), ids[i]);
    }
    poll_release(poll);
}

static void selections_become_canonical_choices(void **state)
{
    static const struct {
        enum poll_method method;
        const char *selection, *choices;
    } rows[] = {
        {METHOD_APPROVAL, "[\"cats\"]", "cats"},
        {METHOD_APPROVAL, "[\"dogs\",\"cats\"]", "cats dogs"},
        {METHOD_APPROVAL, "[\"cat\",\"dogs\",\"cats\"]", "cats dogs cat"},
        {METHOD_RANKED, "[\"cats\"]", "cats"},
        {METHOD_RANKED, "[\"dogs\",\"cats\"]", "dogs>cats"},
        {METHOD_RANKED, "[\"cat\",\"abcdefghijklmnopqrstuvwxyz012345\",\"dogs\",\"cats\"]",
         "cat>abcdefghijklmnopqrstuvwxyz012345>dogs>cats"},
        {METHOD_SCORE, "{\"cats\":5}", "cats=5"},
        {METHOD_SCORE, "{\"cat\":0,\"dogs\":3,\"cats\":5}", "cats=5 dogs=3 cat=0"},
        {METHOD_SCORE, "{\"cats\":-0}", "cats=0"},
        {METHOD_SCORE, "{\"cats\":4.0}", "cats=4"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct poll *poll = make_poll(rows[i].method);
        struct json_error err = {"", ""};
        char body[256];
        snprintf(body, sizeof(body), "{\"selection\":%s}", rows[i].selection);
        const char *choices = choices_of(body, poll, &err);
        CHECK_ROW(strcmp(choices, rows[i].choices) == 0, "%s: %s %s", body, choices, err.text);
        poll_release(poll);
    }
}

/* A hundred options with the longest ids. */
static void the_largest_ballot_fits(void **state)
{
    static const enum poll_method methods[] = {METHOD_APPROVAL, METHOD_RANKED, METHOD_SCORE};
    for (size_t m = 0; m < COUNT_OF(methods); m++) {
        struct poll *poll = poll_new();
        json_t *selection = methods[m] == METHOD_SCORE ? json_object() : json_array();
        poll->method = methods[m];
        poll->min_choices = poll->max_choices = POLL_OPTIONS_MAX;
        poll->n_options = POLL_OPTIONS_MAX;
        poll->options = alloc_items(POLL_OPTIONS_MAX, sizeof(*poll->options));
        for (size_t i = 0; i < POLL_OPTIONS_MAX; i++) {
            snprintf(poll->options[i].id, sizeof(poll->options[i].id), "%032zu", i);
            if (methods[m] == METHOD_SCORE)
                json_object_set_new(selection, poll->options[i].id, json_integer(5));
            else
                json_array_append_new(selection, json_string(poll->options[i].id));
        }
        char choices[BALLOT_CHOICES_MAX + 1], text[SELECTION_JSON_MAX];
        struct json_error err = {"", ""};
        int len = selection_read(selection, poll, "", choices, &err);
        CHECK_ROW(len > 0 && strlen(choices) == (size_t)len, "%zu: %s", m, err.text);
        size_t text_len = selection_write(poll->method, choices, text);
        assert_int_equal(text_len, strlen(text));
        json_t *again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        CHECK_ROW(json_equal(again, selection), "%zu: %s", m, text);
        json_decref(again);
        json_decref(selection);
        poll_release(poll);
    }
}

struct refusal {
    const char *body, *pointer, *sentence;
};

static void check_refusals(const struct poll *poll, const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct json_error err = {"?", ""};
        bool is_unknown_field = strcmp(rows[i].sentence, "not known") == 0;
        enum problem problem = PROBLEM_COUNT;
        CHECK_ROW(*read_choices(rows[i].body, poll, &problem, &err) == '\0', "%s", rows[i].body);
        CHECK_ROW(problem == (is_unknown_field ? PROBLEM_INVALID_FIELD : PROBLEM_INVALID_SELECTION), "%s: %s",
                  rows[i].body, problem_slug(problem));
        CHECK_ROW(strcmp(err.pointer, rows[i].pointer) == 0, "%s: %s", rows[i].body, err.pointer);
        CHECK_ROW(strstr(err.text, rows[i].sentence) != NULL, "%s: %s", rows[i].body, err.text);
    }
}

static void a_ballot_that_does_not_fit_is_refused_with_a_pointer(void **state)
{
    static const struct refusal rows[] = {
        {"{}", "/selection", "needs a selection"},
        {"{\"selection\":null}", "/selection", "an array"},
        {"{\"selection\":\"cats\"}", "/selection", "an array"},
        {"{\"selection\":{\"cats\":1}}", "/selection", "an array"},
        {"{\"selection\":1}", "/selection", "an array"},
        {"{\"selection\":true}", "/selection", "an array"},
        {"{\"selection\":[]}", "/selection", "exactly one option; this selection has 0"},
        {"{\"selection\":[\"cats\",\"dogs\"]}", "/selection", "exactly one option; this selection has 2"},
        {"{\"selection\":[\"cats\",\"cats\"]}", "/selection", "exactly one"},
        {"{\"selection\":[1]}", "/selection/0", "a string"},
        {"{\"selection\":[null]}", "/selection/0", "a string"},
        {"{\"selection\":[[\"cats\"]]}", "/selection/0", "a string"},
        {"{\"selection\":[{\"id\":\"cats\"}]}", "/selection/0", "a string"},
        {"{\"selection\":[\"\"]}", "/selection/0", "no option"},
        {"{\"selection\":[\"Cats\"]}", "/selection/0", "no option \"Cats\""},
        {"{\"selection\":[\"cats \"]}", "/selection/0", "no option"},
        {"{\"selection\":[\"ca\"]}", "/selection/0", "no option"},
        {"{\"selection\":[\"cats dogs\"]}", "/selection/0", "no option"},
        {"{\"selection\":[\"birds\"]}", "/selection/0", "no option \"birds\""},
        {"{\"selection\":[\"cats\"],\"voter\":\"x\"}", "/voter", "not known"},
        {"{\"Selection\":[\"cats\"]}", "/Selection", "not known"},
        {"{\"selections\":[\"cats\"]}", "/selections", "not known"},
    };
    struct poll *poll = make_poll(METHOD_PLURALITY);
    check_refusals(poll, rows, COUNT_OF(rows));
    poll_release(poll);
}

/* Approval and ranked ballots are arrays alike. */
static void an_array_that_does_not_fit_is_refused_with_a_pointer(void **state)
{
    static const struct refusal rows[] = {
        {"{}", "/selection", "needs a selection"},
        {"{\"selection\":null}", "/selection", "an array"},
        {"{\"selection\":{\"cats\":1}}", "/selection", "an array"},
        {"{\"selection\":\"cats\"}", "/selection", "an array"},
        {"{\"selection\":[]}", "/selection", "Select 2 to 3 of the options; this selection has 0"},
        {"{\"selection\":[\"cats\"]}", "/selection", "Select 2 to 3 of the options; this selection has 1"},
        {"{\"selection\":[\"cats\",\"dogs\",\"cat\",\"abcdefghijklmnopqrstuvwxyz012345\"]}", "/selection",
         "Select 2 to 3 of the options; this selection has 4"},
        {"{\"selection\":[\"cats\",\"cats\"]}", "/selection/1", "\"cats\" is in this selection twice"},
        {"{\"selection\":[\"cats\",\"dogs\",\"cats\"]}", "/selection/2", "\"cats\" is in this selection twice"},
        {"{\"selection\":[\"cats\",1]}", "/selection/1", "a string"},
        {"{\"selection\":[\"cats\",null]}", "/selection/1", "a string"},
        {"{\"selection\":[[\"cats\"],\"dogs\"]}", "/selection/0", "a string"},
        {"{\"selection\":[\"cats\",\"birds\"]}", "/selection/1", "no option \"birds\""},
        {"{\"selection\":[\"cats>dogs\",\"cat\"]}", "/selection/0", "no option"},
        {"{\"selection\":[\"cats dogs\",\"cat\"]}", "/selection/0", "no option"},
        {"{\"selection\":[\"cats\",\"dogs\"],\"voter\":\"x\"}", "/voter", "not known"},
    };
    static const enum poll_method methods[] = {METHOD_APPROVAL, METHOD_RANKED};
    for (size_t m = 0; m < COUNT_OF(methods); m++) {
        struct poll *poll = make_poll(methods[m]);
        poll->min_choices = 2;
        poll->max_choices = 3;
        check_refusals(poll, rows, COUNT_OF(rows));
        poll_release(poll);
    }
}

static void scores_that_do_not_fit_are_refused_with_a_pointer(void **state)
{
    static const struct refusal rows[] = {
        {"{}", "/selection", "needs a selection"},
        {"{\"selection\":null}", "/selection", "{\"cats\":5}"},
        {"{\"selection\":[\"cats\"]}", "/selection", "an object"},
        {"{\"selection\":5}", "/selection", "an object"},
        {"{\"selection\":{}}", "/selection", "Select 1 to 4 of the options; this selection has 0"},
        {"{\"selection\":{\"cats\":6}}", "/selection/cats", "from 0 to 5"},
        {"{\"selection\":{\"cats\":-1}}", "/selection/cats", "from 0 to 5"},
        {"{\"selection\":{\"cats\":9223372036854775807}}", "/selection/cats", "from 0 to 5"},
        {"{\"selection\":{\"cats\":2.5}}", "/selection/cats", "a whole number"},
        {"{\"selection\":{\"cats\":\"5\"}}", "/selection/cats", "a whole number"},
        {"{\"selection\":{\"cats\":null}}", "/selection/cats", "a whole number"},
        {"{\"selection\":{\"cats\":true}}", "/selection/cats", "a whole number"},
        {"{\"selection\":{\"cats\":[5]}}", "/selection/cats", "a whole number"},
        {"{\"selection\":{\"dogs\":1,\"birds\":5}}", "/selection/birds", "no option \"birds\""},
        {"{\"selection\":{\"\":5}}", "/selection/", "no option \"\""},
        {"{\"selection\":{\"a/b\":5}}", "/selection/a~1b", "no option"},
        {"{\"selection\":{\"cats=5 dogs\":5}}", "/selection/cats=5 dogs", "no option"},
    };
    struct poll *poll = make_poll(METHOD_SCORE);
    check_refusals(poll, rows, COUNT_OF(rows));
    poll_release(poll);
}

static void a_number_that_is_fixed_is_named_once(void **state)
{
    static const struct refusal rows[] = {
        {"{\"selection\":[\"cats\"]}", "/selection", "exactly 2 of the options; this selection has 1"}};
    struct poll *poll = make_poll(METHOD_APPROVAL);
    poll->min_choices = poll->max_choices = 2;
    check_refusals(poll, rows, COUNT_OF(rows));
    poll_release(poll);
}

/* In a bulk request a selection lies deeper. */
static void pointers_begin_where_the_caller_says(void **state)
{
    struct poll *poll = make_poll(METHOD_PLURALITY);
    char choices[BALLOT_CHOICES_MAX + 1];
    struct json_error err;
    json_t *selection = json_pack("[s]", "birds");
    assert_int_equal(selection_read(selection, poll, "/ballots/17/selection", choices, &err), -1);
    assert_string_equal(err.pointer, "/ballots/17/selection/0");
    json_decref(selection);
    poll_release(poll);
}

static void choices_are_shown_as_the_selection_they_came_from(void **state)
{
    static const struct {
        enum poll_method method;
        const char *choices, *json;
    } rows[] = {
        {METHOD_PLURALITY, "cats", "[\"cats\"]"},
        {METHOD_APPROVAL, "cats", "[\"cats\"]"},
        {METHOD_APPROVAL, "cats dogs", "[\"cats\",\"dogs\"]"},
        {METHOD_RANKED, "dogs", "[\"dogs\"]"},
        {METHOD_RANKED, "dogs>cats>x", "[\"dogs\",\"cats\",\"x\"]"},
        {METHOD_SCORE, "cats=5", "{\"cats\":5}"},
        {METHOD_SCORE, "cats=5 dogs=0 x=3", "{\"cats\":5,\"dogs\":0,\"x\":3}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[SELECTION_JSON_MAX];
        assert_int_equal(selection_write(rows[i].method, rows[i].choices, text), strlen(rows[i].json));
        assert_string_equal(text, rows[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_option_becomes_its_own_id),
        cmocka_unit_test(selections_become_canonical_choices),
        cmocka_unit_test(the_largest_ballot_fits),
        cmocka_unit_test(a_ballot_that_does_not_fit_is_refused_with_a_pointer),
        cmocka_unit_test(an_array_that_does_not_fit_is_refused_with_a_pointer),
        cmocka_unit_test(scores_that_do_not_fit_are_refused_with_a_pointer),
        cmocka_unit_test(a_number_that_is_fixed_is_named_once),
        cmocka_unit_test(pointers_begin_where_the_caller_says),
        cmocka_unit_test(choices_are_shown_as_the_selection_they_came_from),
    };
    return cmocka_run_group_tests_name("selection", tests, NULL, NULL);
}
