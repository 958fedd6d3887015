/* Tests of vote-api's selection: which ballots fit a poll, what they become, and where a refusal points.
 * SPDX-License-Identifier: MIT */
#include "selection.h"

#include "alloc.h"
#include "unit.h"

static struct poll *make_poll(enum poll_method method)
{
    static const char *const ids[] = {"cats", "dogs", "cat", "abcdefghijklmnopqrstuvwxyz012345"};
    struct poll *poll = poll_new();
    poll->method = method;
    poll->n_options = COUNT_OF(ids);
    poll->options = alloc_items(COUNT_OF(ids), sizeof(*poll->options));
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        strcpy(poll->options[i].id, ids[i]);
    return poll;
}

/* The choices of a ballot's body, or "" with *err. */
static const char *choices_of(const char *body, const struct poll *poll, struct json_error *err)
{
    static char choices[BALLOT_CHOICES_MAX + 1];
    memset(choices, '?', sizeof(choices));
    json_t *json = json_parse_object(body, strlen(body), err);
    if (json == NULL)
        fail_test("%s: %s", body, err->text);
    int len = selection_read_ballot(json, poll, choices, err);
    json_decref(json);
    if (len < 0)
        return "";
    assert_int_equal(strlen(choices), len);
    return choices;
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

static void a_ballot_that_does_not_fit_is_refused_with_a_pointer(void **state)
{
    static const struct {
        const char *body, *pointer, *sentence;
    } rows[] = {
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
    };
    struct poll *poll = make_poll(METHOD_PLURALITY);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_error err = {"?", ""};
        CHECK_ROW(*choices_of(rows[i].body, poll, &err) == '\0', "%s", rows[i].body);
        CHECK_ROW(strcmp(err.pointer, rows[i].pointer) == 0, "%s: %s", rows[i].body, err.pointer);
        CHECK_ROW(strstr(err.text, rows[i].sentence) != NULL, "%s: %s", rows[i].body, err.text);
    }
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
        const char *choices, *json;
    } rows[] = {{"cats", "[\"cats\"]"}, {"cats dogs", "[\"cats\",\"dogs\"]"}, {"", "[]"}};
    struct poll *poll = make_poll(METHOD_PLURALITY);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *selection = selection_write(poll, rows[i].choices);
        char *text = json_dumps(selection, JSON_COMPACT);
        assert_string_equal(text, rows[i].json);
        free(text);
        json_decref(selection);
    }
    poll_release(poll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_option_becomes_its_own_id),
        cmocka_unit_test(a_ballot_that_does_not_fit_is_refused_with_a_pointer),
        cmocka_unit_test(pointers_begin_where_the_caller_says),
        cmocka_unit_test(choices_are_shown_as_the_selection_they_came_from),
    };
    return cmocka_run_group_tests_name("selection", tests, NULL, NULL);
}
