/* Tests of vote-api's poll_form: which bodies make a poll, which edits it takes, and how it is shown.
 * SPDX-License-Identifier: MIT */
#include "poll_form.h"

#include "alloc.h"
#include "unit.h"
#include "wire.h"

#define NOW_MS INT64_C(1769860800000) /* 2026-01-31T12:00:00Z */
#define OPTIONS "\"options\":[\"Cats\",\"Dogs\"]"

static struct poll *create(const char *body, struct json_error *err)
{
    json_t *json = json_parse_object(body, strlen(body), err);
    if (json == NULL)
        fail_test("%s: %s", body, err->text);
    struct poll *poll = poll_form_create(json, NOW_MS, err);
    json_decref(json);
    return poll;
}

static struct poll *patch(const struct poll *old, const char *body, int64_t now_ms, struct json_error *err)
{
    json_t *json = json_parse_object(body, strlen(body), err);
    if (json == NULL)
        fail_test("%s: %s", body, err->text);
    struct poll *poll = poll_form_patch(old, json, now_ms, err);
    json_decref(json);
    return poll;
}

static struct poll *must_create(const char *body)
{
    struct json_error err;
    struct poll *poll = create(body, &err);
    if (poll == NULL)
        fail_test("%s: %s", body, err.text);
    return poll;
}

static struct poll *must_patch(const struct poll *old, const char *body, int64_t now_ms)
{
    struct json_error err;
    struct poll *poll = patch(old, body, now_ms, &err);
    if (poll == NULL)
        fail_test("%s: %s", body, err.text);
    return poll;
}

static void the_smallest_body_makes_an_open_revisable_plurality_poll(void **state)
{
    struct poll *poll = must_create("{\"title\":\"Cats or dogs?\"," OPTIONS "}");
    assert_string_equal(poll->title, "Cats or dogs?");
    assert_string_equal(poll->description, "");
    assert_int_equal(poll->method, METHOD_PLURALITY);
    assert_int_equal(poll->min_choices, 1);
    assert_int_equal(poll->max_choices, 1);
    assert_true(poll->revisable);
    assert_int_equal(poll->visibility, VISIBILITY_ALWAYS);
    assert_int_equal(poll->voter_policy, VOTERS_OPEN);
    assert_int_equal(poll->created_at_ms, NOW_MS);
    assert_int_equal(poll->updated_at_ms, NOW_MS);
    assert_int_equal(poll->n_options, 2);
    assert_string_equal(poll->options[0].label, "Cats");
    assert_string_equal(poll->options[1].label, "Dogs");
    assert_string_equal(poll->options[0].id, "1");
    assert_string_equal(poll->options[1].id, "2");
    assert_int_equal(poll_state_at(poll, NOW_MS), POLL_OPEN);
    poll_release(poll);
}

static void every_field_is_taken_over(void **state)
{
    struct poll *poll = must_create(
        "{\"title\":\"T\",\"description\":\"two\\nlines\",\"options\":[{\"id\":\"cats\",\"label\":\"Cats\"},"
        "{\"id\":\"dogs\",\"label\":\"Dogs\"}],\"method\":\"plurality\",\"revisable\":false,"
        "\"opens_at\":\"2026-02-01T00:00:00Z\",\"closes_at\":\"2026-02-02T01:00:00+01:00\","
        "\"results_visibility\":\"always\",\"voter_policy\":\"open\"}");
    assert_string_equal(poll->description, "two\nlines");
    assert_string_equal(poll->options[1].id, "dogs");
    assert_false(poll->revisable);
    assert_int_equal(poll->opens_at_ms, INT64_C(1769904000000));
    assert_int_equal(poll->closes_at_ms, INT64_C(1769990400000));
    assert_int_equal(poll_state_at(poll, NOW_MS), POLL_SCHEDULED);
    poll_release(poll);
}

/* Whatever is accepted must pass the decoders of the bucket, or the other services never see the poll. */
static void the_largest_poll_passes_the_wire(void **state)
{
    struct bytes bytes;
    struct poll *read;
    struct json_error err;
    json_t *options = json_array(), *body;
    char title[4 * POLL_TITLE_MAX + 1], text[4 * POLL_TEXT_MAX + 1];

    for (size_t i = 0; i < POLL_TITLE_MAX; i++)
        memcpy(title + 4 * i, "\xf0\x9f\x90\x88", 4);
    title[4 * POLL_TITLE_MAX] = '\0';
    for (size_t i = 0; i < POLL_TEXT_MAX; i++)
        memcpy(text + 4 * i, "\xf0\x9f\x90\x95", 4);
    text[4 * POLL_TEXT_MAX] = '\0';
    for (size_t i = 0; i < POLL_OPTIONS_MAX; i++)
        json_array_append_new(options, json_string(title));
    body = json_pack("{s:s,s:s,s:o}", "title", title, "description", text, "options", options);
    struct poll *poll = poll_form_create(body, NOW_MS, &err);
    if (poll == NULL)
        fail_test("%s: %s", err.pointer, err.text);
    strcpy(poll->id, "demo");
    wire_encode_poll(poll, &bytes);
    assert_int_equal(wire_decode_poll(bytes.data, bytes.len, &read, NULL), ST_OK);
    poll_release(read);
    free(bytes.data);

    json_array_append_new(options, json_string("one too many"));
    assert_null(poll_form_create(body, NOW_MS, &err));
    assert_string_equal(err.pointer, "/options");
    json_decref(body);
    poll_release(poll);
}

static void a_body_that_makes_no_poll_is_refused_with_a_pointer(void **state)
{
    static const struct {
        const char *body, *pointer;
    } rows[] = {
        {"{}", "/title"},
        {"{\"title\":\"T\"}", "/options"},
        {"{" OPTIONS "}", "/title"},
        {"{\"title\":\"\"," OPTIONS "}", "/title"},
        {"{\"title\":7," OPTIONS "}", "/title"},
        {"{\"title\":null," OPTIONS "}", "/title"},
        {"{\"title\":\"a\\nb\"," OPTIONS "}", "/title"},
        {"{\"title\":\"a\\u001bb\"," OPTIONS "}", "/title"},
        {"{\"title\":\"T\",\"description\":\"a\\tb\"," OPTIONS "}", "/description"},
        {"{\"title\":\"T\",\"description\":[]," OPTIONS "}", "/description"},
        {"{\"title\":\"T\",\"options\":[]}", "/options"},
        {"{\"title\":\"T\",\"options\":[\"alone\"]}", "/options"},
        {"{\"title\":\"T\",\"options\":{\"a\":\"A\"}}", "/options"},
        {"{\"title\":\"T\",\"options\":\"AB\"}", "/options"},
        {"{\"title\":\"T\",\"options\":[\"A\",\"\"]}", "/options/1"},
        {"{\"title\":\"T\",\"options\":[\"A\",5]}", "/options/1"},
        {"{\"title\":\"T\",\"options\":[\"A\",null]}", "/options/1"},
        {"{\"title\":\"T\",\"options\":[\"A\",{}]}", "/options/1/label"},
        {"{\"title\":\"T\",\"options\":[\"A\",{\"id\":\"b\"}]}", "/options/1/label"},
        {"{\"title\":\"T\",\"options\":[\"A\",{\"label\":\"B\",\"id\":\"No\"}]}", "/options/1/id"},
        {"{\"title\":\"T\",\"options\":[\"A\",{\"label\":\"B\",\"id\":7}]}", "/options/1/id"},
        {"{\"title\":\"T\",\"options\":[\"A\",{\"label\":\"B\",\"color\":7}]}", "/options/1/color"},
        {"{\"title\":\"T\",\"options\":[{\"label\":\"A\",\"id\":\"x\"},{\"label\":\"B\",\"id\":\"x\"}]}", "/options"},
        {"{\"title\":\"T\",\"options\":[{\"label\":\"A\",\"id\":\"2\"},\"B\"]}", "/options"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"best\"}", "/method"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":0}", "/method"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"Ranked\"}", "/method"},
        {"{\"title\":\"T\"," OPTIONS ",\"max_choices\":2}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"min_choices\":2}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"plurality\",\"min_choices\":2,\"max_choices\":2}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":0}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":-1}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":1.5}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":\"1\"}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":3}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":101}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"max_choices\":0}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"max_choices\":3}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"max_choices\":null}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"max_choices\":4294967297}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"approval\",\"min_choices\":2,\"max_choices\":1}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"ranked\",\"max_choices\":3}", "/max_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"method\":\"score\",\"min_choices\":3}", "/min_choices"},
        {"{\"title\":\"T\"," OPTIONS ",\"revisable\":1}", "/revisable"},
        {"{\"title\":\"T\"," OPTIONS ",\"revisable\":\"yes\"}", "/revisable"},
        {"{\"title\":\"T\"," OPTIONS ",\"opens_at\":\"tomorrow\"}", "/opens_at"},
        {"{\"title\":\"T\"," OPTIONS ",\"opens_at\":1769860800}", "/opens_at"},
        {"{\"title\":\"T\"," OPTIONS ",\"closes_at\":\"2026-01-31T12:00:00Z\"}", "/closes_at"},
        {"{\"title\":\"T\"," OPTIONS ",\"closes_at\":\"2020-01-01T00:00:00Z\"}", "/closes_at"},
        {"{\"title\":\"T\"," OPTIONS ",\"opens_at\":\"2026-03-01T00:00:00Z\",\"closes_at\":\"2026-03-01T00:00:00Z\"}",
         "/closes_at"},
        {"{\"title\":\"T\"," OPTIONS ",\"results_visibility\":\"never\"}", "/results_visibility"},
        {"{\"title\":\"T\"," OPTIONS ",\"voter_policy\":\"all\"}", "/voter_policy"},
        {"{\"title\":\"T\"," OPTIONS ",\"id\":\"mine\"}", "/id"},
        {"{\"title\":\"T\"," OPTIONS ",\"a/b\":1}", "/a~1b"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_error err = {"?", ""};
        CHECK_ROW(create(rows[i].body, &err) == NULL, "%s", rows[i].body);
        CHECK_ROW(strcmp(err.pointer, rows[i].pointer) == 0, "%s: %s %s", rows[i].body, err.pointer, err.text);
        CHECK_ROW(err.text[0] != '\0' && err.text[strlen(err.text) - 1] == '.', "%s: %s", rows[i].body, err.text);
    }
}

static void null_times_are_no_times(void **state)
{
    struct poll *poll = must_create("{\"title\":\"T\"," OPTIONS ",\"opens_at\":null,\"closes_at\":null}");
    assert_int_equal(poll->opens_at_ms, 0);
    assert_int_equal(poll->closes_at_ms, 0);
    poll_release(poll);
}

static void an_edit_changes_what_it_names_and_nothing_else(void **state)
{
    struct poll *old = must_create("{\"title\":\"T\",\"description\":\"D\"," OPTIONS "}");
    struct poll *new = must_patch(old, "{\"title\":\"New\",\"closes_at\":\"2026-02-01T00:00:00Z\"}", NOW_MS + 5);
    assert_string_equal(new->title, "New");
    assert_string_equal(new->description, "D");
    assert_int_equal(new->closes_at_ms, INT64_C(1769904000000));
    assert_int_equal(new->n_options, 2);
    assert_int_equal(new->created_at_ms, NOW_MS);
    assert_int_equal(new->updated_at_ms, NOW_MS + 5);
    assert_string_equal(old->title, "T");
    poll_release(new);
    poll_release(old);
}

/* The newer definition must have the higher time, also when a clock goes back, or the directory drops it. */
static void every_edit_rises_even_when_the_clock_does_not(void **state)
{
    struct poll *old = must_create("{\"title\":\"T\"," OPTIONS "}");
    static const int64_t clocks[] = {NOW_MS, NOW_MS - 10000, NOW_MS};
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        struct poll *new = must_patch(old, "{\"title\":\"N\"}", clocks[i]);
        assert_true(new->updated_at_ms > old->updated_at_ms);
        poll_release(old);
        old = new;
    }
    poll_release(old);
}

static void closing_sets_the_end_to_now_once(void **state)
{
    struct poll *open = must_create("{\"title\":\"T\"," OPTIONS "}");
    struct poll *closed = must_patch(open, "{\"state\":\"closed\"}", NOW_MS + 100);
    assert_int_equal(closed->closes_at_ms, NOW_MS + 100);
    assert_int_equal(poll_state_at(closed, NOW_MS + 100), POLL_CLOSED);
    struct poll *again = must_patch(closed, "{\"state\":\"closed\"}", NOW_MS + 200);
    assert_int_equal(again->closes_at_ms, NOW_MS + 100);
    poll_release(again);
    poll_release(closed);
    poll_release(open);
}

static void a_poll_closed_before_it_opened_can_still_be_renamed(void **state)
{
    struct poll *scheduled = must_create("{\"title\":\"T\"," OPTIONS ",\"opens_at\":\"2026-03-01T00:00:00Z\"}");
    struct poll *closed = must_patch(scheduled, "{\"state\":\"closed\"}", NOW_MS + 100);
    struct poll *renamed = must_patch(closed, "{\"title\":\"New\"}", NOW_MS + 200);
    assert_string_equal(renamed->title, "New");
    poll_release(renamed);
    poll_release(closed);
    poll_release(scheduled);
}

static void a_poll_that_closed_stays_closed(void **state)
{
    static const char *const bodies[] = {
        "{\"closes_at\":null}",
        "{\"closes_at\":\"2027-01-01T00:00:00Z\"}",
    };
    struct json_error err;
    struct poll *open = must_create("{\"title\":\"T\"," OPTIONS "}");
    struct poll *closed = must_patch(open, "{\"state\":\"closed\"}", NOW_MS + 100);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        CHECK_ROW(patch(closed, bodies[i], NOW_MS + 200, &err) == NULL, "%s", bodies[i]);
        assert_string_equal(err.pointer, "/closes_at");
    }
    struct poll *retitled = must_patch(closed, "{\"title\":\"Still editable\"}", NOW_MS + 200);
    poll_release(retitled);
    poll_release(closed);
    poll_release(open);
}

static void an_edit_that_may_not_be_is_refused_with_a_pointer(void **state)
{
    static const struct {
        const char *body, *pointer;
    } rows[] = {
        {"{" OPTIONS "}", "/options"},
        {"{\"method\":\"plurality\"}", "/method"},
        {"{\"method\":\"approval\"}", "/method"},
        {"{\"min_choices\":1}", "/min_choices"},
        {"{\"max_choices\":1}", "/max_choices"},
        {"{\"revisable\":false}", "/revisable"},
        {"{\"state\":\"open\"}", "/state"},
        {"{\"state\":null}", "/state"},
        {"{\"state\":1}", "/state"},
        {"{\"title\":\"\"}", "/title"},
        {"{\"opens_at\":\"2026-05-01T00:00:00Z\",\"closes_at\":\"2026-04-01T00:00:00Z\"}", "/closes_at"},
        {"{\"closes_at\":\"2020-01-01T00:00:00Z\"}", "/closes_at"},
        {"{\"manage_token\":\"x\"}", "/manage_token"},
    };
    struct poll *poll = must_create("{\"title\":\"T\"," OPTIONS "}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_error err = {"?", ""};
        CHECK_ROW(patch(poll, rows[i].body, NOW_MS, &err) == NULL, "%s", rows[i].body);
        CHECK_ROW(strcmp(err.pointer, rows[i].pointer) == 0, "%s: %s", rows[i].body, err.pointer);
    }
    poll_release(poll);
}

static void a_poll_shows_its_public_fields_only(void **state)
{
    struct poll *poll = must_create("{\"title\":\"T\"," OPTIONS ",\"closes_at\":\"2026-02-01T00:00:00Z\"}");
    strcpy(poll->id, "demo");
    strcpy(poll->key_id, "secretkeyid");
    poll->has_manager = true;
    json_t *json = poll_form_write(poll, NOW_MS);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"closes_at\":\"2026-02-01T00:00:00.000Z\",\"created_at\":\"2026-01-31T12:00:00.000Z\","
                              "\"description\":\"\",\"id\":\"demo\",\"method\":\"plurality\",\"opens_at\":null,"
                              "\"options\":[{\"id\":\"1\",\"label\":\"Cats\"},{\"id\":\"2\",\"label\":\"Dogs\"}],"
                              "\"results_visibility\":\"always\",\"revisable\":true,\"state\":\"open\",\"title\":\"T\","
                              "\"voter_policy\":\"open\"}");
    free(text);
    json_decref(json);
    poll_release(poll);
}

static void a_ballot_names_one_to_all_options_unless_the_poll_says_otherwise(void **state)
{
    static const struct {
        const char *fields;
        enum poll_method method;
        unsigned min, max;
    } rows[] = {
        {"\"method\":\"plurality\"", METHOD_PLURALITY, 1, 1},
        {"\"method\":\"plurality\",\"min_choices\":1,\"max_choices\":1", METHOD_PLURALITY, 1, 1},
        {"\"method\":\"approval\"", METHOD_APPROVAL, 1, 3},
        {"\"method\":\"approval\",\"min_choices\":2", METHOD_APPROVAL, 2, 3},
        {"\"max_choices\":2,\"method\":\"approval\"", METHOD_APPROVAL, 1, 2},
        {"\"method\":\"approval\",\"min_choices\":3,\"max_choices\":3", METHOD_APPROVAL, 3, 3},
        {"\"method\":\"ranked\"", METHOD_RANKED, 1, 3},
        {"\"method\":\"ranked\",\"max_choices\":2", METHOD_RANKED, 1, 2},
        {"\"method\":\"score\"", METHOD_SCORE, 1, 3},
        {"\"method\":\"score\",\"min_choices\":3", METHOD_SCORE, 3, 3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[256];
        snprintf(body, sizeof(body), "{\"title\":\"T\",\"options\":[\"A\",\"B\",\"C\"],%s}", rows[i].fields);
        struct poll *poll = must_create(body);
        CHECK_ROW(poll->method == rows[i].method, "%s", body);
        CHECK_ROW(poll->min_choices == rows[i].min && poll->max_choices == rows[i].max, "%s", body);
        json_t *json = poll_form_write(poll, NOW_MS);
        bool shown = rows[i].method != METHOD_PLURALITY;
        CHECK_ROW((json_object_get(json, "min_choices") != NULL) == shown, "%s", body);
        CHECK_ROW(json_integer_value(json_object_get(json, "max_choices")) == (shown ? rows[i].max : 0), "%s", body);
        json_decref(json);
        poll_release(poll);
    }
}

/* More would not fit the index of the tally. */
static void a_ranked_poll_has_at_most_thirty_options(void **state)
{
    struct json_error err;
    json_t *options = json_array();
    for (size_t i = 0; i < POLL_RANKED_MAX; i++)
        json_array_append_new(options, json_string("An option"));
    json_t *body = json_pack("{s:s,s:s,s:o}", "title", "T", "method", "ranked", "options", options);
    struct poll *poll = poll_form_create(body, NOW_MS, &err);
    assert_non_null(poll);
    poll_release(poll);
    json_array_append_new(options, json_string("one too many"));
    assert_null(poll_form_create(body, NOW_MS, &err));
    assert_string_equal(err.pointer, "/options");
    assert_string_equal(err.text, "A ranked poll has at most 30 options; this one has 31.");
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_body_makes_an_open_revisable_plurality_poll),
        cmocka_unit_test(every_field_is_taken_over),
        cmocka_unit_test(the_largest_poll_passes_the_wire),
        cmocka_unit_test(a_body_that_makes_no_poll_is_refused_with_a_pointer),
        cmocka_unit_test(a_ballot_names_one_to_all_options_unless_the_poll_says_otherwise),
        cmocka_unit_test(a_ranked_poll_has_at_most_thirty_options),
        cmocka_unit_test(null_times_are_no_times),
        cmocka_unit_test(an_edit_changes_what_it_names_and_nothing_else),
        cmocka_unit_test(every_edit_rises_even_when_the_clock_does_not),
        cmocka_unit_test(closing_sets_the_end_to_now_once),
        cmocka_unit_test(a_poll_closed_before_it_opened_can_still_be_renamed),
        cmocka_unit_test(a_poll_that_closed_stays_closed),
        cmocka_unit_test(an_edit_that_may_not_be_is_refused_with_a_pointer),
        cmocka_unit_test(a_poll_shows_its_public_fields_only),
    };
    return cmocka_run_group_tests_name("poll_form", tests, NULL, NULL);
}
