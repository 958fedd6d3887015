/* Tests of ballot_store against a real server: exactly once, in any order, by several at once, whatever goes wrong.
 * SPDX-License-Identifier: MIT */
#include "store/ballot_store.h"

#include "scratch_db.h"
#include "store/tally_slot.h"

#include "unit.h"

#include <pthread.h>

static struct ballot ballot_of(const char *poll, unsigned voter, const char *choices)
{
    struct ballot ballot = {.voter = {(uint8_t)voter, (uint8_t)(voter >> 8)},
                            .choices = choices,
                            .choices_len = strlen(choices),
                            .cast_at_ms = 1770000000000};
    snprintf(ballot.poll, sizeof(ballot.poll), "%s", poll);
    return ballot;
}

#define BATCH(...)                                                                                                     \
    (struct ballot_batch)                                                                                              \
    {                                                                                                                  \
        .id = {1}, .n_ballots = sizeof((struct ballot[]){__VA_ARGS__}) / sizeof(struct ballot),                        \
        .ballots = (struct ballot[])                                                                                   \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

static struct errmsg err;

#define assert_ok(call) assert_status(call, ST_OK)
#define assert_status(call, expected)                                                                                  \
    do {                                                                                                               \
        enum status status_ = (call);                                                                                  \
        if (status_ != (expected))                                                                                     \
            fail_test("%s: %s (%s)", #call, status_text(status_), err.text);                                           \
    } while (0)

static struct ballot_store *open_store(void)
{
    struct ballot_store *store;
    assert_ok(ballot_store_open(&store, scratch_db_conninfo(), "unit test", &err));
    return store;
}

static void put_poll(struct ballot_store *store, const char *id, bool revisable, int64_t updated_at_ms)
{
    struct poll *poll = poll_new();
    snprintf(poll->id, sizeof(poll->id), "%s", id);
    poll->title = strdup("Cats or dogs?");
    poll->revisable = revisable;
    poll->updated_at_ms = updated_at_ms;
    char definition[100];
    int len = snprintf(definition, sizeof(definition), "%s@%lld", id, (long long)updated_at_ms);
    assert_ok(ballot_store_put_poll(store, poll, definition, (size_t)len, &err));
    poll_release(poll);
}

/* A store with epoch 1 and the polls `open` (revisable, key 1) and `first` (key 2). */
static struct ballot_store *open_with_polls(void)
{
    struct ballot_store *store = open_store();
    unsigned epoch;
    assert_ok(ballot_store_register_epoch(store, 1000, &epoch, &err));
    assert_int_equal(epoch, 1);
    put_poll(store, "open", true, 1770000000000);
    put_poll(store, "first", false, 1770000000000);
    return store;
}

static struct apply_result apply(struct ballot_store *store, struct stream_batch *batches, size_t n)
{
    struct apply_result result;
    assert_ok(ballot_store_apply(store, 1, batches, n, &result, &err));
    return result;
}

static struct apply_result apply_one(struct ballot_store *store, uint64_t seq, const struct ballot_batch *batch)
{
    struct stream_batch one = {.seq = seq, .batch = batch};
    return apply(store, &one, 1);
}

static void assert_answer(const char *sql, const char *expected)
{
    const char *answer = scratch_db_ask(sql);
    if (strcmp(answer, expected) != 0)
        fail_test("%s\n  gives    %s\n  expected %s", sql, answer, expected);
}

static void assert_books_balance(void)
{
    assert_answer("SELECT * FROM tally_mismatch", "");
    assert_answer("SELECT * FROM ledger_mismatch", "");
    assert_answer("SELECT * FROM timeline_mismatch", "");
}

#define TALLY                                                                                                          \
    "SELECT p.id, t.choice, sum(t.n) FROM tally t JOIN polls p ON p.key = t.poll GROUP BY 1, 2 "                       \
    "HAVING sum(t.n) <> 0 ORDER BY 1, 2"
#define LEDGER                                                                                                         \
    "SELECT p.id, sum(received), sum(counted), sum(superseded), sum(rejected) "                                        \
    "FROM ledger l JOIN polls p ON p.key = l.poll GROUP BY 1 ORDER BY 1"

static int empty_tables(void **state)
{
    scratch_db_reset();
    return 0;
}

/* Exactly once. */

static void a_batch_applied_again_changes_nothing(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"), ballot_of("open", 2, "dogs"),
                                      ballot_of("open", 1, "dogs"));

    struct apply_result result = apply_one(store, 1, &batch);
    struct ballot kept = batch.ballots[0];
    memset(&batch.ballots[0], 'x', sizeof(kept)); /* the result does not borrow from the batch */
    assert_int_equal(result.batches, 1);
    assert_int_equal(result.ballots, 3);
    assert_int_equal(result.counted, 2);
    assert_int_equal(result.superseded, 1);
    assert_int_equal(result.n_polls, 1);
    assert_string_equal(result.polls[0], "open");
    batch.ballots[0] = kept;

    struct stream_batch again = {.seq = 1, .batch = &batch};
    result = apply(store, &again, 1);
    assert_true(again.known);
    assert_int_equal(result.batches + result.ballots + result.counted + result.superseded, 0);
    assert_int_equal(result.n_polls, 1); /* the doorbell may have been lost */
    assert_answer(TALLY, "open|dogs|2 ");
    assert_answer(LEDGER, "open|3|2|1|0 ");
    assert_books_balance();
    ballot_store_close(store);
}

/* A worker may not have heard yet of what the organiser changed before the poll opened. */
static void a_ballot_itself_says_which_one_stands(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch one = BATCH(ballot_of("open", 1, "cats"), ballot_of("first", 1, "cats")),
                        two = BATCH(ballot_of("open", 1, "dogs"), ballot_of("first", 1, "dogs"));
    one.ballots[0].stands = two.ballots[0].stands = STANDS_FIRST; /* the store believes that `open` may be revised */
    one.ballots[1].stands = two.ballots[1].stands = STANDS_LAST;

    apply_one(store, 1, &one);
    apply_one(store, 2, &two);

    assert_answer(TALLY, "first|dogs|1 open|cats|1 ");
    assert_books_balance();
    ballot_store_close(store);
}

static void a_set_of_old_and_new_batches_stores_the_new_ones_even_when_one_comes_twice(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch one = BATCH(ballot_of("open", 1, "cats")), two = BATCH(ballot_of("open", 2, "cats")),
                        three = BATCH(ballot_of("open", 1, "dogs"));
    apply_one(store, 2, &two);
    struct stream_batch set[] = {
        {.seq = 3, .batch = &three}, {.seq = 2, .batch = &two}, {.seq = 1, .batch = &one}, {.seq = 3, .batch = &three}};

    struct apply_result result = apply(store, set, COUNT_OF(set));

    assert_int_equal(result.batches, 2);
    assert_true(set[1].known);
    assert_false(set[2].known);
    assert_int_equal(set[0].known + set[3].known, 1);
    assert_answer(TALLY, "open|cats|1 open|dogs|1 ");
    assert_answer(LEDGER, "open|3|2|1|0 ");
    assert_answer("SELECT seq, ballots, dead, slot FROM applied_batches ORDER BY seq", "1|1|f|1 2|1|f|1 3|1|f|1 ");
    /* Claimed by sequence: two workers with the same batches never wait for each other in a circle. */
    assert_answer("SELECT seq FROM applied_batches ORDER BY ctid", "2 1 3 ");
    assert_books_balance();
    ballot_store_close(store);
}

static void no_batches_are_no_error(void **state)
{
    struct ballot_store *store = open_with_polls();
    assert_int_equal(apply(store, NULL, 0).batches, 0);
    ballot_store_close(store);
}

static void gaps_and_dead_letters_are_visible(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"));
    struct stream_batch set[] = {{.seq = 2, .batch = &batch}, {.seq = 3, .batch = NULL}, {.seq = 7, .batch = NULL}};
    apply(store, set, COUNT_OF(set));
    assert_answer("SELECT * FROM missing_batches", "1|1|1 1|4|6 ");
    assert_answer("SELECT applied_floor(1::smallint)", "0 ");
    assert_answer("SELECT seq, batch IS NULL, dead FROM applied_batches ORDER BY seq", "2|f|f 3|t|t 7|t|t ");
    apply_one(store, 1, NULL);
    assert_answer("SELECT applied_floor(1::smallint)", "3 ");
    ballot_store_close(store);
}

static void assert_missing(struct ballot_store *store, uint64_t last, const char *expected)
{
    uint64_t missing[3];
    size_t n;
    char text[100] = "";
    assert_ok(ballot_store_find_missing(store, 1, last, missing, COUNT_OF(missing), &n, &err));
    for (size_t i = 0; i < n; i++)
        sprintf(text + strlen(text), "%llu ", (unsigned long long)missing[i]);
    assert_string_equal(text, expected);
}

static void the_missing_batches_are_found_from_right_after_the_floor_up_to_the_last(void **state)
{
    struct ballot_store *store = open_with_polls();
    assert_missing(store, 0, "");
    assert_missing(store, 1, "1 ");
    struct stream_batch set[] = {{.seq = 1}, {.seq = 2}, {.seq = 4}, {.seq = 6}, {.seq = 7}};
    apply(store, set, COUNT_OF(set));
    assert_answer("SELECT applied_floor(1::smallint)", "2 ");
    assert_missing(store, 2, "");
    assert_missing(store, 3, "3 ");
    assert_missing(store, 7, "3 5 ");
    assert_missing(store, 99, "3 5 8 ");                  /* no more than there is room for */
    scratch_db_run("UPDATE stream_epochs SET floor = 2"); /* the stored floor is the same one */
    assert_missing(store, 7, "3 5 ");
    ballot_store_close(store);
}

/* Order. */

enum { N_BATCHES = 4 };

static void apply_permutation(struct ballot_store *store, const struct ballot_batch *batches, const int *order,
                              bool at_once)
{
    struct stream_batch set[N_BATCHES];
    for (int i = 0; i < N_BATCHES; i++) {
        set[i] = (struct stream_batch){.seq = (uint64_t)order[i] + 1, .batch = &batches[order[i]]};
        if (!at_once)
            apply(store, &set[i], 1);
    }
    if (at_once) { /* in two transactions */
        apply(store, set, 2);
        apply(store, set + 2, 2);
    }
}

/* The next permutation in lexicographic order; false after the last. Knuth, TAOCP 7.2.1.2, algorithm L. */
static bool next_permutation(int *order, int n)
{
    int i = n - 2, k = n - 1;
    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    while (order[k] < order[i])
        k--;
    int swapped = order[i];
    order[i] = order[k];
    order[k] = swapped;
    for (int low = i + 1, high = n - 1; low < high; low++, high--) {
        swapped = order[low];
        order[low] = order[high];
        order[high] = swapped;
    }
    return true;
}

static void every_order_of_the_batches_gives_the_same_tables(void **state)
{
    const struct ballot_batch batches[N_BATCHES] = {
        BATCH(ballot_of("open", 1, "cats"), ballot_of("first", 1, "cats"), ballot_of("open", 2, "cats dogs")),
        BATCH(ballot_of("open", 1, "dogs"), ballot_of("first", 1, "dogs"), ballot_of("first", 2, "birds")),
        BATCH(ballot_of("open", 2, "dogs"), ballot_of("open", 1, "birds"), ballot_of("first", 2, "cats")),
        BATCH(ballot_of("open", 3, "cats"), ballot_of("first", 3, "a>b"), ballot_of("open", 2, "cats")),
    };
    for (int at_once = 0; at_once < 2; at_once++) {
        int order[N_BATCHES] = {0, 1, 2, 3};
        do {
            scratch_db_reset();
            struct ballot_store *store = open_with_polls();
            apply_permutation(store, batches, order, at_once);
            assert_answer("SELECT poll, get_byte(uuid_send(voter), 0), choices FROM ballots ORDER BY 1, 2",
                          "1|1|birds 1|2|cats 1|3|cats 2|1|cats 2|2|birds 2|3|a>b ");
            assert_answer(TALLY, "first|a>b|1 first|birds|1 first|cats|1 open|birds|1 open|cats|2 ");
            assert_answer(LEDGER, "first|5|3|2|0 open|7|3|4|0 ");
            assert_books_balance();
            ballot_store_close(store);
        } while (next_permutation(order, N_BATCHES));
    }
}

/* The timeline. */

enum { T_BATCHES = 12, T_BALLOTS = 25, T_VOTERS = 60, T_SECONDS = 47, T_ORDERS = 8 };
#define T_START_MS INT64_C(1770000003500) /* not the start of a bucket */

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (*seed >> 33) % below;
}

struct turnout {
    struct ballot ballots[T_BATCHES][T_BALLOTS];
    struct ballot_batch batches[T_BATCHES];
};

/* Batches as they come in: each a little later than the one before, and some ballots in it later than others. */
static void draw_turnout(struct turnout *turnout)
{
    static const char *const choices[] = {"cats", "dogs", "cats dogs"};
    uint64_t seed = 7;
    for (int i = 0; i < T_BATCHES; i++) {
        for (int k = 0; k < T_BALLOTS; k++) {
            turnout->ballots[i][k] = ballot_of(draw(&seed, 2) == 0 ? "open" : "first", (unsigned)draw(&seed, T_VOTERS),
                                               choices[draw(&seed, 3)]);
            turnout->ballots[i][k].cast_at_ms = T_START_MS + T_SECONDS * 1000 * i / T_BATCHES +
                                                (int64_t)draw(&seed, 9000);
        }
        turnout->batches[i] = (struct ballot_batch){.id = {1}, .n_ballots = T_BALLOTS, .ballots = turnout->ballots[i]};
    }
}

/* What the poll received in each bucket, counted here. */
static void expect_received(const struct turnout *turnout, const char *poll, char *text)
{
    for (int64_t bucket = T_START_MS / 5000; bucket <= (T_START_MS + (T_SECONDS + 9) * 1000) / 5000; bucket++) {
        int n = 0;
        for (int i = 0; i < T_BATCHES * T_BALLOTS; i++) {
            const struct ballot *ballot = &turnout->ballots[i / T_BALLOTS][i % T_BALLOTS];
            n += strcmp(ballot->poll, poll) == 0 && ballot->cast_at_ms / 5000 == bucket;
        }
        if (n > 0)
            text += sprintf(text, "%lld|%d ", (long long)bucket * 5, n);
    }
}

/* Some batches twice and in any order, by two workers, several in a transaction. */
static void apply_shuffled(struct ballot_store *const stores[2], const struct turnout *turnout, uint64_t *seed)
{
    struct stream_batch set[2 * T_BATCHES];
    for (int i = 0; i < 2 * T_BATCHES; i++)
        set[i] = (struct stream_batch){.seq = (uint64_t)(i % T_BATCHES) + 1, .batch = &turnout->batches[i % T_BATCHES]};
    for (uint64_t i = 2 * T_BATCHES - 1; i > 0; i--) {
        uint64_t k = draw(seed, i + 1);
        struct stream_batch swapped = set[i];
        set[i] = set[k];
        set[k] = swapped;
    }
    for (size_t at = 0, n; at < 2 * T_BATCHES; at += n) {
        n = 1 + draw(seed, 5);
        if (n > 2 * T_BATCHES - at)
            n = 2 * T_BATCHES - at;
        apply(stores[draw(seed, 2)], set + at, n);
    }
}

static void the_timeline_is_the_same_in_whatever_order_batches_are_applied(void **state)
{
    static struct turnout turnout;
    char expected[2][2000] = {"", ""}, *first = NULL;
    uint64_t seed = 1;
    draw_turnout(&turnout);
    expect_received(&turnout, "open", expected[0]);
    expect_received(&turnout, "first", expected[1]);
    for (int order = 0; order < T_ORDERS; order++) {
        scratch_db_reset();
        struct ballot_store *stores[2] = {open_with_polls(), open_store()};
        apply_shuffled(stores, &turnout, &seed);
        for (int poll = 0; poll < 2; poll++) {
            char sql[200];
            snprintf(
                sql, sizeof(sql),
                "SELECT extract(epoch FROM bucket)::bigint, sum(received) FROM timeline WHERE poll = %d GROUP BY 1 "
                "ORDER BY 1",
                poll + 1);
            assert_answer(sql, expected[poll]);
        }
        assert_books_balance();
        const char *counted = scratch_db_ask(
            "SELECT poll, bucket, sum(counted) FROM timeline GROUP BY 1, 2 ORDER BY 1, 2");
        if (first == NULL)
            first = strdup(counted);
        assert_string_equal(counted, first);
        assert_answer("SELECT count(DISTINCT slot) > 1 FROM timeline", "t ");
        ballot_store_close(stores[0]);
        ballot_store_close(stores[1]);
    }
    free(first);
}

static void a_ballot_from_a_mad_clock_is_counted_and_harms_nobody(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"), ballot_of("open", 2, "cats"),
                                      ballot_of("open", 3, "dogs"));
    struct stream_batch one = {.seq = 1, .batch = &batch};
    struct apply_result result;
    batch.ballots[0].cast_at_ms = -INT64_C(9000000000000000); /* no timestamp */
    batch.ballots[1].cast_at_ms = -1;
    assert_status(ballot_store_apply(store, 1, &one, 1, &result, &err), ST_DB_DATA);
    assert_ok(ballot_store_apply_rows(store, 1, &one, 1, &result, &err));
    assert_int_equal(result.rejected, 1);
    assert_answer(LEDGER, "open|3|2|0|1 ");
    assert_books_balance();
    ballot_store_close(store);
}

/* Runs the statements of a migration that begin a line with INSERT outside of functions. */
static void run_inserts_of(const char *path)
{
    char text[16384];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    for (char *at = text; (at = strstr(at, "\nINSERT ")) != NULL;) {
        char *end = strchr(at, ';');
        *end = '\0';
        scratch_db_run(at);
        at = end + 1;
    }
}

static void a_timeline_is_made_for_ballots_that_were_there_before_it(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"), ballot_of("open", 1, "dogs"),
                                      ballot_of("open", 2, "cats"), ballot_of("first", 1, "cats"));
    batch.ballots[2].cast_at_ms += 60000;
    apply_one(store, 1, &batch);
    ballot_store_close(store);
    char *before = strdup(
        scratch_db_ask("SELECT poll, bucket, sum(counted) FROM timeline GROUP BY 1, 2 ORDER BY 1, 2"));
    scratch_db_run("DELETE FROM timeline");
    run_inserts_of(SOURCE_ROOT "/db/migrations/005_timeline.sql");
    assert_answer("SELECT poll, bucket, sum(counted) FROM timeline GROUP BY 1, 2 ORDER BY 1, 2", before);
    assert_books_balance();
    free(before);
}

static void a_ballot_of_a_newer_stream_wins_although_its_sequence_is_lower(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch old = BATCH(ballot_of("open", 1, "cats"), ballot_of("first", 1, "cats")),
                        new = BATCH(ballot_of("open", 1, "dogs"), ballot_of("first", 1, "dogs"));
    struct stream_batch one = {.seq = 1, .batch = &new};
    struct apply_result result;
    unsigned epoch;
    apply_one(store, 900, &old);
    assert_ok(ballot_store_register_epoch(store, 2000, &epoch, &err));
    assert_ok(ballot_store_apply(store, epoch, &one, 1, &result, &err));
    assert_answer(TALLY, "first|cats|1 open|dogs|1 ");
    assert_books_balance();
    ballot_store_close(store);
}

static void the_first_fence_stays_and_one_of_an_unknown_poll_does_no_harm(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch open = {.fence_poll = "open"}, first = {.fence_poll = "first"}, other = {.fence_poll = "gone"};
    struct stream_batch set[] = {{.seq = 4, .batch = &open},
                                 {.seq = 2, .batch = &first},
                                 {.seq = 3, .batch = &open},
                                 {.seq = 5, .batch = &other}};
    ballot_store_add_mark(store, 1, 1, &open); /* another worker holds it */
    struct apply_result result = apply(store, set, COUNT_OF(set));
    assert_int_equal(result.n_polls, 3);
    apply_one(store, 1, &open);
    assert_answer("SELECT id, fence >> 12 & (1::bigint << 40) - 1 FROM polls ORDER BY id", "first|2 open|1 ");
    ballot_store_close(store);
}

/* The cut. */

#define CUT "SELECT id, fence >> 12 & (1::bigint << 40) - 1, term FROM polls ORDER BY id"

static void ballots_behind_a_fence_are_rejected_also_before_it_is_applied(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch fence = {.fence_poll = "open"};
    struct ballot_batch before = BATCH(ballot_of("open", 1, "cats"));
    struct ballot_batch behind = BATCH(ballot_of("open", 1, "dogs"), ballot_of("open", 2, "dogs"),
                                       ballot_of("first", 1, "fish"));
    ballot_store_add_mark(store, 1, 2, &fence);
    struct apply_result result = apply_one(store, 3, &behind);
    assert_int_equal(result.rejected, 2);
    assert_int_equal(result.counted, 1);
    apply_one(store, 1, &before);
    assert_answer(CUT, "first||0 open||0 "); /* nobody has applied the fence */
    apply_one(store, 2, &fence);
    assert_answer(CUT, "first||0 open|2|0 ");
    assert_answer(TALLY, "first|fish|1 open|cats|1 ");
    assert_answer(LEDGER, "first|1|1|0|0 open|3|1|0|2 ");
    assert_answer("SELECT poll_id, ordinal & 4095, reason FROM rejected_ballots ORDER BY ordinal",
                  "open|0|after the fence open|1|after the fence ");
    assert_books_balance();
    ballot_store_close(store);
}

/* Nothing depends on a deleted poll when everything before its fence is applied and nobody voted. */
static void only_a_poll_on_which_nothing_depends_is_forgotten(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch vote = BATCH(ballot_of("first", 1, "fish"));
    struct ballot_batch fences[] = {{.fence_poll = "open"}, {.fence_poll = "first"}};

    apply_one(store, 2, &fences[0]);
    assert_answer("SELECT forget_poll('open')", "f "); /* not deleted */
    scratch_db_run("UPDATE polls SET deleted = true");
    assert_answer("SELECT forget_poll('open')", "f "); /* what is before its fence may be a ballot */
    apply_one(store, 1, &vote);
    assert_answer("SELECT forget_poll('first')", "f "); /* not fenced, and somebody voted */
    apply_one(store, 3, &fences[1]);
    assert_answer("SELECT id, forget_poll(id) FROM polls ORDER BY id", "first|f open|t ");
    assert_answer(CUT, "first|3|0 ");
    put_poll(store, "open", true, 1770000000000); /* comes again: closed, as the stream has it */
    assert_answer(CUT, "first|3|0 open|2|0 ");
    assert_books_balance();
    ballot_store_close(store);
}

/* A worker that starts knows what was applied; the rest it is told. */
static void a_fresh_store_reads_the_marks_and_how_far_they_are_complete(void **state)
{
    struct ballot_store *store = open_with_polls(), *other = open_store();
    struct ballot_batch fence = {.fence_poll = "open"}, again = {.gate_poll = "open", .term = 1};
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"));
    uint64_t complete;
    apply_one(store, 1, &fence);
    apply_one(store, 2, &batch);
    apply_one(store, 4, &batch);
    assert_ok(ballot_store_read_marks(other, 1, &complete, &err));
    assert_int_equal(complete, 2);
    assert_int_equal(apply_one(other, 5, &batch).rejected, 1);
    ballot_store_add_mark(other, 1, 3, &again);
    assert_int_equal(apply_one(other, 6, &batch).counted, 1);
    assert_ok(ballot_store_read_marks(store, 9, &complete, &err)); /* a stream without messages */
    assert_int_equal(complete, 0);
    ballot_store_close(other);
    ballot_store_close(store);
}

static void opening_again_takes_the_fence_away_and_a_worker_behind_does_not_bring_it_back(void **state)
{
    struct ballot_store *store = open_with_polls(), *behind = open_store();
    struct ballot_batch fence = {.fence_poll = "open"}, gate = {.gate_poll = "open", .term = 1};
    struct ballot_batch last = {.fence_poll = "open", .term = 1};
    apply_one(store, 1, &fence);
    assert_answer(CUT, "first||0 open|1|0 ");
    ballot_store_add_mark(store, 1, 2, &fence);
    apply_one(store, 3, &gate);
    assert_answer(CUT, "first||0 open||1 ");
    ballot_store_add_mark(behind, 1, 1, &fence);
    apply_one(behind, 2, &fence);
    assert_answer(CUT, "first||0 open||1 ");
    apply_one(store, 5, &last);
    assert_answer(CUT, "first||0 open|5|1 ");
    assert_answer("SELECT ordinal >> 12 & (1::bigint << 40) - 1, poll_id, term, opens FROM poll_marks ORDER BY ordinal",
                  "1|open|0|f 3|open|1|t 5|open|1|f ");
    ballot_store_close(behind);
    ballot_store_close(store);
}

/* Two workers, messages in any order and in transactions of any size: the tables are those of a worker that took one
 * after the other. */
static void any_order_of_batches_and_marks_gives_the_same_cut(void **state)
{
    enum { N = 40 };
    static const char *const questions[] = {CUT,
                                            TALLY,
                                            LEDGER,
                                            "SELECT poll, voter, precedence, choices FROM ballots ORDER BY 1, 2",
                                            "SELECT ordinal, poll_id, reason FROM rejected_ballots ORDER BY 1",
                                            "SELECT * FROM poll_marks ORDER BY 1"};
    char expected[COUNT_OF(questions)][16 * 1024];
    struct ballot ballots[N];
    struct ballot_batch messages[N];
    unsigned terms[2] = {0, 0};
    for (size_t i = 0; i < N; i++) {
        size_t poll = i / 2 % 2;
        const char *id = poll == 0 ? "open" : "first";
        messages[i] = (struct ballot_batch){.id = {(uint8_t)i, 1}};
        if (i % 9 == 4 || i % 9 == 5) {
            memcpy(messages[i].fence_poll, id, strlen(id) + 1);
            messages[i].term = terms[poll];
        } else if (i % 9 == 8) {
            memcpy(messages[i].gate_poll, id, strlen(id) + 1);
            messages[i].term = ++terms[poll];
        } else {
            ballots[i] = ballot_of(id, (unsigned)(i * 7 % 5), i % 3 == 0 ? "cats" : "dogs");
            messages[i].n_ballots = 1;
            messages[i].ballots = &ballots[i];
        }
    }
    for (int round = 0; round < 12; round++) {
        scratch_db_reset();
        struct ballot_store *stores[2] = {open_with_polls(), open_store()};
        struct stream_batch order[N];
        for (size_t i = 0; i < N; i++) {
            order[i] = (struct stream_batch){.seq = i + 1, .batch = &messages[i]};
            for (size_t k = 0; k < 2; k++)
                ballot_store_add_mark(stores[k], 1, i + 1, &messages[i]);
        }
        srand((unsigned)round);
        for (size_t i = N; round > 0 && i > 1; i--) {
            size_t k = (size_t)rand() % i;
            struct stream_batch swap = order[k];
            order[k] = order[i - 1];
            order[i - 1] = swap;
        }
        for (size_t at = 0; at < N;) {
            size_t n = round == 0 ? 1 : 1 + (size_t)rand() % 6;
            n = n < N - at ? n : N - at;
            apply(stores[round == 0 ? 0 : rand() % 2], order + at, n);
            at += n;
        }
        for (size_t q = 0; q < COUNT_OF(questions); q++) {
            if (round == 0)
                snprintf(expected[q], sizeof(expected[q]), "%s", scratch_db_ask(questions[q]));
            else
                assert_answer(questions[q], expected[q]);
        }
        assert_books_balance();
        ballot_store_close(stores[0]);
        ballot_store_close(stores[1]);
    }
    assert_contains(expected[4], "after the fence");
}

/* Bad data. */

static void a_refused_ballot_leaves_nothing_behind_and_rows_store_the_others(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"), ballot_of("open", 2, "dogs"),
                                      ballot_of("open", 2, "\xff\xfe"), ballot_of("first", 3, "cats"),
                                      ballot_of("first", 4, "\xc3"), ballot_of("open", 5, "cats"));
    struct stream_batch one = {.seq = 8, .batch = &batch};
    struct apply_result result;

    assert_status(ballot_store_apply(store, 1, &one, 1, &result, &err), ST_DB_DATA);
    assert_contains(err.text, "invalid byte sequence");
    assert_answer("SELECT count(*) FROM applied_batches", "0 ");
    assert_answer("SELECT count(*) FROM ballots", "0 ");

    assert_ok(ballot_store_apply_rows(store, 1, &one, 1, &result, &err));
    assert_int_equal(result.rejected, 2);
    assert_int_equal(result.counted, 4);
    assert_int_equal(result.superseded, 0);
    assert_answer(TALLY, "first|cats|1 open|cats|2 open|dogs|1 "); /* dogs: the next best of voter 2 */
    assert_answer(LEDGER, "first|2|1|0|1 open|4|3|0|1 ");
    assert_answer("SELECT poll_id, ordinal & 4095, reason LIKE '%invalid byte sequence%22021%' "
                  "FROM rejected_ballots ORDER BY ordinal",
                  "open|2|t first|4|t ");
    assert_books_balance();

    one.known = false;
    assert_ok(ballot_store_apply_rows(store, 1, &one, 1, &result, &err));
    assert_true(one.known);
    assert_answer(LEDGER, "first|2|1|0|1 open|4|3|0|1 ");
    ballot_store_close(store);
}

static void choices_too_long_for_the_tally_are_bad_data_too(void **state)
{
    struct ballot_store *store = open_with_polls();
    char choices[4001]; /* no spaces, and nothing that compresses */
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof(choices) - 1; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        choices[i] = (char)('!' + (seed >> 33) % 90);
    }
    choices[sizeof(choices) - 1] = '\0';
    struct ballot ballots[] = {ballot_of("open", 1, "cats"), ballot_of("open", 2, "")};
    ballots[1].choices = choices;
    ballots[1].choices_len = sizeof(choices) - 1;
    struct ballot_batch batch = {.n_ballots = 2, .ballots = ballots};
    struct stream_batch one = {.seq = 1, .batch = &batch};
    struct apply_result result;
    assert_status(ballot_store_apply(store, 1, &one, 1, &result, &err), ST_DB_DATA);
    assert_ok(ballot_store_apply_rows(store, 1, &one, 1, &result, &err));
    assert_answer(LEDGER, "open|2|1|0|1 ");
    assert_books_balance();
    ballot_store_close(store);
}

static enum status fetch_poll(void *arg, struct ballot_store *store, const char *poll_id, struct errmsg *errmsg)
{
    int *calls = arg;
    ++*calls;
    if (strcmp(poll_id, "late") == 0)
        put_poll(store, "late", true, 1770000000000);
    return strcmp(poll_id, "unsure") == 0 ? fail(errmsg, ST_BUS_DOWN, "no broker") : ST_OK;
}

static void an_unknown_poll_is_fetched_or_its_ballots_are_rejected(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("late", 1, "cats"), ballot_of("never", 1, "cats"),
                                      ballot_of("never", 2, "cats"), ballot_of("late", 2, "cats"),
                                      ballot_of("open", 1, "cats")),
                        unsure = BATCH(ballot_of("open", 2, "cats"), ballot_of("unsure", 1, "cats"));
    struct stream_batch one = {.seq = 2, .batch = &unsure};
    struct apply_result result;
    int calls = 0;
    ballot_store_on_unknown_poll(store, fetch_poll, &calls);
    result = apply_one(store, 1, &batch);
    assert_int_equal(calls, 2);
    assert_int_equal(result.rejected, 2);
    assert_answer(TALLY, "late|cats|2 open|cats|1 ");
    assert_answer("SELECT poll_id, reason FROM rejected_ballots ORDER BY ordinal",
                  "never|unknown poll never|unknown poll ");
    assert_status(ballot_store_apply(store, 1, &one, 1, &result, &err), ST_BUS_DOWN);
    assert_answer("SELECT count(*) FROM applied_batches", "1 ");
    assert_books_balance();
    ballot_store_close(store);
}

/* Several at once. */

enum { STORES = 4, ROUNDS = 40, PER_BATCH = 300, VOTERS = 500 };

struct crowd {
    pthread_t thread;
    unsigned number;
    size_t retries;
};

static void *vote_at_random(void *arg)
{
    struct crowd *crowd = arg;
    struct ballot_store *store;
    struct errmsg own;
    static struct ballot all[STORES][PER_BATCH];
    struct ballot *ballots = all[crowd->number];
    uint64_t seed = crowd->number;
    if (ballot_store_open(&store, scratch_db_conninfo(), "crowd", &own) != ST_OK)
        return "no store";
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < PER_BATCH; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            unsigned voter = (unsigned)(seed >> 33) % VOTERS;
            ballots[i] = (seed >> 60) % 2 == 0 ? ballot_of("open", voter, "cats") : ballot_of("first", voter, "dogs");
        }
        struct ballot_batch batch = {.n_ballots = PER_BATCH, .ballots = ballots};
        /* Its own sequence, and one that all of them try to apply. */
        struct stream_batch set[] = {{.seq = 1000 + round * STORES + crowd->number, .batch = &batch},
                                     {.seq = round + 1, .batch = NULL}};
        struct apply_result result;
        enum status st;
        while ((st = ballot_store_apply(store, 1, set, 2, &result, &own)) == ST_DB_RETRY)
            crowd->retries++;
        if (st != ST_OK) {
            ballot_store_close(store);
            return "apply failed";
        }
    }
    ballot_store_close(store);
    return NULL;
}

static void stores_with_overlapping_voters_never_deadlock(void **state)
{
    struct crowd crowd[STORES] = {0};
    ballot_store_close(open_with_polls());
    for (unsigned i = 0; i < STORES; i++) {
        crowd[i].number = i;
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, vote_at_random, &crowd[i]), 0);
    }
    for (unsigned i = 0; i < STORES; i++) {
        void *trouble;
        pthread_join(crowd[i].thread, &trouble);
        if (trouble != NULL)
            fail_test("%s", (const char *)trouble);
        assert_int_equal(crowd[i].retries, 0);
    }
    assert_answer("SELECT count(*) FROM applied_batches", "200 ");
    assert_answer("SELECT sum(received) FROM ledger", "48000 ");
    assert_books_balance();
}

static void each_store_has_a_slot_of_its_own_and_gives_it_back(void **state)
{
    struct ballot_store *one = open_store(), *two = open_store();
    assert_int_equal(ballot_store_slot(one), 1);
    assert_int_equal(ballot_store_slot(two), 2);
    ballot_store_close(one);
    scratch_db_await_sessions(1); /* the server has seen the first one leave */
    one = open_store();
    assert_int_equal(ballot_store_slot(one), 1);
    ballot_store_close(one);
    ballot_store_close(two);
}

static void without_a_free_slot_the_store_says_so(void **state)
{
    struct ballot_store *store;
    char sql[200];
    snprintf(sql, sizeof(sql), "SELECT pg_advisory_lock(%d, slot) FROM generate_series(1, %d) AS slot",
             TALLY_SLOT_LOCK_CLASS, TALLY_SLOT_MAX);
    scratch_db_run(sql);
    assert_status(ballot_store_open(&store, scratch_db_conninfo(), "unit test", &err), ST_NO_SLOT);
    assert_null(store);
    assert_contains(err.text, "63 tally slots are taken");
    scratch_db_run("SELECT pg_advisory_unlock_all()");
}

/* Epochs, polls, schema, connection. */

static void an_older_stream_is_refused_and_the_same_one_keeps_its_number(void **state)
{
    struct ballot_store *store = open_store();
    unsigned epoch = 0;
    assert_ok(ballot_store_register_epoch(store, 5000, &epoch, &err));
    assert_int_equal(epoch, 1);
    assert_ok(ballot_store_register_epoch(store, 5000, &epoch, &err));
    assert_int_equal(epoch, 1);
    assert_ok(ballot_store_register_epoch(store, 7000, &epoch, &err));
    assert_int_equal(epoch, 2);
    assert_status(ballot_store_register_epoch(store, 6000, &epoch, &err), ST_EPOCH);
    assert_contains(err.text, "6000");
    assert_contains(err.text, "7000");
    assert_status(ballot_store_register_epoch(store, 5000, &epoch, &err), ST_EPOCH); /* it is back */
    assert_answer("SELECT epoch, created_ns FROM stream_epochs ORDER BY epoch", "1|5000 2|7000 ");
    ballot_store_close(store);
}

static void collect_poll(void *arg, const char *id, const void *definition, size_t len)
{
    char *list = arg;
    sprintf(list + strlen(list), "%s=%.*s ", id, (int)len, (const char *)definition);
}

static void the_newer_definition_of_a_poll_stays(void **state)
{
    struct ballot_store *store = open_store();
    char list[200] = "";
    size_t n;
    put_poll(store, "demo", true, 20);
    put_poll(store, "demo", false, 10); /* older */
    put_poll(store, "demo", false, 20); /* the same */
    put_poll(store, "other", true, 1);
    assert_answer("SELECT id, revisable, revision, opens_at IS NULL, key FROM polls ORDER BY id",
                  "demo|t|1|t|1 other|t|1|t|2 ");
    put_poll(store, "demo", false, 30);
    assert_answer("SELECT revisable, revision, method, extract(epoch FROM updated_at) * 1000 FROM polls WHERE key = 1",
                  "f|2|plurality|30.000000 ");
    assert_ok(ballot_store_each_poll(store, collect_poll, list, &err));
    assert_string_equal(list, "demo=demo@30 other=other@1 ");
    assert_ok(ballot_store_count_polls(store, &n, &err));
    assert_int_equal(n, 2);
    ballot_store_close(store);
}

static void a_schema_too_old_too_new_or_missing_is_named(void **state)
{
    struct ballot_store *store;
    scratch_db_run("CREATE TABLE kept AS SELECT * FROM schema_migrations");
    scratch_db_run("DELETE FROM schema_migrations WHERE version > 1");
    assert_status(ballot_store_open(&store, scratch_db_conninfo(), "unit test", &err), ST_DB_SCHEMA);
    assert_contains(err.text, "run db/migrate");
    scratch_db_run("INSERT INTO schema_migrations (version, name, sha256) VALUES (999, 'x', '')");
    assert_status(ballot_store_open(&store, scratch_db_conninfo(), "unit test", &err), ST_DB_SCHEMA);
    assert_contains(err.text, "999");
    assert_contains(err.text, "newer");
    scratch_db_run("ALTER TABLE schema_migrations RENAME TO away");
    assert_status(ballot_store_open(&store, scratch_db_conninfo(), "unit test", &err), ST_DB_SCHEMA);
    assert_contains(err.text, "db/migrate");
    scratch_db_run("ALTER TABLE away RENAME TO schema_migrations");
    scratch_db_run("TRUNCATE schema_migrations");
    scratch_db_run("INSERT INTO schema_migrations SELECT * FROM kept");
    scratch_db_run("DROP TABLE kept");
    ballot_store_close(open_store());
}

static void the_program_knows_the_newest_migration(void **state)
{
    char expected[20];
    snprintf(expected, sizeof(expected), "%d ", PG_SESSION_SCHEMA);
    assert_answer("SELECT max(version) FROM schema_migrations", expected);
}

static void a_lost_connection_is_reported_once_and_then_replaced(void **state)
{
    struct ballot_store *store = open_with_polls();
    struct ballot_batch batch = BATCH(ballot_of("open", 1, "cats"));
    struct stream_batch one = {.seq = 1, .batch = &batch};
    struct apply_result result;
    apply(store, &one, 1);
    scratch_db_run(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'unit test'");
    assert_status(ballot_store_apply(store, 1, &one, 1, &result, &err), ST_DB_DOWN);
    assert_int_equal(ballot_store_slot(store), 0);
    apply(store, &one, 1);
    assert_true(one.known);
    assert_int_equal(ballot_store_slot(store), 1);
    assert_ok(ballot_store_ping(store, &err));
    ballot_store_close(store);
}

static void an_unreachable_server_is_named(void **state)
{
    struct ballot_store *store;
    assert_status(ballot_store_open(&store, "host=/nonexistent port=1", "unit test", &err), ST_DB_DOWN);
    assert_null(store);
    assert_contains(err.text, "/nonexistent");
}

static void the_worker_may_not_delete_ballots_or_touch_the_tally(void **state)
{
    static const char *const forbidden[] = {
        "DELETE FROM ballots",
        "TRUNCATE ballots",
        "UPDATE tally SET n = 0",
        "UPDATE timeline SET counted = 0",
        "DELETE FROM timeline",
        "DELETE FROM applied_batches",
        "UPDATE ledger SET counted = 0",
        "CREATE TABLE mine (a int)",
        "DROP TABLE ballots",
        "DELETE FROM polls",
    };
    char sql[300];
    for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
        snprintf(sql, sizeof(sql),
                 "SET ROLE scrutin_worker; DO $$ BEGIN EXECUTE '%s'; RAISE 'was allowed'; "
                 "EXCEPTION WHEN insufficient_privilege THEN NULL; END $$; RESET ROLE",
                 forbidden[i]);
        scratch_db_run(sql);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, empty_tables)
    const struct CMUnitTest tests[] = {
        TEST(the_program_knows_the_newest_migration),
        TEST(a_batch_applied_again_changes_nothing),
        TEST(a_ballot_itself_says_which_one_stands),
        TEST(a_set_of_old_and_new_batches_stores_the_new_ones_even_when_one_comes_twice),
        TEST(no_batches_are_no_error),
        TEST(gaps_and_dead_letters_are_visible),
        TEST(the_missing_batches_are_found_from_right_after_the_floor_up_to_the_last),
        TEST(every_order_of_the_batches_gives_the_same_tables),
        TEST(the_timeline_is_the_same_in_whatever_order_batches_are_applied),
        TEST(a_ballot_from_a_mad_clock_is_counted_and_harms_nobody),
        TEST(a_timeline_is_made_for_ballots_that_were_there_before_it),
        TEST(a_ballot_of_a_newer_stream_wins_although_its_sequence_is_lower),
        TEST(the_first_fence_stays_and_one_of_an_unknown_poll_does_no_harm),
        TEST(ballots_behind_a_fence_are_rejected_also_before_it_is_applied),
        TEST(only_a_poll_on_which_nothing_depends_is_forgotten),
        TEST(a_fresh_store_reads_the_marks_and_how_far_they_are_complete),
        TEST(opening_again_takes_the_fence_away_and_a_worker_behind_does_not_bring_it_back),
        TEST(any_order_of_batches_and_marks_gives_the_same_cut),
        TEST(a_refused_ballot_leaves_nothing_behind_and_rows_store_the_others),
        TEST(choices_too_long_for_the_tally_are_bad_data_too),
        TEST(an_unknown_poll_is_fetched_or_its_ballots_are_rejected),
        TEST(stores_with_overlapping_voters_never_deadlock),
        TEST(each_store_has_a_slot_of_its_own_and_gives_it_back),
        TEST(without_a_free_slot_the_store_says_so),
        TEST(an_older_stream_is_refused_and_the_same_one_keeps_its_number),
        TEST(the_newer_definition_of_a_poll_stays),
        TEST(a_schema_too_old_too_new_or_missing_is_named),
        TEST(a_lost_connection_is_reported_once_and_then_replaced),
        TEST(an_unreachable_server_is_named),
        TEST(the_worker_may_not_delete_ballots_or_touch_the_tally),
    };
    if (!scratch_db_open())
        return 77; /* Meson: skipped */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_db_close();
    return failed;
}
