/* Tests of directory: which definition of a poll is held, and how the list pages.
 * SPDX-License-Identifier: MIT */
#include "ballot/directory.h"

#include "base/alloc.h"
#include "unit.h"

static struct poll *make(const char *id, int64_t created_ms, int64_t updated_ms)
{
    struct poll *poll = poll_new();
    snprintf(poll->id, sizeof(poll->id), "%s", id);
    poll->created_at_ms = created_ms;
    poll->updated_at_ms = updated_ms;
    return poll;
}

static struct poll *make_deleted(const char *id, int64_t created_ms, int64_t updated_ms)
{
    struct poll *poll = make(id, created_ms, updated_ms);
    poll->deleted = true;
    return poll;
}

static int64_t updated_of(struct directory *directory, const char *id)
{
    struct poll *poll = directory_find(directory, id, strlen(id));
    int64_t updated = poll != NULL ? poll->updated_at_ms : -1;
    poll_release(poll);
    return updated;
}

/* The ids of a page, joined by spaces. */
static const char *list(struct directory *directory, const char *after, size_t max)
{
    static char text[512];
    struct poll *polls[16];
    size_t n = directory_list(directory, after, polls, max), len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i == 0 ? "" : " ", polls[i]->id);
        poll_release(polls[i]);
    }
    return text;
}

static void a_poll_is_found_by_its_whole_id(void **state)
{
    struct directory *directory = directory_new();

    assert_true(directory_put(directory, make("demo", 1, 1)));
    assert_true(directory_put(directory, make("demo-2", 1, 1)));
    assert_int_equal(updated_of(directory, "demo"), 1);
    struct poll *poll = directory_find(directory, "demo-2xxx", 6); /* the length counts */
    assert_string_equal(poll->id, "demo-2");
    poll_release(poll);
    assert_null(directory_find(directory, "dem", 3));
    assert_null(directory_find(directory, "demo-3", 6));
    assert_null(directory_find(directory, "", 0));
    assert_null(directory_find(directory, "demo\0", 5));
    assert_null(directory_find(directory, "an-id-that-is-longer-than-any-id-may-be", 39));
    directory_free(directory);
}

static void only_a_newer_definition_replaces_the_one_held(void **state)
{
    static const struct {
        int64_t updated;
        bool changes;
        int64_t held;
    } rows[] = {
        {10, true, 10}, {10, false, 10}, /* the minute's round brings the same again */
        {9, false, 10},                  /* a late delivery */
        {11, true, 11}, {10, false, 11},
    };
    struct directory *directory = directory_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_ROW(directory_put(directory, make("demo", 1, rows[i].updated)) == rows[i].changes, "%zu", i);
        assert_int_equal(updated_of(directory, "demo"), rows[i].held);
        assert_int_equal(directory_count(directory), 1);
    }
    directory_free(directory);
}

static void a_poll_in_use_survives_its_replacement(void **state)
{
    struct directory *directory = directory_new();

    directory_put(directory, make("demo", 1, 1));
    struct poll *held = directory_find(directory, "demo", 4);
    directory_put(directory, make("demo", 1, 2));
    assert_int_equal(held->updated_at_ms, 1); /* AddressSanitizer watches */
    directory_free(directory);
    assert_int_equal(held->updated_at_ms, 1);
    poll_release(held);
}

static void a_deleted_poll_is_found_but_not_listed(void **state)
{
    struct directory *directory = directory_new();

    directory_put(directory, make("a", 1, 1));
    directory_put(directory, make("b", 2, 1));
    directory_put(directory, make_deleted("b", 2, 2));
    struct poll *poll = directory_find(directory, "b", 1);
    assert_true(poll->deleted);
    poll_release(poll);
    assert_string_equal(list(directory, "", 10), "a");
    assert_false(directory_put(directory, make("b", 2, 1))); /* an old value does not bring it back */
    assert_string_equal(list(directory, "", 10), "a");
    directory_free(directory);
}

static void a_draft_is_found_but_not_listed(void **state)
{
    struct directory *directory = directory_new();
    struct poll *draft = make("b", 2, 1);

    draft->draft = true;
    directory_put(directory, make("a", 1, 1));
    directory_put(directory, draft);
    struct poll *poll = directory_find(directory, "b", 1);
    assert_true(poll->draft);
    poll_release(poll);
    assert_string_equal(list(directory, "", 10), "a");
    directory_put(directory, make("b", 2, 2));
    assert_string_equal(list(directory, "", 10), "b a");
    directory_free(directory);
}

static void the_newest_polls_come_first_and_ids_break_ties(void **state)
{
    struct directory *directory = directory_new();

    directory_put(directory, make("m", 20, 1));
    directory_put(directory, make("z", 10, 1));
    directory_put(directory, make("a", 30, 1));
    directory_put(directory, make("k", 20, 1));
    assert_string_equal(list(directory, "", 10), "a m k z");
    assert_string_equal(list(directory, "", 2), "a m");
    assert_string_equal(list(directory, "", 0), "");
    directory_free(directory);
}

static void pages_follow_each_other_without_gap_or_overlap(void **state)
{
    struct directory *directory = directory_new();

    for (int i = 0; i < 7; i++)
        directory_put(directory, make((const char *[]){"a", "b", "c", "d", "e", "f", "g"}[i], i, 1));
    assert_string_equal(list(directory, "", 3), "g f e");
    assert_string_equal(list(directory, "e", 3), "d c b");
    assert_string_equal(list(directory, "b", 3), "a");
    assert_string_equal(list(directory, "a", 3), "");
    directory_free(directory);
}

static void a_cursor_holds_while_polls_come_change_and_go(void **state)
{
    struct directory *directory = directory_new();

    for (int i = 0; i < 5; i++)
        directory_put(directory, make((const char *[]){"a", "b", "c", "d", "e"}[i], i, 1));
    assert_string_equal(list(directory, "", 2), "e d");
    directory_put(directory, make("new", 99, 1));      /* lands before the cursor */
    directory_put(directory, make_deleted("d", 3, 2)); /* the cursor itself goes */
    directory_put(directory, make_deleted("b", 1, 2));
    directory_put(directory, make("c", 2, 7));
    assert_string_equal(list(directory, "d", 2), "c a");
    directory_free(directory);
}

static void an_unknown_cursor_ends_the_list(void **state)
{
    struct directory *directory = directory_new();

    directory_put(directory, make("a", 1, 1));
    assert_string_equal(list(directory, "nobody", 10), "");
    assert_string_equal(list(directory, "a-cursor-that-is-longer-than-any-id-may-be", 10), "");
    directory_free(directory);
}

static void a_changed_time_of_creation_moves_the_poll(void **state)
{
    struct directory *directory = directory_new();

    directory_put(directory, make("a", 1, 1));
    directory_put(directory, make("b", 2, 1));
    directory_put(directory, make("a", 3, 2));
    assert_string_equal(list(directory, "", 10), "a b");
    assert_int_equal(directory_count(directory), 2);
    directory_free(directory);
}

static void count_one(void *arg, const struct poll *poll)
{
    size_t *n = arg;
    n[0]++;
    n[1] += poll->deleted;
}

static void ten_thousand_polls_are_all_there(void **state)
{
    enum { N = 10000 };
    struct directory *directory = directory_new();
    char id[POLL_ID_MAX + 1];

    for (int i = 0; i < N; i++) {
        /* in a scattered order, a quarter of them deleted */
        int number = (int)((unsigned)i * 7919u % N);
        snprintf(id, sizeof(id), "poll-%d", number);
        assert_true(directory_put(directory, number % 4 == 0 ? make_deleted(id, number, 1) : make(id, number, 1)));
    }
    assert_int_equal(directory_count(directory), N);
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "poll-%d", i);
        assert_int_equal(updated_of(directory, id), 1);
    }

    size_t counts[2] = {0, 0};
    directory_each(directory, count_one, counts);
    assert_int_equal(counts[0], N);
    assert_int_equal(counts[1], N / 4);

    struct poll **polls = alloc_items(N, sizeof(*polls));
    size_t n = directory_list(directory, "", polls, N);
    assert_int_equal(n, N - N / 4);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || polls[i - 1]->created_at_ms > polls[i]->created_at_ms);
        if (i > 0)
            poll_release(polls[i - 1]);
    }
    poll_release(polls[n - 1]);
    free(polls);
    directory_free(directory);
}

static void an_empty_directory_has_nothing(void **state)
{
    struct directory *directory = directory_new();
    assert_int_equal(directory_count(directory), 0);
    assert_null(directory_find(directory, "demo", 4));
    assert_string_equal(list(directory, "", 10), "");
    directory_free(directory);
    directory_free(NULL);
}

static void deleted_polls_that_left_the_bucket_are_forgotten(void **state)
{
    struct directory *directory = directory_new();
    char id[POLL_ID_MAX + 1];

    for (int i = 0; i < 200; i++) { /* more than the table begins with, so that some stand behind others */
        snprintf(id, sizeof(id), "poll-%d", i);
        directory_put(directory, i % 2 == 0 ? make(id, i, 1) : make_deleted(id, i, 1));
    }
    directory_end_round(directory);
    assert_int_equal(directory_count(directory), 200); /* all were put in this round */
    uint64_t version = directory_version(directory);
    for (int i = 1; i < 200; i += 4) { /* of the deleted ones every other is still in the bucket; nothing else is */
        snprintf(id, sizeof(id), "poll-%d", i);
        assert_false(directory_put(directory, make_deleted(id, i, 1)));
    }
    directory_end_round(directory);
    assert_int_equal(directory_count(directory), 150);
    assert_true(directory_version(directory) > version);
    for (int i = 0; i < 200; i++) {
        snprintf(id, sizeof(id), "poll-%d", i);
        assert_int_equal(updated_of(directory, id), i % 4 == 3 ? -1 : 1);
    }
    assert_string_equal(list(directory, "poll-6", 2), "poll-4 poll-2");
    assert_true(directory_put(directory, make_deleted("poll-3", 3, 1))); /* a late delivery brings it back */
    directory_end_round(directory);
    directory_end_round(directory);
    assert_int_equal(directory_count(directory), 100);
    directory_free(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_is_found_by_its_whole_id),
        cmocka_unit_test(deleted_polls_that_left_the_bucket_are_forgotten),
        cmocka_unit_test(only_a_newer_definition_replaces_the_one_held),
        cmocka_unit_test(a_poll_in_use_survives_its_replacement),
        cmocka_unit_test(a_deleted_poll_is_found_but_not_listed),
        cmocka_unit_test(a_draft_is_found_but_not_listed),
        cmocka_unit_test(the_newest_polls_come_first_and_ids_break_ties),
        cmocka_unit_test(pages_follow_each_other_without_gap_or_overlap),
        cmocka_unit_test(a_cursor_holds_while_polls_come_change_and_go),
        cmocka_unit_test(an_unknown_cursor_ends_the_list),
        cmocka_unit_test(a_changed_time_of_creation_moves_the_poll),
        cmocka_unit_test(ten_thousand_polls_are_all_there),
        cmocka_unit_test(an_empty_directory_has_nothing),
    };
    return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
