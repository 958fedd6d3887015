/* Tests of result-api's instant-runoff: worked examples, ties, and a recount by hand of random elections.
 * SPDX-License-Identifier: MIT */
#include "tally/method_ranked.h"

#include "base/alloc.h"
#include "unit.h"
#include <sodium.h>

struct pile {
    const char *ranking;
    int64_t n;
};

static struct poll *make_poll(const char *id, const char *const *options, size_t n)
{
    struct poll *poll = poll_new();
    snprintf(poll->id, sizeof(poll->id), "%s", id);
    poll->method = METHOD_RANKED;
    poll->n_options = n;
    poll->options = alloc_items(n, sizeof(*poll->options));
    for (size_t i = 0; i < n; i++)
        snprintf(poll->options[i].id, sizeof(poll->options[i].id), "%s", options[i]);
    return poll;
}

static struct ranked count_piles(const struct poll *poll, const struct pile *piles, size_t n)
{
    struct tally tally = {.received = 0};
    struct ranked ranked;
    for (size_t i = 0; i < n; i++)
        tally_add(&tally, piles[i].ranking, piles[i].n);
    method_ranked_count(poll, &tally, &ranked);
    tally_fini(&tally);
    return ranked;
}

static void check_counts(const struct ranked *ranked, size_t round, const int64_t *counts, size_t n, int64_t exhausted)
{
    assert_true(round < ranked->n_rounds);
    for (size_t i = 0; i < n; i++)
        CHECK_ROW(ranked->rounds[round].counts[i] == counts[i], "round %zu, option %zu: %lld", round + 1, i,
                  (long long)ranked->rounds[round].counts[i]);
    CHECK_ROW(ranked->rounds[round].exhausted == exhausted, "round %zu: %lld", round + 1,
              (long long)ranked->rounds[round].exhausted);
}

#define ROUND(ranked, i, exhausted, ...)                                                                               \
    check_counts((ranked), (i), (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / 8, (exhausted))

/* --- worked examples */

/* The capital of Tennessee, by which many texts compare voting methods (Wikipedia, "Instant-runoff voting", as
 * percentages of the voters): Knoxville wins, the last but one in the first round. */
static void the_capital_of_tennessee_is_knoxville(void **state)
{
    static const char *const cities[] = {"memphis", "nashville", "chattanooga", "knoxville"};
    static const struct pile piles[] = {
        {"memphis>nashville>chattanooga>knoxville", 42},
        {"nashville>chattanooga>knoxville>memphis", 26},
        {"chattanooga>knoxville>nashville>memphis", 15},
        {"knoxville>chattanooga>nashville>memphis", 17},
    };
    struct poll *poll = make_poll("tennessee", cities, 4);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    assert_int_equal(ranked.n_rounds, 3);
    ROUND(&ranked, 0, 0, 42, 26, 15, 17);
    ROUND(&ranked, 1, 0, 42, 26, -1, 32);
    ROUND(&ranked, 2, 0, 42, -1, -1, 58);
    assert_int_equal(ranked.rounds[0].eliminated[0], 2);
    assert_int_equal(ranked.rounds[1].eliminated[0], 1);
    assert_int_equal(ranked.rounds[2].n_eliminated, 0);
    assert_int_equal(ranked.winner, 3);
    ranked_fini(&ranked);
    poll_release(poll);
}

/* Burlington, Vermont, 2009, the ballots among the three candidates that stood out (as W. D. Smith tabulated them;
 * pairwise 4067:3477, 4314:4064 and 4597:3668). Montroll beats both others and leaves first; 455 of his ballots name
 * nobody else. */
static void burlington_elects_kiss(void **state)
{
    static const char *const candidates[] = {"montroll", "kiss", "wright"};
    static const struct pile piles[] = {
        {"montroll>kiss>wright", 1332}, {"montroll>wright>kiss", 767}, {"montroll", 455},
        {"kiss>montroll>wright", 2043}, {"kiss>wright>montroll", 371}, {"kiss", 568},
        {"wright>montroll>kiss", 1513}, {"wright>kiss>montroll", 495}, {"wright", 1289},
    };
    struct poll *poll = make_poll("burlington", candidates, 3);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    assert_int_equal(ranked.n_rounds, 2);
    ROUND(&ranked, 0, 0, 2554, 2982, 3297);
    ROUND(&ranked, 1, 455, -1, 4314, 4064);
    assert_int_equal(ranked.winner, 1);
    assert_int_equal(ranked.rounds[0].tie, RANKED_NO_TIE);
    ranked_fini(&ranked);
    poll_release(poll);
}

/* --- edges */

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void more_than_half_ends_it_in_the_first_round(void **state)
{
    static const struct pile piles[] = {{"b", 3}, {"a>b", 2}};
    struct poll *poll = make_poll("demo", letters, 4);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    assert_int_equal(ranked.n_rounds, 1);
    ROUND(&ranked, 0, 0, 2, 3, 0, 0);
    assert_int_equal(ranked.winner, 1);
    ranked_fini(&ranked);
    poll_release(poll);
}

static void without_ballots_there_is_neither_round_nor_winner(void **state)
{
    static const struct pile piles[] = {{"a>b", 0}, {"b", -1}, {"x>y", 5}};
    struct poll *poll = make_poll("demo", letters, 3);
    for (size_t n = 0; n <= COUNT_OF(piles); n++) {
        struct ranked ranked = count_piles(poll, piles, n);
        assert_int_equal(ranked.n_rounds, 0);
        assert_int_equal(ranked.winner, -1);
        ranked_fini(&ranked);
    }
    poll_release(poll);
}

static void options_without_ballots_leave_together(void **state)
{
    static const struct pile piles[] = {{"a", 2}, {"b>d>c", 2}, {"c>e>a", 1}};
    struct poll *poll = make_poll("demo", letters, 6);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    assert_int_equal(ranked.n_rounds, 3);
    assert_int_equal(ranked.rounds[0].n_eliminated, 3);
    assert_int_equal(ranked.rounds[0].tie, RANKED_NO_TIE);
    ROUND(&ranked, 1, 0, 2, 2, 1, -1, -1, -1);
    ROUND(&ranked, 2, 0, 3, 2, -1, -1, -1, -1);
    assert_int_equal(ranked.winner, 0);
    ranked_fini(&ranked);
    poll_release(poll);
}

static void half_is_not_more_than_half(void **state)
{
    static const struct pile piles[] = {{"a", 2}, {"b", 1}, {"c", 1}};
    struct poll *poll = make_poll("demo", letters, 3);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    assert_int_equal(ranked.n_rounds, 2);
    assert_int_equal(ranked.winner, 0);
    assert_int_equal(ranked.rounds[1].exhausted, 1);
    ranked_fini(&ranked);
    poll_release(poll);
}

/* --- ties */

/* b and c have 5 ballots in the second round; in the first, c had 4 and b had 5. */
static void a_tie_is_broken_by_the_round_before(void **state)
{
    static const struct pile piles[] = {{"a", 6}, {"b", 5}, {"c", 4}, {"d>c", 1}};
    struct poll *poll = make_poll("demo", letters, 4);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    ROUND(&ranked, 1, 0, 6, 5, 5, -1);
    const struct ranked_round *round = &ranked.rounds[1];
    assert_int_equal(round->tie, RANKED_EARLIER_ROUND);
    assert_int_equal(round->decided_in, 1);
    assert_int_equal(round->n_tied, 2);
    assert_int_equal(round->tied[0], 1);
    assert_int_equal(round->tied[1], 2);
    assert_int_equal(round->n_eliminated, 1);
    assert_int_equal(round->eliminated[0], 2);
    ranked_fini(&ranked);
    poll_release(poll);
}

/* b and c: 7 and 7 in the third round, 6 and 6 in the second, 6 and 5 in the first. */
static void a_tie_looks_back_as_far_as_it_must(void **state)
{
    static const struct pile piles[] = {{"a", 9}, {"b", 6}, {"c", 5}, {"d>b", 1}, {"d>c", 1}, {"e>c", 1}};
    struct poll *poll = make_poll("demo", letters, 5);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    ROUND(&ranked, 0, 0, 9, 6, 5, 2, 1);
    ROUND(&ranked, 1, 0, 9, 6, 6, 2, -1);
    ROUND(&ranked, 2, 0, 9, 7, 7, -1, -1);
    assert_int_equal(ranked.rounds[2].tie, RANKED_EARLIER_ROUND);
    assert_int_equal(ranked.rounds[2].decided_in, 1);
    assert_int_equal(ranked.rounds[2].eliminated[0], 2);
    assert_int_equal(ranked.winner, 0);
    ranked_fini(&ranked);
    poll_release(poll);
}

/* Backwards and forwards differ: b leads c in the first round, c leads b in the second, they tie in the third.
 * Backwards b leaves. */
static void the_newest_round_that_differs_decides(void **state)
{
    static const struct pile piles[] = {{"a", 20}, {"b", 10}, {"c", 9}, {"e>c", 3}, {"d>b", 4}, {"d>c", 2}};
    struct poll *poll = make_poll("demo", letters, 5);
    struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
    ROUND(&ranked, 0, 0, 20, 10, 9, 6, 3);
    ROUND(&ranked, 1, 0, 20, 10, 12, 6, -1);
    ROUND(&ranked, 2, 0, 20, 14, 14, -1, -1);
    assert_int_equal(ranked.rounds[2].decided_in, 2);
    assert_int_equal(ranked.rounds[2].eliminated[0], 1);
    ranked_fini(&ranked);
    poll_release(poll);
}

/* The lots are `printf demo:a | sha256sum` and so on. The lowest leaves. */
static void options_equal_in_all_rounds_draw_lots(void **state)
{
    static const struct pile piles[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    static const char *const polls[] = {"demo", "demo2", "demo3", "demo4"};
    for (size_t p = 0; p < COUNT_OF(polls); p++) {
        struct poll *poll = make_poll(polls[p], letters, 3);
        struct ranked ranked = count_piles(poll, piles, COUNT_OF(piles));
        uint8_t lots[3][32];
        uint8_t lowest = 0;
        for (uint8_t i = 0; i < 3; i++) {
            char text[16];
            snprintf(text, sizeof(text), "%s:%s", polls[p], letters[i]);
            crypto_hash_sha256(lots[i], (const uint8_t *)text, strlen(text));
            if (memcmp(lots[i], lots[lowest], 32) < 0)
                lowest = i;
        }
        assert_int_equal(ranked.n_rounds, 3);
        assert_int_equal(ranked.rounds[0].tie, RANKED_LOT);
        assert_int_equal(ranked.rounds[0].n_tied, 3);
        assert_int_equal(ranked.rounds[0].eliminated[0], lowest);
        assert_int_equal(ranked.rounds[2].exhausted, 2);
        assert_true(ranked.winner >= 0 && ranked.winner != lowest);
        ranked_fini(&ranked);
        poll_release(poll);
    }
}

/* --- a recount by hand */

#define BALLOTS_MAX 60

struct recount {
    size_t n_options, n_ballots;
    uint8_t ballots[BALLOTS_MAX][8];
    size_t lengths[BALLOTS_MAX];
    int64_t counts[8][8]; /* by round and option; -1: the option has left */
    int64_t exhausted[8];
    uint8_t losers[8];
    size_t n_rounds;
    int winner;
};

/* Counts every ballot again in every round. One option leaves at a time. */
static void recount_round(struct recount *r, const bool *out)
{
    int64_t *counts = r->counts[r->n_rounds];
    for (size_t i = 0; i < r->n_options; i++)
        counts[i] = out[i] ? -1 : 0;
    r->exhausted[r->n_rounds] = 0;
    for (size_t b = 0; b < r->n_ballots; b++) {
        size_t at = 0;
        while (at < r->lengths[b] && out[r->ballots[b][at]])
            at++;
        if (at < r->lengths[b])
            counts[r->ballots[b][at]]++;
        else
            r->exhausted[r->n_rounds]++;
    }
    r->n_rounds++;
}

/* Says whether x leaves before y: it has fewer ballots now, or in the last round that differs, or the lower lot. */
static bool leaves_before(const struct recount *r, const struct poll *poll, size_t x, size_t y)
{
    uint8_t lots[2][32];
    for (size_t round = r->n_rounds; round-- > 0;)
        if (r->counts[round][x] != r->counts[round][y])
            return r->counts[round][x] < r->counts[round][y];
    for (int i = 0; i < 2; i++) {
        char text[80];
        snprintf(text, sizeof(text), "%s:%s", poll->id, poll->options[i == 0 ? x : y].id);
        crypto_hash_sha256(lots[i], (const uint8_t *)text, strlen(text));
    }
    return memcmp(lots[0], lots[1], 32) < 0;
}

static void recount(struct recount *r, const struct poll *poll)
{
    bool out[8] = {false};
    r->winner = -1;
    while (r->winner < 0 && r->n_rounds < r->n_options) {
        recount_round(r, out);
        const int64_t *counts = r->counts[r->n_rounds - 1];
        int64_t counting = (int64_t)r->n_ballots - r->exhausted[r->n_rounds - 1];
        int loser = -1;
        for (size_t i = 0; i < r->n_options; i++) {
            if (out[i])
                continue;
            if (2 * counts[i] > counting)
                r->winner = (int)i;
            if (loser < 0 || leaves_before(r, poll, i, (size_t)loser))
                loser = (int)i;
        }
        r->losers[r->n_rounds - 1] = (uint8_t)loser;
        out[loser] = true;
    }
}

/* Compares with the recount. A round in which several options leave is several rounds of the recount. */
static void compare(const struct recount *r, const struct ranked *ranked, int election)
{
    size_t theirs = 0;
    for (size_t i = 0; i < ranked->n_rounds; i++) {
        const struct ranked_round *round = &ranked->rounds[i];
        CHECK_ROW(theirs < r->n_rounds, "election %d", election);
        for (size_t option = 0; option < r->n_options; option++)
            CHECK_ROW(round->counts[option] == r->counts[theirs][option], "election %d, round %zu, option %zu",
                      election, i + 1, option);
        CHECK_ROW(round->exhausted == r->exhausted[theirs], "election %d, round %zu", election, i + 1);
        for (size_t e = 0; e < round->n_eliminated; e++)
            CHECK_ROW(memchr(r->losers + theirs, round->eliminated[e], round->n_eliminated) != NULL,
                      "election %d, round %zu", election, i + 1);
        theirs += round->n_eliminated == 0 ? 1 : round->n_eliminated;
    }
    CHECK_ROW(theirs == r->n_rounds, "election %d", election);
    CHECK_ROW(ranked->winner == r->winner, "election %d: %d, recount %d", election, ranked->winner, r->winner);
}

static uint32_t random_below(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*seed >> 33) % n;
}

/* A ballot is the beginning of a random order. */
static void cast(struct recount *r, uint64_t *seed)
{
    uint8_t *ballot = r->ballots[r->n_ballots];
    for (size_t i = 0; i < r->n_options; i++)
        ballot[i] = (uint8_t)i;
    for (size_t i = 0; i + 1 < r->n_options; i++) {
        size_t j = i + random_below(seed, (uint32_t)(r->n_options - i));
        uint8_t swapped = ballot[i];
        ballot[i] = ballot[j];
        ballot[j] = swapped;
    }
    r->lengths[r->n_ballots++] = 1 + random_below(seed, (uint32_t)r->n_options);
}

/* Small ones, so that ties are many. Each ballot is a row of its own, or several rows have equal rankings: the sum
 * counts. */
static void random_elections_equal_a_recount(void **state)
{
    uint64_t seed = 20090303;
    int lots = 0, earlier = 0;
    for (int election = 0; election < 20000; election++) {
        struct recount r = {.n_options = 2 + random_below(&seed, 7)};
        struct tally tally = {.received = 0};
        struct ranked ranked;
        char id[16];
        snprintf(id, sizeof(id), "poll-%d", election);
        struct poll *poll = make_poll(id, letters, r.n_options);
        size_t n = 1 + random_below(&seed, election % 2 == 0 ? 12 : BALLOTS_MAX);
        while (r.n_ballots < n) {
            char ranking[32] = "";
            cast(&r, &seed);
            for (size_t i = 0; i < r.lengths[r.n_ballots - 1]; i++)
                snprintf(ranking + strlen(ranking), sizeof(ranking) - strlen(ranking), "%s%s", i == 0 ? "" : ">",
                         letters[r.ballots[r.n_ballots - 1][i]]);
            tally_add(&tally, ranking, 1);
        }
        recount(&r, poll);
        method_ranked_count(poll, &tally, &ranked);
        compare(&r, &ranked, election);
        for (size_t i = 0; i < ranked.n_rounds; i++) {
            lots += ranked.rounds[i].tie == RANKED_LOT;
            earlier += ranked.rounds[i].tie == RANKED_EARLIER_ROUND;
        }
        ranked_fini(&ranked);
        tally_fini(&tally);
        poll_release(poll);
    }
    assert_true(lots > 1000 && earlier > 1000);
}

/* The rows of a large poll come one by one. A worker's slot may have subtracted more from a ranking than it added. */
static void rows_of_one_ranking_add_up_with_negative_numbers(void **state)
{
    static const char *const options[] = {"a", "b", "c"};
    static const struct pile piles[] = {{"a>b", 4}, {"b>a", 3}, {"c>b", 2}};
    static const struct pile rows[] = {{"c>b", -3}, {"a>b", 6}, {"b>a", 3}, {"c", 7},
                                       {"a>b", -2}, {"c>b", 5}, {"c", -7}};
    struct poll *poll = make_poll("demo", options, 3);
    struct ranked expected = count_piles(poll, piles, COUNT_OF(piles)), ranked, copy;
    struct ranked_count *count = ranked_count_open(poll);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ranked_count_add(count, rows[i].ranking, rows[i].n);
    ranked_count_close(count, &ranked);
    ranked_copy(poll, &ranked, &copy);
    assert_int_equal(copy.winner, 1);
    assert_int_equal(copy.winner, expected.winner);
    assert_int_equal(copy.n_rounds, expected.n_rounds);
    assert_memory_equal(copy.rounds, expected.rounds, expected.n_rounds * sizeof(*expected.rounds));
    ranked_count_close(ranked_count_open(poll), NULL);
    ranked_fini(&copy);
    ranked_fini(&ranked);
    ranked_fini(&expected);
    poll_release(poll);
}

/* Our workers never write a tally with negative sums. Counting one must end all the same. */
static void a_damaged_tally_ends_too(void **state)
{
    static const char *const options[] = {"a", "b"};
    struct poll *poll = make_poll("demo", options, 2);
    struct ranked_count *count = ranked_count_open(poll);
    struct ranked ranked;
    ranked_count_add(count, "a", 7);
    ranked_count_add(count, "a>b", -5);
    ranked_count_add(count, "b", 7);
    ranked_count_add(count, "b>a", -5);
    ranked_count_close(count, &ranked);
    assert_int_equal(ranked.n_rounds, 2);
    assert_int_equal(ranked.winner, -1);
    ranked_fini(&ranked);
    poll_release(poll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_capital_of_tennessee_is_knoxville),
        cmocka_unit_test(burlington_elects_kiss),
        cmocka_unit_test(more_than_half_ends_it_in_the_first_round),
        cmocka_unit_test(without_ballots_there_is_neither_round_nor_winner),
        cmocka_unit_test(options_without_ballots_leave_together),
        cmocka_unit_test(half_is_not_more_than_half),
        cmocka_unit_test(a_tie_is_broken_by_the_round_before),
        cmocka_unit_test(a_tie_looks_back_as_far_as_it_must),
        cmocka_unit_test(the_newest_round_that_differs_decides),
        cmocka_unit_test(options_equal_in_all_rounds_draw_lots),
        cmocka_unit_test(random_elections_equal_a_recount),
        cmocka_unit_test(rows_of_one_ranking_add_up_with_negative_numbers),
        cmocka_unit_test(a_damaged_tally_ends_too),
    };
    return cmocka_run_group_tests_name("ranked", tests, NULL, NULL);
}
