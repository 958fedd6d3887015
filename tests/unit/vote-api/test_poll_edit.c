/* Tests of vote-api's poll_edit: every field and every state, before the opening, while it is open, after it closed.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_edit.h"

#include "polls/poll_form.h"
#include "unit.h"

#define NOW_MS INT64_C(1769860800000) /* 2026-01-31T12:00:00Z */
#define LATER "2026-02-01T00:00:00Z"
#define LATER_MS INT64_C(1769904000000)
#define PAST "2026-01-30T00:00:00Z"
#define OPTIONS "\"options\":[\"Cats\",\"Dogs\",\"Fish\"]"

enum { DRAFT = 1, SCHEDULED = 2, OPEN = 4, CLOSED = 8, UNOPENED = 3, OPENED = 12, ALL = 15 };
static const char *const state_names[] = {"draft", "scheduled", "open", "closed"};

/* A poll of three options that is in this state at NOW_MS. */
static struct poll *make(enum poll_state state, const char *more)
{
    static const char *const times[] = {"\"state\":\"draft\"", "\"opens_at\":\"" LATER "\"", "\"opens_at\":null",
                                        "\"closes_at\":\"" LATER "\""};
    char body[512];
    struct json_error err;

    snprintf(body, sizeof(body), "{\"title\":\"T\"," OPTIONS ",%s%s}", times[state], more);
    json_t *json = json_parse_object(body, strlen(body), &err);
    struct poll *poll = json == NULL ? NULL : poll_form_create(json, NOW_MS - 1000, &err);
    if (poll == NULL)
        fail_test("%s: %s", body, err.text);
    json_decref(json);
    if (state == POLL_CLOSED)
        poll->closes_at_ms = NOW_MS - 500;
    assert_int_equal(poll_state_at(poll, NOW_MS), state);
    return poll;
}

static struct poll *edit(const struct poll *old, const char *body, int64_t now_ms, enum problem *problem,
                         struct json_error *err)
{
    json_t *json = json_parse_object(body, strlen(body), err);
    if (json == NULL)
        fail_test("%s: %s", body, err->text);
    struct poll *poll = poll_edit(old, json, now_ms, problem, err);
    json_decref(json);
    return poll;
}

/* Replaces the poll by the edited one. */
static void must_edit(struct poll **poll, const char *body, int64_t now_ms)
{
    enum problem problem;
    struct json_error err;
    struct poll *edited = edit(*poll, body, now_ms, &problem, &err);
    if (edited == NULL)
        fail_test("%s: %s", body, err.text);
    poll_release(*poll);
    *poll = edited;
}

struct row {
    const char *body;
    unsigned ok;          /* in these states it is taken */
    enum problem problem; /* in the others it is refused */
    const char *pointer;
};

static void check_row(const struct row *row, enum poll_state state, const char *more)
{
    struct json_error err = {"?", ""};
    enum problem problem = PROBLEM_INTERNAL;
    struct poll *old = make(state, more);
    struct poll *poll = edit(old, row->body, NOW_MS, &problem, &err);

    if ((row->ok & 1u << state) != 0) {
        CHECK_ROW(poll != NULL, "%s while %s: %s", row->body, state_names[state], err.text);
        assert_true(poll->updated_at_ms > old->updated_at_ms);
    } else {
        CHECK_ROW(poll == NULL, "%s while %s", row->body, state_names[state]);
        CHECK_ROW(problem == row->problem, "%s while %s: %s", row->body, state_names[state], problem_slug(problem));
        CHECK_ROW(strcmp(err.pointer, row->pointer) == 0, "%s while %s: %s", row->body, state_names[state],
                  err.pointer);
        CHECK_ROW(strlen(err.text) > 10 && err.text[strlen(err.text) - 1] == '.', "%s: %s", row->body, err.text);
    }
    poll_release(poll);
    poll_release(old);
}

static void check_rows(const struct row *rows, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++)
        for (int state = POLL_DRAFT; state <= POLL_CLOSED; state++)
            check_row(&rows[i], (enum poll_state)state, more);
}

/* Each field of a poll: a value that it may have, then those out of its range. */
static void every_field_has_its_range_and_its_time(void **state)
{
    static const struct row rows[] = {
        {"{\"title\":\"New\"}", ALL, 0, ""},
        {"{\"title\":\"\"}", 0, PROBLEM_INVALID_FIELD, "/title"},
        {"{\"title\":null}", 0, PROBLEM_INVALID_FIELD, "/title"},
        {"{\"title\":\"a\\nb\"}", 0, PROBLEM_INVALID_FIELD, "/title"},
        {"{\"description\":\"two\\nlines\"}", ALL, 0, ""},
        {"{\"description\":\"\"}", ALL, 0, ""},
        {"{\"description\":7}", 0, PROBLEM_INVALID_FIELD, "/description"},
        {"{\"options\":[\"A\",\"B\"]}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/options"},
        {"{\"options\":[\"Cats\",\"Dogs\",\"Fishes\"]}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/options"},
        {"{\"options\":[\"Cats\",\"Dogs\",{\"id\":\"x\",\"label\":\"Fish\"}]}", UNOPENED, PROBLEM_POLL_HAS_OPENED,
         "/options"},
        {"{" OPTIONS "}", ALL, 0, ""}, /* a form that sends all it has changes nothing */
        {"{\"options\":[\"A\"]}", 0, PROBLEM_INVALID_FIELD, "/options"},
        {"{\"options\":[\"A\",\"\"]}", 0, PROBLEM_INVALID_FIELD, "/options/1"},
        {"{\"method\":\"approval\"}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/method"},
        {"{\"method\":\"plurality\"}", ALL, 0, ""},
        {"{\"method\":\"best\"}", 0, PROBLEM_INVALID_FIELD, "/method"},
        {"{\"method\":null}", 0, PROBLEM_INVALID_FIELD, "/method"},
        {"{\"min_choices\":1}", ALL, 0, ""},
        {"{\"min_choices\":0}", 0, PROBLEM_INVALID_FIELD, "/min_choices"},
        {"{\"min_choices\":101}", 0, PROBLEM_INVALID_FIELD, "/min_choices"},
        {"{\"max_choices\":1}", ALL, 0, ""},
        {"{\"max_choices\":0}", 0, PROBLEM_INVALID_FIELD, "/max_choices"},
        {"{\"max_choices\":1.5}", 0, PROBLEM_INVALID_FIELD, "/max_choices"},
        {"{\"revisable\":false}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/revisable"},
        {"{\"revisable\":\"no\"}", 0, PROBLEM_INVALID_FIELD, "/revisable"},
        {"{\"reopenable\":true}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/reopenable"},
        {"{\"reopenable\":1}", 0, PROBLEM_INVALID_FIELD, "/reopenable"},
        {"{\"voter_policy\":\"open\"}", ALL, 0, ""},
        {"{\"voter_policy\":\"all\"}", 0, PROBLEM_INVALID_FIELD, "/voter_policy"},
        {"{\"results_visibility\":\"always\"}", ALL, 0, ""},
        {"{\"results_visibility\":\"never\"}", 0, PROBLEM_INVALID_FIELD, "/results_visibility"},
        {"{\"opens_at\":\"2026-02-02T00:00:00Z\"}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/opens_at"},
        {"{\"opens_at\":\"soon\"}", 0, PROBLEM_INVALID_FIELD, "/opens_at"},
        {"{\"opens_at\":5}", 0, PROBLEM_INVALID_FIELD, "/opens_at"},
        {"{\"closes_at\":\"2026-03-01T00:00:00Z\"}", DRAFT | SCHEDULED | OPEN, PROBLEM_POLL_CLOSED, "/closes_at"},
        {"{\"closes_at\":null}", DRAFT | SCHEDULED | OPEN, PROBLEM_POLL_CLOSED, "/closes_at"},
        {"{\"closes_at\":true}", 0, PROBLEM_INVALID_FIELD, "/closes_at"},
        {"{\"id\":\"mine\"}", 0, PROBLEM_INVALID_FIELD, "/id"},
        {"{\"created_at\":null}", 0, PROBLEM_INVALID_FIELD, "/created_at"},
        {"{\"manage_token\":\"x\"}", 0, PROBLEM_INVALID_FIELD, "/manage_token"},
        {"{\"term\":1}", 0, PROBLEM_INVALID_FIELD, "/term"},
    };
    check_rows(rows, COUNT_OF(rows), "");
}

static void fields_must_fit_each_other(void **state)
{
    static const struct row rows[] = {
        {"{\"min_choices\":2}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/min_choices"},
        {"{\"max_choices\":2}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/max_choices"},
        {"{\"method\":\"plurality\"}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/method"},
        {"{\"method\":\"score\",\"min_choices\":3}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/method"},
    };
    static const struct row unopened[] = {
        {"{\"max_choices\":4}", 0, PROBLEM_INVALID_FIELD, "/max_choices"},
        {"{\"min_choices\":3,\"max_choices\":2}", 0, PROBLEM_INVALID_FIELD, "/min_choices"},
        {"{\"method\":\"plurality\",\"max_choices\":2}", 0, PROBLEM_INVALID_FIELD, "/max_choices"},
        {"{\"closes_at\":\"" PAST "\"}", 0, PROBLEM_INVALID_FIELD, "/closes_at"},
        {"{\"opens_at\":\"2026-05-01T00:00:00Z\",\"closes_at\":\"2026-04-01T00:00:00Z\"}", 0, PROBLEM_INVALID_FIELD,
         "/closes_at"},
    };
    check_rows(rows, COUNT_OF(rows), ",\"method\":\"approval\"");
    for (size_t i = 0; i < COUNT_OF(unopened); i++) {
        check_row(&unopened[i], POLL_DRAFT, ",\"method\":\"approval\"");
        check_row(&unopened[i], POLL_SCHEDULED, ",\"method\":\"approval\"");
    }
    check_row(&unopened[3], POLL_OPEN, "");
}

static void every_state_leads_only_where_it_may(void **state)
{
    static const struct row rows[] = {
        {"{\"state\":\"draft\"}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/state"},
        {"{\"state\":\"scheduled\",\"opens_at\":\"" LATER "\"}", UNOPENED, PROBLEM_POLL_HAS_OPENED, "/opens_at"},
        {"{\"state\":\"closed\"}", SCHEDULED | OPEN | CLOSED, PROBLEM_POLL_NOT_OPEN, "/state"},
        {"{\"state\":\"final\"}", 0, PROBLEM_INVALID_FIELD, "/state"},
        {"{\"state\":\"counting\"}", 0, PROBLEM_INVALID_FIELD, "/state"},
        {"{\"state\":null}", 0, PROBLEM_INVALID_FIELD, "/state"},
        {"{\"state\":1}", 0, PROBLEM_INVALID_FIELD, "/state"},
    };
    static const struct row once = {"{\"state\":\"open\"}", DRAFT | SCHEDULED | OPEN, PROBLEM_POLL_NOT_REOPENABLE,
                                    "/state"};
    static const struct row again = {"{\"state\":\"open\"}", ALL, 0, ""};
    static const struct row contradictions[] = {
        {"{\"state\":\"open\",\"opens_at\":null}", 0, PROBLEM_INVALID_FIELD, "/opens_at"},
        {"{\"state\":\"closed\",\"closes_at\":\"2026-03-01T00:00:00Z\"}", 0, PROBLEM_INVALID_FIELD, "/closes_at"},
        {"{\"state\":\"open\",\"closes_at\":\"" PAST "\"}", 0, PROBLEM_INVALID_FIELD, "/closes_at"},
    };
    check_rows(rows, COUNT_OF(rows), "");
    check_rows(rows, COUNT_OF(rows), ",\"reopenable\":true");
    check_rows(&once, 1, "");
    check_rows(&again, 1, ",\"reopenable\":true");
    for (size_t i = 0; i < COUNT_OF(contradictions); i++)
        check_row(&contradictions[i], POLL_OPEN, "");
    check_row(&(struct row){"{\"state\":\"scheduled\"}", 0, PROBLEM_INVALID_FIELD, "/opens_at"}, POLL_DRAFT, "");
    check_row(&(struct row){"{\"state\":\"scheduled\"}", 0, PROBLEM_POLL_HAS_OPENED, "/state"}, POLL_OPEN, "");
}

static void a_draft_is_scheduled_then_opened_early_by_hand(void **state)
{
    struct poll *poll = make(POLL_DRAFT, "");
    must_edit(&poll, "{\"state\":\"scheduled\",\"opens_at\":\"" LATER "\"}", NOW_MS);
    assert_int_equal(poll_state_at(poll, NOW_MS), POLL_SCHEDULED);
    must_edit(&poll, "{\"state\":\"open\"}", NOW_MS + 5);
    assert_int_equal(poll_state_at(poll, NOW_MS + 5), POLL_OPEN);
    assert_int_equal(poll->opens_at_ms, NOW_MS + 5);
    assert_int_equal(poll->term, 0);
    poll_release(poll);
}

static void a_draft_whose_closing_time_passed_opens_only_with_another(void **state)
{
    enum problem problem;
    struct json_error err;
    struct poll *poll = make(POLL_DRAFT, ",\"closes_at\":\"" LATER "\"");
    assert_null(edit(poll, "{\"state\":\"open\"}", LATER_MS + 1, &problem, &err));
    assert_int_equal(problem, PROBLEM_INVALID_FIELD);
    assert_string_equal(err.pointer, "/closes_at");
    must_edit(&poll, "{\"state\":\"open\",\"closes_at\":null}", LATER_MS + 1);
    assert_int_equal(poll_state_at(poll, LATER_MS + 1), POLL_OPEN);
    poll_release(poll);
}

static void closing_sets_the_end_to_now_once(void **state)
{
    struct poll *poll = make(POLL_OPEN, "");
    must_edit(&poll, "{\"state\":\"closed\"}", NOW_MS + 100);
    assert_int_equal(poll->closes_at_ms, NOW_MS + 100);
    assert_int_equal(poll_state_at(poll, NOW_MS + 100), POLL_CLOSED);
    must_edit(&poll, "{\"state\":\"closed\"}", NOW_MS + 200);
    assert_int_equal(poll->closes_at_ms, NOW_MS + 100);
    poll_release(poll);
}

/* Each opening is a term of its own; opening what is open is none. */
static void opening_again_begins_a_new_term(void **state)
{
    struct poll *poll = make(POLL_OPEN, ",\"reopenable\":true");
    for (unsigned term = 0; term < 3; term++) {
        assert_int_equal(poll->term, term);
        must_edit(&poll, "{\"state\":\"closed\"}", NOW_MS + 10 * term);
        assert_int_equal(poll->term, term);
        poll->opening_term = term + 1; /* as it is announced */
        must_edit(&poll, term == 1 ? "{\"state\":\"open\",\"closes_at\":\"" LATER "\"}" : "{\"state\":\"open\"}",
                  NOW_MS + 10 * term + 5);
        assert_int_equal(poll->opening_term, 0);
        assert_int_equal(poll->closes_at_ms, term == 1 ? LATER_MS : 0);
        must_edit(&poll, "{\"state\":\"open\"}", NOW_MS + 10 * term + 6);
        assert_int_equal(poll_state_at(poll, NOW_MS + 10 * term + 6), POLL_OPEN);
    }
    poll_release(poll);
}

static void a_poll_is_not_opened_again_for_ever(void **state)
{
    enum problem problem;
    struct json_error err;
    struct poll *poll = make(POLL_CLOSED, ",\"reopenable\":true");
    poll->term = POLL_TERM_MAX;
    assert_null(edit(poll, "{\"state\":\"open\"}", NOW_MS, &problem, &err));
    assert_int_equal(problem, PROBLEM_POLL_NOT_REOPENABLE);
    poll_release(poll);
}

static void a_poll_closed_before_it_opened_opens_now_when_opened_again(void **state)
{
    struct poll *poll = make(POLL_SCHEDULED, ",\"reopenable\":true");
    must_edit(&poll, "{\"state\":\"closed\"}", NOW_MS);
    must_edit(&poll, "{\"title\":\"New\"}", NOW_MS + 1);
    must_edit(&poll, "{\"state\":\"open\"}", NOW_MS + 2);
    assert_int_equal(poll_state_at(poll, NOW_MS + 2), POLL_OPEN);
    poll_release(poll);
}

/* Who gave no numbers meant all options, however many there are. */
static void numbers_of_choices_follow_options_and_method(void **state)
{
    static const struct {
        const char *more, *body;
        unsigned min, max;
    } rows[] = {
        {",\"method\":\"approval\"", "{\"options\":[\"A\",\"B\"]}", 1, 2},
        {",\"method\":\"approval\"", "{\"options\":[\"A\",\"B\",\"C\",\"D\"]}", 1, 4},
        {",\"method\":\"approval\",\"max_choices\":2", "{\"options\":[\"A\",\"B\",\"C\",\"D\"]}", 1, 2},
        {",\"method\":\"approval\",\"min_choices\":2", "{\"method\":\"plurality\"}", 1, 1},
        {"", "{\"method\":\"ranked\"}", 1, 3},
        {"", "{\"method\":\"score\",\"min_choices\":2}", 2, 3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct poll *poll = make(POLL_DRAFT, rows[i].more);
        must_edit(&poll, rows[i].body, NOW_MS);
        CHECK_ROW(poll->min_choices == rows[i].min && poll->max_choices == rows[i].max, "%s %s", rows[i].more,
                  rows[i].body);
        poll_release(poll);
    }
}

static void an_edit_changes_what_it_names_and_nothing_else(void **state)
{
    struct poll *old = make(POLL_OPEN, ",\"description\":\"D\""), *poll = poll_retain(old);
    must_edit(&poll, "{\"title\":\"New\",\"closes_at\":\"" LATER "\"}", NOW_MS + 5);
    assert_string_equal(poll->title, "New");
    assert_string_equal(poll->description, "D");
    assert_int_equal(poll->closes_at_ms, LATER_MS);
    assert_int_equal(poll->n_options, 3);
    assert_int_equal(poll->created_at_ms, old->created_at_ms);
    assert_int_equal(poll->updated_at_ms, NOW_MS + 5);
    assert_string_equal(old->title, "T");
    poll_release(poll);
    poll_release(old);
}

/* The newer definition must have the higher time, also when a clock goes back, or the directory drops it. */
static void every_edit_rises_even_when_the_clock_does_not(void **state)
{
    static const int64_t clocks[] = {NOW_MS, NOW_MS - 10000, NOW_MS};
    struct poll *poll = make(POLL_OPEN, "");
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        int64_t before = poll->updated_at_ms;
        must_edit(&poll, "{\"title\":\"N\"}", clocks[i]);
        assert_true(poll->updated_at_ms > before);
    }
    poll_release(poll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_its_range_and_its_time),
        cmocka_unit_test(fields_must_fit_each_other),
        cmocka_unit_test(every_state_leads_only_where_it_may),
        cmocka_unit_test(a_draft_is_scheduled_then_opened_early_by_hand),
        cmocka_unit_test(a_draft_whose_closing_time_passed_opens_only_with_another),
        cmocka_unit_test(closing_sets_the_end_to_now_once),
        cmocka_unit_test(opening_again_begins_a_new_term),
        cmocka_unit_test(a_poll_is_not_opened_again_for_ever),
        cmocka_unit_test(a_poll_closed_before_it_opened_opens_now_when_opened_again),
        cmocka_unit_test(numbers_of_choices_follow_options_and_method),
        cmocka_unit_test(an_edit_changes_what_it_names_and_nothing_else),
        cmocka_unit_test(every_edit_rises_even_when_the_clock_does_not),
    };
    return cmocka_run_group_tests_name("poll_edit", tests, NULL, NULL);
}
