/* Tests of poll: its states in time, its ids, its names, its references.
 * SPDX-License-Identifier: MIT */
#include "ballot/poll_definition.h"

#include "base/alloc.h"
#include "unit.h"

static void a_poll_is_scheduled_then_open_then_closed(void **state)
{
    static const struct {
        int64_t opens, closes, now;
        bool deleted;
        enum poll_state expected;
    } rows[] = {
        {0, 0, 0, false, POLL_OPEN},           {0, 0, INT64_MAX, false, POLL_OPEN}, {100, 0, 99, false, POLL_SCHEDULED},
        {100, 0, 100, false, POLL_OPEN},       {0, 200, 199, false, POLL_OPEN},     {0, 200, 200, false, POLL_CLOSED},
        {100, 200, 99, false, POLL_SCHEDULED}, {100, 200, 150, false, POLL_OPEN},   {100, 200, 201, false, POLL_CLOSED},
        {100, 50, 60, false, POLL_CLOSED}, /* closed before it opened */
        {0, 0, 1, true, POLL_CLOSED},          {100, 0, 1, true, POLL_CLOSED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct poll *poll = poll_new();
        poll->opens_at_ms = rows[i].opens;
        poll->closes_at_ms = rows[i].closes;
        poll->deleted = rows[i].deleted;
        CHECK_ROW(poll_state_at(poll, rows[i].now) == rows[i].expected, "%zu", i);
        poll_release(poll);
    }
}

static void time_opens_and_closes_no_draft(void **state)
{
    struct poll *poll = poll_new();
    poll->draft = true;
    poll->opens_at_ms = 100;
    poll->closes_at_ms = 200;
    for (int64_t now = 50; now < 300; now += 100)
        assert_int_equal(poll_state_at(poll, now), POLL_DRAFT);
    poll->deleted = true;
    assert_int_equal(poll_state_at(poll, 150), POLL_CLOSED);
    assert_string_equal(poll_state_name(POLL_DRAFT), "draft");
    assert_string_equal(poll_state_name(POLL_CLOSED), "closed");
    poll_release(poll);
}

static void ids_are_short_and_lower_case(void **state)
{
    static const struct {
        const char *id;
        size_t len;
        bool valid;
    } rows[] = {
        {"demo", 4, true},
        {"a", 1, true},
        {"-", 1, true},
        {"0123456789-abcdefghijklmnopqrstu", 32, true},
        {"", 0, false},
        {"0123456789-abcdefghijklmnopqrstuv", 33, false},
        {"Demo", 4, false},
        {"de mo", 5, false},
        {"de.mo", 5, false},
        {"de_mo", 5, false},
        {"de/mo", 5, false},
        {"de*", 3, false},
        {"de>", 3, false},
        {"d\0mo", 4, false},
        {"d\xc3\xa9mo", 5, false},
        {"`{", 2, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(poll_id_is_valid(rows[i].id, rows[i].len) == rows[i].valid, "%s", rows[i].id);
}

static struct poll *make_poll(void)
{
    struct poll *poll = poll_new();
    strcpy(poll->id, "demo");
    poll->title = alloc_copy("Cats or dogs?");
    poll->description = alloc_copy("A classic.");
    poll->method = METHOD_APPROVAL;
    poll->min_choices = 1;
    poll->max_choices = 2;
    poll->revisable = true;
    poll->reopenable = true;
    poll->draft = true;
    poll->term = 3;
    poll->opening_term = 4;
    poll->made_with_key = poll->expiring = true;
    poll->has_manager = true;
    poll->opens_at_ms = 5;
    poll->closes_at_ms = 6;
    poll->visibility = VISIBILITY_AFTER_CLOSE;
    poll->voter_policy = VOTERS_CODE;
    poll->voting_codes = 7;
    strcpy(poll->key_id, "k1");
    memset(poll->manage_hash, 7, sizeof(poll->manage_hash));
    poll->created_at_ms = 3;
    poll->updated_at_ms = 4;
    poll->n_options = 3;
    poll->options = alloc_items(3, sizeof(*poll->options));
    for (size_t i = 0; i < 3; i++) {
        strcpy(poll->options[i].id, (const char *[]){"cat", "cats", "abcdefghijklmnopqrstuvwxyz012345"}[i]);
        poll->options[i].label = alloc_copy((const char *[]){"Cat", "Cats", "Long"}[i]);
    }
    return poll;
}

static void an_option_is_found_by_its_whole_id_only(void **state)
{
    struct poll *poll = make_poll();

    assert_ptr_equal(poll_find_option(poll, "cat", 3), &poll->options[0]);
    assert_ptr_equal(poll_find_option(poll, "cats", 4), &poll->options[1]);
    assert_ptr_equal(poll_find_option(poll, "catsy", 4), &poll->options[1]); /* the length counts, not a NUL */
    assert_ptr_equal(poll_find_option(poll, "abcdefghijklmnopqrstuvwxyz012345", 32), &poll->options[2]);
    assert_null(poll_find_option(poll, "abcdefghijklmnopqrstuvwxyz0123456", 33));
    assert_null(poll_find_option(poll, "ca", 2));
    assert_null(poll_find_option(poll, "catsx", 5));
    assert_null(poll_find_option(poll, "", 0));
    assert_null(poll_find_option(poll, "cat\0", 4));
    assert_null(poll_find_option(poll, "dogs", 4));
    poll_release(poll);
}

static void a_copy_is_equal_and_independent(void **state)
{
    struct poll *poll = make_poll();
    struct poll *copy = poll_copy(poll);

    poll->title[0] = 'X';
    poll->options[0].label[0] = 'X';
    poll_release(poll);

    assert_string_equal(copy->id, "demo");
    assert_string_equal(copy->title, "Cats or dogs?");
    assert_string_equal(copy->description, "A classic.");
    assert_int_equal(copy->method, METHOD_APPROVAL);
    assert_int_equal(copy->min_choices, 1);
    assert_int_equal(copy->max_choices, 2);
    assert_true(copy->revisable);
    assert_true(copy->reopenable);
    assert_true(copy->draft);
    assert_int_equal(copy->term, 3);
    assert_int_equal(copy->opening_term, 4);
    assert_true(copy->made_with_key && copy->expiring);
    assert_false(copy->deleted);
    assert_true(copy->has_manager);
    assert_int_equal(copy->opens_at_ms, 5);
    assert_int_equal(copy->closes_at_ms, 6);
    assert_int_equal(copy->visibility, VISIBILITY_AFTER_CLOSE);
    assert_int_equal(copy->voter_policy, VOTERS_CODE);
    assert_int_equal(copy->voting_codes, 7);
    assert_string_equal(copy->key_id, "k1");
    assert_int_equal(copy->manage_hash[31], 7);
    assert_int_equal(copy->created_at_ms, 3);
    assert_int_equal(copy->updated_at_ms, 4);
    assert_int_equal(copy->n_options, 3);
    assert_string_equal(copy->options[0].id, "cat");
    assert_string_equal(copy->options[0].label, "Cat");
    assert_string_equal(copy->options[2].label, "Long");
    assert_int_equal(atomic_load(&copy->refs), 1);
    poll_release(copy);
}

/* What was stored is compared with what was meant to be: no field may be forgotten. */
static void polls_that_differ_in_one_field_are_not_equal(void **state)
{
    struct poll *poll = make_poll(), *copy = poll_copy(poll);

    assert_true(poll_equal(poll, copy));
#define DIFFERS_BY(change, undo)                                                                                       \
    do {                                                                                                               \
        change;                                                                                                        \
        CHECK_ROW(!poll_equal(poll, copy) && !poll_equal(copy, poll), "%s", #change);                                  \
        undo;                                                                                                          \
        CHECK_ROW(poll_equal(poll, copy), "%s", #undo);                                                                \
    } while (0)
    DIFFERS_BY(copy->id[0]++, copy->id[0]--);
    DIFFERS_BY(copy->title[0]++, copy->title[0]--);
    DIFFERS_BY(copy->description[0]++, copy->description[0]--);
    DIFFERS_BY(copy->method--, copy->method++);
    DIFFERS_BY(copy->min_choices++, copy->min_choices--);
    DIFFERS_BY(copy->max_choices++, copy->max_choices--);
    DIFFERS_BY(copy->revisable = false, copy->revisable = true);
    DIFFERS_BY(copy->reopenable = false, copy->reopenable = true);
    DIFFERS_BY(copy->draft = false, copy->draft = true);
    DIFFERS_BY(copy->deleted = true, copy->deleted = false);
    DIFFERS_BY(copy->has_manager = false, copy->has_manager = true);
    DIFFERS_BY(copy->term++, copy->term--);
    DIFFERS_BY(copy->opening_term++, copy->opening_term--);
    DIFFERS_BY(copy->opens_at_ms++, copy->opens_at_ms--);
    DIFFERS_BY(copy->closes_at_ms++, copy->closes_at_ms--);
    DIFFERS_BY(copy->visibility--, copy->visibility++);
    DIFFERS_BY(copy->voter_policy--, copy->voter_policy++);
    DIFFERS_BY(copy->voting_codes++, copy->voting_codes--);
    DIFFERS_BY(copy->made_with_key = false, copy->made_with_key = true);
    DIFFERS_BY(copy->key_id[0]++, copy->key_id[0]--);
    DIFFERS_BY(copy->manage_hash[31]++, copy->manage_hash[31]--);
    DIFFERS_BY(copy->created_at_ms++, copy->created_at_ms--);
    DIFFERS_BY(copy->updated_at_ms++, copy->updated_at_ms--);
    DIFFERS_BY(copy->n_options--, copy->n_options++);
    DIFFERS_BY(copy->options[1].id[0]++, copy->options[1].id[0]--);
    DIFFERS_BY(copy->options[2].label[0]++, copy->options[2].label[0]--);
#undef DIFFERS_BY
    poll_release(copy);
    poll_release(poll);
}

static void a_poll_lives_until_its_last_reference_goes(void **state)
{
    struct poll *poll = make_poll();

    assert_ptr_equal(poll_retain(poll), poll);
    poll_release(poll);
    assert_string_equal(poll->title, "Cats or dogs?"); /* AddressSanitizer watches */
    poll_release(poll);
    poll_release(NULL);
}

static void a_copy_of_an_empty_poll_is_fine(void **state)
{
    struct poll *poll = poll_new();
    struct poll *copy = poll_copy(poll);
    assert_null(copy->title);
    assert_int_equal(copy->n_options, 0);
    poll_release(poll);
    poll_release(copy);
}

static void every_enum_value_has_a_name_that_leads_back(void **state)
{
    static const char *const methods[] = {"plurality", "approval", "ranked", "score"};
    static const char *const visibilities[] = {"always", "after_vote", "after_close"};
    static const char *const policies[] = {"open", "code"};

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        assert_string_equal(poll_method_name((enum poll_method)i), methods[i]);
        assert_int_equal(poll_method_from_name(methods[i]), i);
    }
    for (size_t i = 0; i < COUNT_OF(visibilities); i++) {
        assert_string_equal(poll_visibility_name((enum poll_visibility)i), visibilities[i]);
        assert_int_equal(poll_visibility_from_name(visibilities[i]), i);
    }
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        assert_string_equal(poll_voter_policy_name((enum poll_voter_policy)i), policies[i]);
        assert_int_equal(poll_voter_policy_from_name(policies[i]), i);
    }
}

static void an_unknown_name_is_no_enum_value(void **state)
{
    static const char *const names[] = {"", "Plurality", "plurality ", "plural", "best"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(poll_method_from_name(names[i]), -1);
        assert_int_equal(poll_visibility_from_name(names[i]), -1);
        assert_int_equal(poll_voter_policy_from_name(names[i]), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_is_scheduled_then_open_then_closed),
        cmocka_unit_test(time_opens_and_closes_no_draft),
        cmocka_unit_test(ids_are_short_and_lower_case),
        cmocka_unit_test(an_option_is_found_by_its_whole_id_only),
        cmocka_unit_test(a_copy_is_equal_and_independent),
        cmocka_unit_test(polls_that_differ_in_one_field_are_not_equal),
        cmocka_unit_test(a_poll_lives_until_its_last_reference_goes),
        cmocka_unit_test(a_copy_of_an_empty_poll_is_fine),
        cmocka_unit_test(every_enum_value_has_a_name_that_leads_back),
        cmocka_unit_test(an_unknown_name_is_no_enum_value),
    };
    return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}
