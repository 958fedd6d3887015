/* Tests of collapse: whatever the order of the ballots, the same winners come out, each once, in key order.
 * SPDX-License-Identifier: MIT */
#include "store/collapse.h"

#include "unit.h"

static struct candidate make(int32_t poll, unsigned voter, int64_t precedence)
{
    struct candidate candidate = {.poll = poll, .precedence = precedence};
    candidate.voter[0] = (uint8_t)(voter >> 8);
    candidate.voter[VOTER_HASH - 1] = (uint8_t)voter;
    return candidate;
}

static bool same_key(const struct candidate *a, const struct candidate *b)
{
    return a->poll == b->poll && memcmp(a->voter, b->voter, VOTER_HASH) == 0;
}

static size_t collapse(struct candidate *candidates, size_t n, struct candidate *winners)
{
    collapse_sort(candidates, n);
    return collapse_pick(candidates, n, winners);
}

static void nothing_collapses_to_nothing(void **state)
{
    struct candidate winner;
    collapse_sort(NULL, 0);
    assert_int_equal(collapse_pick(NULL, 0, &winner), 0);
}

static void a_voters_highest_precedence_wins(void **state)
{
    struct candidate in[] = {make(1, 7, 10), make(1, 7, 12), make(1, 7, 11)}, out[3];
    assert_int_equal(collapse(in, 3, out), 1);
    assert_int_equal(out[0].precedence, 12);
}

static void the_first_ballot_wins_where_precedence_is_negative(void **state)
{
    struct candidate in[] = {make(1, 7, -12), make(1, 7, -10), make(1, 7, -11)}, out[3];
    assert_int_equal(collapse(in, 3, out), 1);
    assert_int_equal(out[0].precedence, -10);
}

static void one_voter_in_two_polls_has_two_ballots(void **state)
{
    struct candidate in[] = {make(2, 7, 10), make(1, 7, 11)}, out[2];
    assert_int_equal(collapse(in, 2, out), 2);
    assert_int_equal(out[0].poll, 1);
    assert_int_equal(out[1].poll, 2);
}

static void voters_sort_as_unsigned_bytes(void **state)
{
    struct candidate in[] = {make(1, 0xff00, 1), make(1, 0x7f00, 2), make(1, 0x0001, 3)}, out[3];
    assert_int_equal(collapse(in, 3, out), 3);
    assert_int_equal(out[0].voter[0], 0x00);
    assert_int_equal(out[1].voter[0], 0x7f);
    assert_int_equal(out[2].voter[0], 0xff);
}

static void the_beaten_stay_with_the_next_best_first(void **state)
{
    struct candidate in[] = {make(1, 7, 10), make(1, 8, 5), make(1, 7, 12), make(1, 7, 11)}, out[4];
    assert_int_equal(collapse(in, 4, out), 2);
    assert_int_equal(in[0].precedence, 11);
    assert_int_equal(in[1].precedence, 10);
}

/* Small and repeatable; quality does not matter here. */
static unsigned next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*state >> 33);
}

static void shuffle(struct candidate *items, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = next_random(state) % i;
        struct candidate other = items[i - 1];
        items[i - 1] = items[k];
        items[k] = other;
    }
}

/* The model: for each ballot, look at all others. */
static bool is_winner(const struct candidate *all, size_t n, const struct candidate *one)
{
    for (size_t i = 0; i < n; i++)
        if (same_key(&all[i], one) && all[i].precedence > one->precedence)
            return false;
    return true;
}

static void check_against_model(const struct candidate *all, size_t n, const struct candidate *winners,
                                size_t n_winners)
{
    size_t expected = 0;
    for (size_t i = 0; i < n; i++)
        expected += is_winner(all, n, &all[i]);
    assert_int_equal(n_winners, expected);
    for (size_t i = 0; i < n_winners; i++) {
        assert_true(is_winner(all, n, &winners[i]));
        if (i > 0)
            assert_true(winners[i - 1].poll < winners[i].poll ||
                        (winners[i - 1].poll == winners[i].poll &&
                         memcmp(winners[i - 1].voter, winners[i].voter, VOTER_HASH) < 0));
    }
}

enum { ROUNDS = 300, BALLOTS_MAX = 200 };

static void any_order_gives_what_the_model_gives(void **state)
{
    static struct candidate all[BALLOTS_MAX], shuffled[BALLOTS_MAX], first[BALLOTS_MAX], again[BALLOTS_MAX];
    uint64_t seed = 20260131;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = next_random(&seed) % BALLOTS_MAX + 1;
        unsigned voters = next_random(&seed) % 60 + 1;
        int sign = round % 2 == 0 ? 1 : -1;
        for (size_t i = 0; i < n; i++)
            all[i] = make((int32_t)(next_random(&seed) % 3) + 1, next_random(&seed) % voters * 251,
                          sign * (int64_t)(i + 1));
        memcpy(shuffled, all, sizeof(all));
        size_t n_first = collapse(shuffled, n, first);
        check_against_model(all, n, first, n_first);
        memcpy(shuffled, all, sizeof(all));
        shuffle(shuffled, n, &seed);
        assert_int_equal(collapse(shuffled, n, again), n_first);
        assert_memory_equal(first, again, n_first * sizeof(first[0]));
    }
}

/* As the workers see it: the set arrives in parts, and the winners of the parts meet again in the database. */
static void parts_in_any_order_give_what_the_whole_gives(void **state)
{
    static struct candidate all[BALLOTS_MAX], part[BALLOTS_MAX], merged[BALLOTS_MAX], whole[BALLOTS_MAX],
        parts[BALLOTS_MAX];
    uint64_t seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = next_random(&seed) % BALLOTS_MAX + 1, cut = next_random(&seed) % (n + 1), n_merged = 0;
        for (size_t i = 0; i < n; i++)
            all[i] = make(1, next_random(&seed) % 40, (int64_t)i + 1);
        shuffle(all, n, &seed);
        memcpy(part, all, sizeof(all));
        n_merged += collapse(part, cut, merged);
        n_merged += collapse(part + cut, n - cut, merged + n_merged);
        size_t n_parts = collapse(merged, n_merged, parts);
        assert_int_equal(collapse(all, n, whole), n_parts);
        assert_memory_equal(whole, parts, n_parts * sizeof(whole[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_collapses_to_nothing),
        cmocka_unit_test(a_voters_highest_precedence_wins),
        cmocka_unit_test(the_first_ballot_wins_where_precedence_is_negative),
        cmocka_unit_test(one_voter_in_two_polls_has_two_ballots),
        cmocka_unit_test(voters_sort_as_unsigned_bytes),
        cmocka_unit_test(the_beaten_stay_with_the_next_best_first),
        cmocka_unit_test(any_order_gives_what_the_model_gives),
        cmocka_unit_test(parts_in_any_order_give_what_the_whole_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
