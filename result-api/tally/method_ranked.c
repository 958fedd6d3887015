/* method_ranked - each option has a pile of rankings. The pile of an option that leaves goes to the others.
 * SPDX-License-Identifier: MIT */
#include "tally/method_ranked.h"

#include "base/grow.h"
#include "tally/option_index.h"
#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#define NONE UINT32_MAX

/* A ranking and its ballots. The `left` options from places[at] on are those that it may still count for, the best one
 * first. */
struct ranking {
    int64_t ballots;
    size_t at;
    uint32_t next; /* the next ranking in the pile, or NONE */
    uint8_t left;
};

struct ranked_count {
    const struct poll *poll;
    struct option_index index;
    struct ranking *rankings;
    size_t n_rankings, rankings_room;
    uint8_t *places;
    size_t n_places, places_room;
    bool out[POLL_OPTIONS_MAX];
    uint32_t piles[POLL_OPTIONS_MAX];
    int64_t votes[POLL_OPTIONS_MAX];
    int64_t exhausted;
};

/* --- reading */

struct ranked_count *ranked_count_open(const struct poll *poll)
{
    struct ranked_count *count = alloc_items(1, sizeof(*count));

    count->poll = poll;
    option_index_init(&count->index, poll);
    for (size_t i = 0; i < poll->n_options; i++)
        count->piles[i] = NONE;
    return count;
}

void ranked_count_add(struct ranked_count *count, const char *id, int64_t ballots)
{
    assert(count->n_rankings < NONE);
    GROW(count->rankings, count->rankings_room, count->n_rankings + 1);
    GROW(count->places, count->places_room, count->n_places + POLL_OPTIONS_MAX);
    struct ranking *ranking = &count->rankings[count->n_rankings++];
    *ranking = (struct ranking){.ballots = ballots, .at = count->n_places, .next = NONE};
    while (*id != '\0' && ranking->left < POLL_OPTIONS_MAX) {
        size_t len = strcspn(id, ">");
        int option = option_index_find(&count->index, id, len);
        if (option >= 0) {
            count->places[count->n_places++] = (uint8_t)option;
            ranking->left++;
        }
        id += len + (id[len] == '>');
    }
}

/* --- counting */

/* Puts a ranking on the pile of its best option that has not left. */
static void put_on_pile(struct ranked_count *count, uint32_t i)
{
    struct ranking *ranking = &count->rankings[i];

    for (; ranking->left > 0 && count->out[count->places[ranking->at]]; ranking->left--)
        ranking->at++;
    if (ranking->left == 0) {
        count->exhausted += ranking->ballots;
        return;
    }
    uint8_t to = count->places[ranking->at];
    count->votes[to] += ranking->ballots;
    ranking->next = count->piles[to];
    count->piles[to] = i;
}

static void eliminate_option(struct ranked_count *count, uint8_t option)
{
    uint32_t next;

    count->out[option] = true;
    for (uint32_t i = count->piles[option]; i != NONE; i = next) {
        next = count->rankings[i].next;
        put_on_pile(count, i);
    }
}

/* --- ties */

/* Draws the lot of an option. */
static void draw_lot(const struct poll *poll, uint8_t option, uint8_t lot[crypto_hash_sha256_BYTES])
{
    char text[2 * POLL_ID_MAX + 2];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s:%s", poll->id, poll->options[option].id);

    crypto_hash_sha256(lot, (const unsigned char *)text, len);
}

static uint8_t lowest_lot(const struct poll *poll, const uint8_t *options, size_t n)
{
    uint8_t lowest[crypto_hash_sha256_BYTES], lot[crypto_hash_sha256_BYTES], drawn = options[0];

    draw_lot(poll, drawn, lowest);
    for (size_t i = 1; i < n; i++) {
        draw_lot(poll, options[i], lot);
        if (memcmp(lot, lowest, sizeof(lot)) < 0) {
            memcpy(lowest, lot, sizeof(lot));
            drawn = options[i];
        }
    }
    return drawn;
}

/* Keeps the options that have the fewest ballots in the round. Returns how many there are. */
static size_t keep_fewest(const struct ranked_round *round, uint8_t *options, size_t n)
{
    int64_t fewest = INT64_MAX;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (round->counts[options[i]] < fewest)
            fewest = round->counts[options[i]];
    for (size_t i = 0; i < n; i++)
        if (round->counts[options[i]] == fewest)
            options[kept++] = options[i];
    return kept;
}

/* Returns the option that leaves, of those that are tied in this round, and writes the reason into the round. */
static uint8_t break_tie(const struct poll *poll, const struct ranked *ranked, struct ranked_round *round)
{
    uint8_t left[POLL_OPTIONS_MAX];
    size_t n = round->n_tied;

    memcpy(left, round->tied, sizeof(left));
    for (size_t before = ranked->n_rounds - 1; before > 0 && n > 1; before--) {
        n = keep_fewest(&ranked->rounds[before - 1], left, n);
        round->decided_in = before;
    }
    round->tie = n == 1 ? RANKED_EARLIER_ROUND : RANKED_LOT;
    if (n > 1)
        round->decided_in = 0;
    return n == 1 ? left[0] : lowest_lot(poll, left, n);
}

/* --- rounds */

/* Writes the counts into the round. Returns the option with more than half of the ballots, or -1. */
static int write_round(const struct ranked_count *count, struct ranked_round *round)
{
    int64_t counting = 0;

    round->exhausted = count->exhausted;
    for (size_t i = 0; i < count->poll->n_options; i++) {
        round->counts[i] = count->out[i] ? -1 : count->votes[i];
        counting += count->out[i] ? 0 : count->votes[i];
    }
    for (size_t i = 0; i < count->poll->n_options; i++)
        if (!count->out[i] && count->votes[i] > counting - count->votes[i])
            return (int)i;
    return -1;
}

/* Writes into the round which options leave. */
static void choose_losers(const struct ranked_count *count, const struct ranked *ranked, struct ranked_round *round)
{
    uint8_t in[POLL_OPTIONS_MAX] = {0};
    size_t n = 0;

    for (size_t i = 0; i < count->poll->n_options; i++)
        if (!count->out[i])
            in[n++] = (uint8_t)i;
    n = keep_fewest(round, in, n);
    if (n == 1 || round->counts[in[0]] == 0) {
        memcpy(round->eliminated, in, n);
        round->n_eliminated = n;
        return;
    }
    memcpy(round->tied, in, n);
    round->n_tied = n;
    round->eliminated[0] = break_tie(count->poll, ranked, round);
    round->n_eliminated = 1;
}

/* The caller has made sure that a ballot counts. Each round has a winner or options that leave. The option with the
 * most ballots stays, and if several have the most, at least one of them stays. So the last option has more than half.
 * But a damaged tally can add up to negative numbers, and then there may be no winner. */
static void run_rounds(struct ranked_count *count, struct ranked *ranked)
{
    ranked->rounds = alloc_items(count->poll->n_options, sizeof(*ranked->rounds));
    while (ranked->n_rounds < count->poll->n_options) {
        struct ranked_round *round = &ranked->rounds[ranked->n_rounds++];
        ranked->winner = write_round(count, round);
        if (ranked->winner >= 0)
            return;
        choose_losers(count, ranked, round);
        for (size_t i = 0; i < round->n_eliminated; i++)
            eliminate_option(count, round->eliminated[i]);
    }
}

void ranked_count_close(struct ranked_count *count, struct ranked *out)
{
    int64_t counting = 0;

    if (out != NULL) {
        *out = (struct ranked){.winner = -1};
        for (size_t i = 0; i < count->n_rankings; i++)
            put_on_pile(count, (uint32_t)i);
        for (size_t i = 0; i < count->poll->n_options; i++)
            counting += count->votes[i];
        if (counting > 0)
            run_rounds(count, out);
    }
    option_index_fini(&count->index);
    free(count->rankings);
    free(count->places);
    free(count);
}

void method_ranked_count(const struct poll *poll, const struct tally *tally, struct ranked *out)
{
    struct ranked_count *count = ranked_count_open(poll);

    for (size_t i = 0; i < tally->n_choices; i++)
        if (tally->choices[i].n > 0)
            ranked_count_add(count, tally->choices[i].choice, tally->choices[i].n);
    ranked_count_close(count, out);
}

void ranked_copy(const struct poll *poll, const struct ranked *from, struct ranked *out)
{
    *out = *from;
    out->rounds = alloc_items(poll->n_options, sizeof(*out->rounds));
    memcpy(out->rounds, from->rounds, from->n_rounds * sizeof(*out->rounds));
}

void ranked_fini(struct ranked *ranked)
{
    free(ranked->rounds);
    *ranked = (struct ranked){.winner = -1};
}
