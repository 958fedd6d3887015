/* Tests of result-api's snapshot and tally: states, versions that always rise, JSON and CSV.
 * SPDX-License-Identifier: MIT */
#include "tally/snapshot.h"

#include "base/alloc.h"
#include "unit.h"
#include <jansson.h>

#define NOW_US INT64_C(1769860800000000) /* 2026-01-31T12:00:00Z */

static struct poll *make_poll(void)
{
    struct poll *poll = poll_new();
    strcpy(poll->id, "demo");
    poll->title = alloc_copy("Cats or dogs?");
    poll->description = alloc_copy("");
    poll->n_options = 3;
    poll->options = alloc_items(3, sizeof(*poll->options));
    for (size_t i = 0; i < 3; i++) {
        strcpy(poll->options[i].id, (const char *[]){"cats", "dogs", "x"}[i]);
        poll->options[i].label = alloc_copy((const char *[]){"Cats", "Dogs, \"all\"", "=1+2"}[i]);
    }
    return poll;
}

/* A poll with 5 ballots for cats and 2 for dogs, and the facts of its snapshots. */
struct fixture {
    struct poll *poll;
    struct tally tally;
    struct snapshot_facts facts;
};

static int set_up(void **state)
{
    struct fixture *f = alloc_items(1, sizeof(*f));
    f->poll = make_poll();
    tally_add(&f->tally, "cats", 5);
    tally_add(&f->tally, "dogs", 2);
    f->tally.counted = 7;
    f->tally.superseded = 2;
    f->tally.rejected = 1;
    f->tally.received = 10;
    f->facts = (struct snapshot_facts){
        .poll = f->poll, .tally = &f->tally, .pending = 4, .is_public = true, .now_us = NOW_US};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    poll_release(f->poll);
    tally_fini(&f->tally);
    free(f);
    return 0;
}

static struct snapshot *must_make(const struct fixture *f, const struct snapshot *last)
{
    struct snapshot *snapshot = snapshot_make(&f->facts, last);
    assert_non_null(snapshot);
    return snapshot;
}

static void a_tally_has_a_count_for_each_choice(void **state)
{
    struct tally tally = {0};
    assert_int_equal(tally_count(&tally, "cats"), 0);
    for (int i = 0; i < 100; i++) {
        char choice[16];
        snprintf(choice, sizeof(choice), "choice-%d", i);
        tally_add(&tally, choice, i);
    }
    assert_int_equal(tally_count(&tally, "choice-7"), 7);
    assert_int_equal(tally_count(&tally, "choice-77"), 77);
    assert_int_equal(tally_count(&tally, "choice"), 0);
    assert_int_equal(tally_count(&tally, "choice-777"), 0);
    tally_fini(&tally);
}

static void the_body_says_all_of_the_result(void **state)
{
    struct fixture *f = *state;
    struct snapshot *snapshot = must_make(f, NULL);
    json_t *json = json_loadb(snapshot->body, snapshot->body_len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    const char *poll_id, *title, *method, *name, *updated_at;
    json_t *options, *results;
    json_int_t version, total, received, counted, superseded, rejected, pending;
    assert_int_equal(json_unpack(json, "{s:{s:s,s:s,s:s,s:o},s:s,s:I,s:o,s:I,s:{s:I,s:I,s:I,s:I,s:I},s:s}", "poll",
                                 "id", &poll_id, "title", &title, "method", &method, "options", &options, "state",
                                 &name, "version", &version, "results", &results, "total", &total, "ledger", "received",
                                 &received, "counted", &counted, "superseded", &superseded, "rejected", &rejected,
                                 "pending", &pending, "updated_at", &updated_at),
                     0);
    assert_string_equal(poll_id, "demo");
    assert_string_equal(title, "Cats or dogs?");
    assert_string_equal(method, "plurality");
    assert_string_equal(name, "open");
    assert_string_equal(updated_at, "2026-01-31T12:00:00.000Z");
    assert_int_equal(version, snapshot->version);
    assert_int_equal(total, 7);
    assert_int_equal(received, counted + superseded + rejected);
    assert_int_equal(pending, 4);
    assert_int_equal(json_array_size(options), 3);
    json_t *poll = json_object_get(json, "poll");
    assert_true(json_is_null(json_object_get(poll, "opens_at")));
    assert_null(json_object_get(poll, "voting_codes"));

    static const struct {
        const char *id;
        int64_t count;
    } rows[] = {{"cats", 5}, {"dogs", 2}, {"x", 0}};
    assert_int_equal(json_array_size(results), COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *row = json_array_get(results, i);
        assert_string_equal(json_string_value(json_object_get(row, "id")), rows[i].id);
        assert_int_equal(json_integer_value(json_object_get(row, "count")), rows[i].count);
        assert_int_equal(snapshot->outcome.counts[i], rows[i].count);
    }
    json_decref(json);
    snapshot_release(snapshot);
}

static void the_poll_says_how_it_is_voted_in_and_who_sees_the_result(void **state)
{
    struct fixture *f = *state;
    f->poll->method = METHOD_APPROVAL;
    f->poll->min_choices = 1;
    f->poll->max_choices = 2;
    f->poll->revisable = f->poll->reopenable = true;
    f->poll->opens_at_ms = NOW_US / 1000;
    f->poll->visibility = VISIBILITY_AFTER_VOTE;
    f->poll->voter_policy = VOTERS_CODE;
    f->poll->voting_codes = 40;
    struct snapshot *snapshot = must_make(f, NULL);
    static const char expected[] = "\"min_choices\":1,\"max_choices\":2,\"revisable\":true,\"reopenable\":true,"
                                   "\"opens_at\":\"2026-01-31T12:00:00.000Z\",\"closes_at\":null,"
                                   "\"results_visibility\":\"after_vote\",\"voter_policy\":\"code\","
                                   "\"voting_codes\":40}";
    assert_non_null(strstr(snapshot->body, expected));
    snapshot_release(snapshot);
}

/* Server-sent events: WHATWG HTML, section 9.2. */
static void the_event_is_the_body_with_its_version_as_id(void **state)
{
    struct fixture *f = *state;
    struct snapshot *snapshot = must_make(f, NULL);
    char head[64];
    int len = snprintf(head, sizeof(head), "id: %lld\ndata: {", (long long)snapshot->version);
    assert_memory_equal(snapshot->event, head, (size_t)len);
    assert_memory_equal(snapshot->event + snapshot->event_len - 3, "}\n\n", 3);
    assert_null(memchr(snapshot->body, '\n', snapshot->body_len)); /* a line end would end the data */
    assert_int_equal(snapshot->body + snapshot->body_len + 2 - snapshot->event, snapshot->event_len);
    snprintf(head, sizeof(head), "\"%lld\"", (long long)snapshot->version);
    assert_string_equal(snapshot->etag, head);
    snapshot_release(snapshot);
}

static void pending_that_is_not_known_is_null(void **state)
{
    struct fixture *f = *state;
    f->facts.pending = -1;
    struct snapshot *snapshot = must_make(f, NULL);
    assert_non_null(memmem(snapshot->body, snapshot->body_len, "\"pending\":null", 14));
    snapshot_release(snapshot);
}

static void equal_facts_make_no_new_snapshot(void **state)
{
    struct fixture *f = *state;
    struct snapshot *first = must_make(f, NULL);
    f->facts.now_us += 5000000;
    assert_null(snapshot_make(&f->facts, first));
    snapshot_release(first);
}

static void any_changed_fact_makes_one_of_a_higher_version(void **state)
{
    struct fixture *f = *state;
    struct snapshot *last = must_make(f, NULL);
    for (int change = 0; change < 6; change++) {
        switch (change) {
        case 0:
            tally_add(&f->tally, "x", 1);
            break;
        case 1:
            f->facts.pending--;
            break;
        case 2:
            f->tally.superseded++;
            break;
        case 3:
            f->poll->title[0] = 'B';
            break;
        case 4:
            f->facts.is_public = false;
            break;
        case 5:
            f->poll->closes_at_ms = NOW_US / 1000;
            break;
        }
        struct snapshot *next = snapshot_make(&f->facts, last); /* in the same microsecond */
        CHECK_ROW(next != NULL, "%d", change);
        assert_true(next->version > last->version);
        snapshot_release(last);
        last = next;
    }
    snapshot_release(last);
}

/* A clock may be set back, or a subscriber may come from a server whose clock is ahead. */
static void versions_rise_even_if_the_clock_goes_back(void **state)
{
    struct fixture *f = *state;
    struct snapshot *first = must_make(f, NULL);
    tally_add(&f->tally, "x", 1);
    f->facts.now_us -= 60000000;
    struct snapshot *second = must_make(f, first);
    assert_true(second->version > first->version);

    f->facts.above = second->version + 1000000;
    struct snapshot *third = must_make(f, second); /* although nothing changed */
    assert_int_equal(third->version, f->facts.above + 1);
    snapshot_release(first);
    snapshot_release(second);
    snapshot_release(third);
}

static void a_closed_poll_is_counting_until_its_fence_has_passed(void **state)
{
    static const struct {
        int64_t opens, closes, fence;
        bool passed;
        enum result_state expected;
    } rows[] = {
        {0, 0, 0, false, RESULT_OPEN},
        {NOW_US / 1000 + 1, 0, 0, false, RESULT_SCHEDULED},
        {0, NOW_US / 1000 + 1, 0, false, RESULT_OPEN},
        {0, NOW_US / 1000, 0, false, RESULT_COUNTING},
        {0, NOW_US / 1000, 0, true, RESULT_COUNTING}, /* there is no fence that could be passed */
        {0, NOW_US / 1000, 77, false, RESULT_COUNTING},
        {0, NOW_US / 1000, 77, true, RESULT_FINAL},
        {0, 0, 77, true, RESULT_OPEN},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->poll->opens_at_ms = rows[i].opens;
        f->poll->closes_at_ms = rows[i].closes;
        f->tally.fence = rows[i].fence;
        f->facts.fence_passed = rows[i].passed;
        struct snapshot *snapshot = must_make(f, NULL);
        CHECK_ROW(snapshot->state == rows[i].expected, "%zu", i);
        snapshot_release(snapshot);
    }
}

static void a_final_result_stays_final(void **state)
{
    struct fixture *f = *state;
    f->poll->closes_at_ms = 1;
    f->tally.fence = 77;
    f->facts.fence_passed = true;
    struct snapshot *final = must_make(f, NULL);
    f->facts.fence_passed = false; /* the fence of another vote-api came later */
    f->facts.above = final->version;
    struct snapshot *next = must_make(f, final);
    assert_int_equal(next->state, RESULT_FINAL);
    snapshot_release(next);
    snapshot_release(final);
}

/* A final poll is opened again and closes again. The fence of the term before does not close this term. */
static void a_poll_opened_again_is_open_and_final_anew(void **state)
{
    struct fixture *f = *state;
    f->poll->closes_at_ms = 1;
    f->tally.fence = 77;
    f->facts.fence_passed = true;
    struct snapshot *final = must_make(f, NULL);

    struct poll *again = poll_copy(f->poll);
    again->term = 1;
    again->closes_at_ms = 0;
    f->facts.poll = again;
    struct snapshot *open = must_make(f, final);
    assert_int_equal(open->state, RESULT_OPEN);
    assert_true(open->version > final->version);

    struct poll *closed = poll_copy(again);
    closed->closes_at_ms = 2;
    f->facts.poll = closed;
    struct snapshot *counting = must_make(f, final); /* no snapshot was made while it was open */
    assert_int_equal(counting->state, RESULT_COUNTING);
    assert_true(counting->version > final->version);
    f->tally.fence = 99;
    f->tally.term = 1;
    struct snapshot *anew = must_make(f, counting);
    assert_int_equal(anew->state, RESULT_FINAL);

    struct snapshot *const made[] = {final, open, counting, anew};
    for (size_t i = 0; i < COUNT_OF(made); i++)
        snapshot_release(made[i]);
    poll_release(again);
    poll_release(closed);
}

static void a_draft_says_so(void **state)
{
    struct fixture *f = *state;
    f->poll->draft = true;
    f->poll->closes_at_ms = 1;
    struct snapshot *snapshot = must_make(f, NULL);
    assert_int_equal(snapshot->state, RESULT_DRAFT);
    snapshot_release(snapshot);
}

static void states_have_names(void **state)
{
    assert_string_equal(result_state_name(RESULT_DRAFT), "draft");
    assert_string_equal(result_state_name(RESULT_SCHEDULED), "scheduled");
    assert_string_equal(result_state_name(RESULT_OPEN), "open");
    assert_string_equal(result_state_name(RESULT_COUNTING), "counting");
    assert_string_equal(result_state_name(RESULT_FINAL), "final");
}

static void the_csv_is_quoted_and_holds_no_formula(void **state)
{
    struct fixture *f = *state;
    struct snapshot *snapshot = must_make(f, NULL);
    size_t len;
    char *text = snapshot_render_csv(snapshot, &len);
    assert_int_equal(strlen(text), len);
    assert_string_equal(text, "option,label,count\r\n"
                              "\"cats\",\"Cats\",5\r\n"
                              "\"dogs\",\"Dogs, \"\"all\"\"\",2\r\n"
                              "\"x\",\"'=1+2\",0\r\n");
    free(text);
    snapshot_release(snapshot);
}

static void a_snapshot_lives_until_its_last_reference_goes(void **state)
{
    struct fixture *f = *state;
    struct snapshot *snapshot = must_make(f, NULL);
    assert_ptr_equal(snapshot_retain(snapshot), snapshot);
    snapshot_release(snapshot);
    assert_string_equal(snapshot->poll->id, "demo"); /* AddressSanitizer finds a snapshot that was freed */
    snapshot_release(snapshot);
    snapshot_release(NULL);
}

#define WITH_FACTS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tally_has_a_count_for_each_choice),
        WITH_FACTS(the_body_says_all_of_the_result),
        WITH_FACTS(the_poll_says_how_it_is_voted_in_and_who_sees_the_result),
        WITH_FACTS(the_event_is_the_body_with_its_version_as_id),
        WITH_FACTS(pending_that_is_not_known_is_null),
        WITH_FACTS(equal_facts_make_no_new_snapshot),
        WITH_FACTS(any_changed_fact_makes_one_of_a_higher_version),
        WITH_FACTS(versions_rise_even_if_the_clock_goes_back),
        WITH_FACTS(a_closed_poll_is_counting_until_its_fence_has_passed),
        WITH_FACTS(a_poll_opened_again_is_open_and_final_anew),
        WITH_FACTS(a_draft_says_so),
        WITH_FACTS(a_final_result_stays_final),
        cmocka_unit_test(states_have_names),
        WITH_FACTS(the_csv_is_quoted_and_holds_no_formula),
        WITH_FACTS(a_snapshot_lives_until_its_last_reference_goes),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
