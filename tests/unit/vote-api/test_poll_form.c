/* Tests of vote-api's poll_form: which bodies make a poll, and how it is shown.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_form.h"

#include "ballot/wire.h"
#include "base/alloc.h"
#include "unit.h"

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

static struct poll *must_create(const char *body)
{
    struct json_error err;
    struct poll *poll = create(body, &err);
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
    for (size_t i = 0; i < POLL_OPTIONS_MAX; i++) {
        char label[sizeof(title)];
        strcpy(label, title);
        memcpy(label + 4 * i, "\xf0\x9f\x90\x95", 4); /* so that labels differ */
        json_array_append_new(options, json_string(label));
    }
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
        {"{\"title\":\"a\\tb\"," OPTIONS "}", "/title"},
        {"{\"title\":\" \\u200b\"," OPTIONS "}", "/title"},
        {"{\"title\":\"a\\u202eb\"," OPTIONS "}", "/title"},
        {"{\"title\":\"T\",\"description\":\"a\\u000bb\"," OPTIONS "}", "/description"},
        {"{\"title\":\"T\",\"description\":\"a\\u007fb\"," OPTIONS "}", "/description"},
        {"{\"title\":\"T\",\"description\":\" \\n\"," OPTIONS "}", "/description"},
        {"{\"title\":\"T\",\"options\":[\"A\",\"\\u00a0\"]}", "/options/1"},
        {"{\"title\":\"T\",\"options\":[\"A\",{\"label\":\"\\u2067B\"}]}", "/options/1/label"},
        {"{\"title\":\"T\",\"options\":[\"A\",\"B\",\" a\"]}", "/options"},
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
        {"{\"title\":\"T\"," OPTIONS ",\"reopenable\":0}", "/reopenable"},
        {"{\"title\":\"T\"," OPTIONS ",\"reopenable\":null}", "/reopenable"},
        {"{\"title\":\"T\"," OPTIONS ",\"state\":\"open\"}", "/state"},
        {"{\"title\":\"T\"," OPTIONS ",\"state\":\"closed\"}", "/state"},
        {"{\"title\":\"T\"," OPTIONS ",\"state\":null}", "/state"},
        {"{\"title\":\"T\"," OPTIONS ",\"state\":true}", "/state"},
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

/* As many of their characters as an error has room for, and none of them in half. */
static void options_that_read_the_same_are_both_named(void **state)
{
    struct json_error err = {"", ""};
    char body[4 * POLL_LABEL_MAX * 2 + 64], long_label[4 * POLL_LABEL_MAX + 1] = "";

    assert_null(create("{\"title\":\"T\",\"options\":[\"Caf\xc3\xa9\",\"Tea\",\"CAFE\xcc\x81\"]}", &err));
    assert_string_equal(err.text, "Options 1 (\"Caf\xc3\xa9\") and 3 (\"CAFE\xcc\x81\") read the same.");
    for (size_t i = 0; i < POLL_LABEL_MAX - 1; i++)
        strcat(long_label, "\xf0\x9f\x90\x88");
    snprintf(body, sizeof(body), "{\"title\":\"T\",\"options\":[\"x%s\",\"X%s\"]}", long_label, long_label);
    assert_null(create(body, &err));
    assert_string_equal(err.pointer, "/options");
    assert_int_equal(strlen(err.text), strlen("Options 1 (\"\") and 2 (\"\") read the same.") + 2 * (1 + 19 * 4));
    assert_lacks(err.text, "?");
}

static void a_poll_may_be_made_as_a_draft(void **state)
{
    struct poll *poll = must_create("{\"title\":\"T\"," OPTIONS ",\"state\":\"draft\",\"reopenable\":true,"
                                    "\"opens_at\":\"2026-02-01T00:00:00Z\"}");
    assert_int_equal(poll_state_at(poll, NOW_MS), POLL_DRAFT);
    assert_int_equal(poll_state_at(poll, INT64_C(1869904000000)), POLL_DRAFT); /* time alone opens no draft */
    assert_true(poll->reopenable);
    json_t *json = poll_form_write(poll, NOW_MS);
    assert_string_equal(json_string_value(json_object_get(json, "state")), "draft");
    json_decref(json);
    poll_release(poll);
}

static void a_poll_of_voting_codes_shows_how_many_there_are(void **state)
{
    struct poll *poll = must_create("{\"title\":\"T\"," OPTIONS ",\"voter_policy\":\"code\"}");
    assert_int_equal(poll->voter_policy, VOTERS_CODE);
    poll->voting_codes = 12;
    json_t *json = poll_form_write(poll, NOW_MS);
    assert_int_equal(json_integer_value(json_object_get(json, "voting_codes")), 12);
    json_decref(json);
    poll_release(poll);
}

static void null_times_are_no_times(void **state)
{
    struct poll *poll = must_create("{\"title\":\"T\"," OPTIONS ",\"opens_at\":null,\"closes_at\":null}");
    assert_int_equal(poll->opens_at_ms, 0);
    assert_int_equal(poll->closes_at_ms, 0);
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
                              "\"description\":\"\",\"id\":\"demo\",\"max_choices\":1,\"method\":\"plurality\","
                              "\"min_choices\":1,\"opens_at\":null,"
                              "\"options\":[{\"id\":\"1\",\"label\":\"Cats\"},{\"id\":\"2\",\"label\":\"Dogs\"}],"
                              "\"reopenable\":false,\"results_visibility\":\"always\",\"revisable\":true,"
                              "\"state\":\"open\",\"title\":\"T\",\"updated_at\":\"2026-01-31T12:00:00.000Z\","
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
        CHECK_ROW(json_integer_value(json_object_get(json, "min_choices")) == rows[i].min, "%s", body);
        CHECK_ROW(json_integer_value(json_object_get(json, "max_choices")) == rows[i].max, "%s", body);
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
        json_array_append_new(options, json_sprintf("Option %zu", i));
    json_t *body = json_pack("{s:s,s:s,s:o}", "title", "T", "method", "ranked", "options", options);
    struct poll *poll = poll_form_create(body, NOW_MS, &err);
    assert_non_null(poll);
    poll_release(poll);
    json_array_append_new(options, json_string("one too many"));
    assert_null(poll_form_create(body, NOW_MS, &err));
    assert_string_equal(err.pointer, "/options");
    assert_string_equal(err.text, "A ranked poll has at most 30 options. This one has 31.");
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
        cmocka_unit_test(options_that_read_the_same_are_both_named),
        cmocka_unit_test(a_poll_may_be_made_as_a_draft),
        cmocka_unit_test(a_poll_of_voting_codes_shows_how_many_there_are),
        cmocka_unit_test(null_times_are_no_times),
        cmocka_unit_test(a_poll_shows_its_public_fields_only),
    };
    return cmocka_run_group_tests_name("poll_form", tests, NULL, NULL);
}
