/* Tests of batch_set, poll_keys and pg_array: what a set of batches comes to before the database sees it.
 * SPDX-License-Identifier: MIT */
#include "store/batch_set.h"

#include "ballot/ordinal.h"
#include "pg/pg_array.h"

#include "unit.h"

static const struct marks no_marks;

static struct ballot ballot_of(const char *poll, uint8_t voter, const char *choices)
{
    struct ballot ballot = {.voter = {voter}, .choices = choices, .choices_len = strlen(choices)};
    snprintf(ballot.poll, sizeof(ballot.poll), "%s", poll);
    return ballot;
}

static void set_up(struct poll_keys *keys)
{
    poll_keys_init(keys);
    poll_keys_put(keys, "open", 1, true);
    poll_keys_put(keys, "first", 2, false);
    poll_keys_put(keys, "nowhere", POLL_KEY_MISSING, false);
}

static void a_set_has_a_line_for_each_poll_and_counts_everything(void **state)
{
    struct ballot ballots[] = {ballot_of("first", 1, "a"), ballot_of("open", 1, "a"), ballot_of("open", 2, "b"),
                               ballot_of("open", 1, "c")};
    struct ballot_batch batch = {.n_ballots = 4, .ballots = ballots};
    struct stream_batch in[] = {{.seq = 5, .batch = &batch}};
    struct poll_keys keys;
    struct batch_set set = {0};
    set_up(&keys);

    batch_set_fill(&set, &keys, &no_marks, 3, in, 1);

    assert_int_equal(set.n_candidates, 4);
    assert_int_equal(set.n_lines, 2);
    assert_int_equal(batch_set_line(&set, 1)->received, 3);
    assert_int_equal(batch_set_line(&set, 2)->received, 1);
    assert_null(batch_set_line(&set, 3));
    assert_string_equal(set.lines[0].id, "open");

    batch_set_pick(&set);

    assert_int_equal(set.n_winners, 3);
    assert_ptr_equal(set.winners[0].ballot, &ballots[3]); /* the later one of voter 1 */
    assert_int_equal(set.winners[0].precedence, ordinal_make(3, 5, 3));
    assert_int_equal(set.winners[2].precedence, -ordinal_make(3, 5, 0)); /* the first one is final */
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

static void ballots_are_received_in_the_second_in_which_they_were_cast(void **state)
{
    struct ballot ballots[] = {ballot_of("open", 1, "a"),   ballot_of("open", 2, "b"), ballot_of("first", 1, "a"),
                               ballot_of("open", 3, "a"),   ballot_of("open", 1, "a"), ballot_of("open", 4, "a"),
                               ballot_of("nowhere", 1, "a")};
    static const int64_t cast_at_ms[] = {5999, 5000, 5100, 4999, 5999, -7, 5999};
    struct ballot_batch batch = {.n_ballots = 7, .ballots = ballots}, late = {.n_ballots = 1, .ballots = ballots};
    struct stream_batch in[] = {{.seq = 1, .batch = &batch}, {.seq = 2, .batch = &late}};
    static const int64_t expected[][3] = {{1, 0, 1}, {1, 4, 1}, {1, 5, 4}, {2, 5, 1}};
    struct poll_keys keys;
    struct batch_set set = {0};
    set_up(&keys);
    for (size_t i = 0; i < COUNT_OF(cast_at_ms); i++)
        ballots[i].cast_at_ms = cast_at_ms[i];

    batch_set_fill(&set, &keys, &no_marks, 1, in, 2);

    assert_int_equal(set.n_moments, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(set.moments[i].poll, expected[i][0]);
        assert_int_equal(set.moments[i].second, expected[i][1]);
        assert_int_equal(set.moments[i].received, expected[i][2]);
    }
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

static void a_ballot_of_an_unknown_poll_is_rejected_with_the_reason(void **state)
{
    struct ballot ballots[] = {ballot_of("open", 1, "a"), ballot_of("nowhere", 1, "a")};
    struct ballot_batch batch = {.n_ballots = 2, .ballots = ballots};
    struct stream_batch in[] = {{.seq = 9, .batch = &batch}};
    struct poll_keys keys;
    struct batch_set set = {0};
    set_up(&keys);

    batch_set_fill(&set, &keys, &no_marks, 1, in, 1);

    assert_int_equal(set.n_candidates, 1);
    assert_int_equal(set.n_rejections, 1);
    assert_int_equal(set.rejections[0].ordinal, ordinal_make(1, 9, 1));
    assert_string_equal(set.rejections[0].poll_id, "nowhere");
    assert_string_equal(set.rejections[0].reason, "unknown poll");
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

/* The gates of the terms went with the stream; the batch has ballots from before and after each. */
static void a_ballot_of_a_later_term_than_the_fence_counts(void **state)
{
    struct ballot ballots[] = {ballot_of("open", 1, "a"), ballot_of("open", 2, "b"), ballot_of("open", 3, "b"),
                               ballot_of("open", 4, "a")};
    struct ballot_batch batch = {.n_ballots = 4, .ballots = ballots}, fence = {.fence_poll = "open", .term = 1};
    struct stream_batch in[] = {{.seq = 6, .batch = &batch}};
    struct poll_keys keys;
    struct batch_set set = {0};
    struct marks book = {0};
    set_up(&keys);
    marks_add_batch(&book, &fence, ordinal_make(1, 5, 0));
    for (unsigned i = 0; i < 4; i++)
        ballots[i].term = (unsigned[]){1, 2, 0, 2}[i];

    batch_set_fill(&set, &keys, &book, 1, in, 1);

    assert_int_equal(set.n_rejections, 2);
    assert_int_equal(ordinal_index(set.rejections[0].ordinal), 0);
    assert_int_equal(ordinal_index(set.rejections[1].ordinal), 2);
    assert_int_equal(set.n_candidates, 2);
    batch_set_fini(&set);
    marks_fini(&book);
    poll_keys_fini(&keys);
}

/* Behind the fence of `open` at 5 and up to its gate at 8; `first` is nobody's business. */
static void ballots_behind_a_fence_are_received_and_rejected(void **state)
{
    static const uint64_t sequences[] = {4, 6, 7, 9};
    struct ballot ballots[] = {ballot_of("open", 1, "a"), ballot_of("first", 1, "a"), ballot_of("open", 2, "b")};
    struct ballot_batch batch = {.n_ballots = 3, .ballots = ballots};
    struct ballot_batch fence = {.fence_poll = "open"}, gate = {.gate_poll = "open", .term = 1};
    struct stream_batch in[COUNT_OF(sequences)];
    struct poll_keys keys;
    struct batch_set set = {0};
    struct marks book = {0};
    set_up(&keys);
    marks_add_batch(&book, &fence, ordinal_make(1, 5, 0));
    marks_add_batch(&book, &gate, ordinal_make(1, 8, 0));
    for (size_t i = 0; i < COUNT_OF(sequences); i++)
        in[i] = (struct stream_batch){.seq = sequences[i], .batch = &batch};

    batch_set_fill(&set, &keys, &book, 1, in, COUNT_OF(in));

    assert_int_equal(set.n_candidates, 4 + 2 * 2);
    assert_int_equal(set.n_rejections, 2 * 2);
    for (size_t i = 0; i < set.n_rejections; i++) {
        uint64_t sequence = ordinal_sequence(set.rejections[i].ordinal);
        assert_true(sequence == 6 || sequence == 7);
        assert_string_equal(set.rejections[i].poll_id, "open");
        assert_string_equal(set.rejections[i].reason, "after the fence");
    }
    assert_int_equal(batch_set_line(&set, 1)->received, 8);
    assert_int_equal(batch_set_line(&set, 1)->rejected, 4);
    assert_int_equal(batch_set_line(&set, 2)->received, 4);
    assert_int_equal(batch_set_line(&set, 2)->rejected, 0);

    /* Where nothing else came, the poll has a line all the same, in its place. */
    struct ballot_batch late = {.n_ballots = 1, .ballots = ballots};
    struct ballot_batch other = {.n_ballots = 1, .ballots = ballots + 1};
    in[0] = (struct stream_batch){.seq = 6, .batch = &late};
    in[1] = (struct stream_batch){.seq = 7, .batch = &other};
    batch_set_fill(&set, &keys, &book, 1, in, 2);
    assert_int_equal(set.n_lines, 2);
    assert_int_equal(set.lines[0].poll, 1);
    assert_int_equal(set.lines[0].received, 1);
    assert_int_equal(set.lines[0].rejected, 1);
    assert_string_equal(set.lines[0].id, "open");
    assert_int_equal(set.lines[1].poll, 2);
    marks_fini(&book);
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

static void known_batches_and_dead_letters_add_nothing_and_a_fence_is_kept(void **state)
{
    struct ballot ballots[] = {ballot_of("open", 1, "a")};
    struct ballot_batch batch = {.n_ballots = 1, .ballots = ballots}, fence = {.fence_poll = "open"};
    struct stream_batch in[] = {{.seq = 1, .batch = &batch, .known = true}, {.seq = 2}, {.seq = 3, .batch = &fence}};
    struct poll_keys keys;
    struct batch_set set = {0};
    set_up(&keys);

    batch_set_fill(&set, &keys, &no_marks, 1, in, 3);

    assert_int_equal(set.n_candidates, 0);
    assert_int_equal(set.n_lines, 0);
    assert_int_equal(set.n_marks, 1);
    assert_string_equal(set.marks[0].poll_id, "open");
    assert_int_equal(set.marks[0].mark.ordinal, ordinal_make(1, 3, 0));
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

static void a_refused_ballot_is_in_the_ledger_and_its_reason_stays_utf8(void **state)
{
    struct ballot ballots[] = {ballot_of("first", 1, "a")};
    struct ballot_batch batch = {.n_ballots = 1, .ballots = ballots};
    struct stream_batch in[] = {{.seq = 4, .batch = &batch}};
    struct poll_keys keys;
    struct batch_set set = {0};
    char reason[2 * REASON_MAX];
    set_up(&keys);
    memset(reason, 'x', sizeof(reason));
    memcpy(reason + REASON_MAX - 1, "é", 2); /* straddles the limit */
    reason[sizeof(reason) - 1] = '\0';

    batch_set_fill(&set, &keys, &no_marks, 1, in, 1);
    batch_set_pick(&set);
    batch_set_reject(&set, &set.winners[0], reason);

    assert_int_equal(set.rejections[0].ordinal, ordinal_make(1, 4, 0)); /* not its negative */
    assert_int_equal(strlen(set.rejections[0].reason), REASON_MAX - 1);
    assert_int_equal(batch_set_line(&set, 2)->rejected, 1);
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

static void a_set_can_be_filled_again(void **state)
{
    struct ballot ballots[] = {ballot_of("open", 1, "a"), ballot_of("nowhere", 2, "a")};
    struct ballot_batch batch = {.n_ballots = 2, .ballots = ballots, .fence_poll = "open"};
    struct stream_batch in[] = {{.seq = 4, .batch = &batch}};
    struct poll_keys keys;
    struct batch_set set = {0};
    set_up(&keys);
    batch_set_fill(&set, &keys, &no_marks, 1, in, 1);
    batch_set_pick(&set);

    batch_set_fill(&set, &keys, &no_marks, 1, in, 0);

    assert_int_equal(set.n_candidates + set.n_winners + set.n_lines + set.n_rejections + set.n_marks, 0);
    batch_set_fini(&set);
    poll_keys_fini(&keys);
}

static void keys_are_found_replaced_and_forgotten(void **state)
{
    struct poll_keys keys;
    char id[POLL_ID_MAX + 1];
    poll_keys_init(&keys);
    assert_null(poll_keys_find(&keys, "p0"));
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "p%d", i);
        poll_keys_put(&keys, id, i % 3 == 0 ? POLL_KEY_MISSING : i, i % 2 == 0);
    }
    poll_keys_put(&keys, "p7", 70, true);
    poll_keys_drop_missing(&keys);
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "p%d", i);
        const struct poll_key *found = poll_keys_find(&keys, id);
        assert_int_equal(found != NULL, i % 3 != 0);
        if (found != NULL)
            assert_int_equal(found->key, i == 7 ? 70 : i);
    }
    assert_true(poll_keys_find(&keys, "p7")->revisable);
    poll_keys_fini(&keys);
    assert_null(poll_keys_find(&keys, "p7"));
    poll_keys_fini(&keys);
}

static void an_array_is_as_postgresql_reads_it(void **state)
{
    static const uint8_t expected[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0,    2,    0,    0,
                                       0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0,  0, 4, 0xff, 0xff, 0xff, 0xfe};
    struct pg_array array = {0};
    for (int i = 0; i < 2; i++) { /* the second time in used storage */
        pg_array_begin(&array, PG_INT4, 2);
        pg_array_add_int4(&array, 7);
        pg_array_add_int4(&array, -2);
        assert_int_equal(array.len, sizeof(expected));
        assert_memory_equal(array.data, expected, sizeof(expected));
    }
    pg_array_fini(&array);
}

static void times_count_from_2000(void **state)
{
    assert_int_equal(pg_time_from_ms(946684800000), 0);
    assert_int_equal(pg_time_from_ms(946684800001), 1000);
    assert_int_equal(pg_time_from_ms(0), INT64_C(-946684800000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_has_a_line_for_each_poll_and_counts_everything),
        cmocka_unit_test(ballots_are_received_in_the_second_in_which_they_were_cast),
        cmocka_unit_test(a_ballot_of_an_unknown_poll_is_rejected_with_the_reason),
        cmocka_unit_test(ballots_behind_a_fence_are_received_and_rejected),
        cmocka_unit_test(a_ballot_of_a_later_term_than_the_fence_counts),
        cmocka_unit_test(known_batches_and_dead_letters_add_nothing_and_a_fence_is_kept),
        cmocka_unit_test(a_refused_ballot_is_in_the_ledger_and_its_reason_stays_utf8),
        cmocka_unit_test(a_set_can_be_filled_again),
        cmocka_unit_test(keys_are_found_replaced_and_forgotten),
        cmocka_unit_test(an_array_is_as_postgresql_reads_it),
        cmocka_unit_test(times_count_from_2000),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
