/* Tests of result_db against a real server: tallies, large polls, receipts, cursors of exports.
 * SPDX-License-Identifier: MIT */
#include "read/result_db.h"

#include "scratch_db.h"

#include "unit.h"

static struct errmsg err;

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        enum status status_ = (call);                                                                                  \
        if (status_ != ST_OK)                                                                                          \
            fail_test("%s: %s (%s)", #call, status_text(status_), err.text);                                           \
    } while (0)

static struct result_db *open_store(void)
{
    struct result_db *db = result_db_new(scratch_db_conninfo(), "unit test", 10000);
    assert_ok(result_db_connect(db, &err));
    return db;
}

/* Epoch 2 has applied the sequences 1, 2 and 4. Two ballots of `demo` count, one was replaced and one was rejected; it
 * was closed in term 3. `null` has one ballot, `rank` is a ranked poll. */
static int fill_tables(void **state)
{
    scratch_db_reset();
    scratch_db_run("INSERT INTO stream_epochs (epoch, created_ns) VALUES (1, 1000), (2, 2000)");
    scratch_db_run("INSERT INTO polls (id, definition, title, method, revisable, fence, term) VALUES"
                   " ('demo', '', 'Demo', 'plurality', true, (2::bigint << 52) | (4::bigint << 12), 3),"
                   " ('null', '', 'Null', 'plurality', true, NULL, 0), ('rank', '', 'Rank', 'ranked', true, NULL, 0)");
    scratch_db_run("INSERT INTO ballots (poll, voter, precedence, cast_at, choices) VALUES"
                   " (1, '01000000-0000-0000-0000-000000000000', (2::bigint << 52) | (1::bigint << 12), now(), 'cats'),"
                   " (1, '02000000-0000-0000-0000-000000000000', (2::bigint << 52) | (2::bigint << 12), now(), 'dogs'),"
                   " (2, '01000000-0000-0000-0000-000000000000', (2::bigint << 52) | (1::bigint << 12) | 1, now(),"
                   " 'cats')");
    scratch_db_run("UPDATE ledger SET received = 4, superseded = 1, rejected = 1 WHERE poll = 1");
    scratch_db_run("UPDATE ledger SET received = 1 WHERE poll = 2");
    scratch_db_run("INSERT INTO applied_batches (epoch, seq, batch, ballots, slot) SELECT 2, seq,"
                   " 'aa000000-0000-0000-0000-000000000000', 1, 1 FROM unnest('{1,2,4}'::bigint[]) AS seq");
    return 0;
}

static void the_newest_epoch_and_its_floor_are_read(void **state)
{
    struct result_db *db = open_store();
    struct result_db_epoch epoch;
    assert_ok(result_db_read_epoch(db, &epoch, &err));
    assert_int_equal(epoch.epoch, 2);
    assert_int_equal(epoch.created_ns, 2000);
    assert_int_equal(epoch.floor, 2);
    result_db_free(db);
}

static void one_look_has_tallies_ledgers_fences_and_applied_batches(void **state)
{
    struct result_db *db = open_store();
    static const char *const polls[] = {"null", "missing", "demo"};
    static const uint64_t gaps[] = {1, 3};
    struct tally tallies[3] = {{0}};
    struct result_db_look look = {
        .polls = polls, .n_polls = 3, .tallies = tallies, .epoch = 2, .after = 3, .gaps = gaps, .n_gaps = 2};
    assert_ok(result_db_read_look(db, &look, &err));
    assert_int_equal(look.newest_epoch, 2);
    assert_int_equal(look.newest_created_ns, 2000);
    assert_int_equal(look.n_applied, 2);
    assert_int_equal(look.applied[0], 1);
    assert_int_equal(look.applied[1], 4);
    assert_int_equal(tally_count(&tallies[0], "cats"), 1);
    assert_int_equal(tallies[0].fence, 0);
    assert_int_equal(tallies[1].received, 0);
    assert_int_equal(tallies[2].received, 4);
    assert_int_equal(tallies[2].counted, 2);
    assert_int_equal(tallies[2].superseded, 1);
    assert_int_equal(tallies[2].rejected, 1);
    assert_int_equal(tally_count(&tallies[2], "dogs"), 1);
    assert_int_equal(tallies[2].term, 3);
    assert_int_equal(tallies[2].fence, (INT64_C(2) << 52) | (INT64_C(4) << 12));
    free(look.applied);
    for (size_t i = 0; i < COUNT_OF(tallies); i++)
        tally_fini(&tallies[i]);
    result_db_free(db);
}

static void a_look_at_nothing_is_answered(void **state)
{
    struct result_db *db = open_store();
    struct result_db_look look = {.epoch = 1};
    assert_ok(result_db_read_look(db, &look, &err));
    assert_int_equal(look.n_applied, 0);
    assert_int_equal(look.newest_epoch, 2);
    free(look.applied);
    result_db_free(db);
}

static void add_ranking(void *arg, const char *ranking, int64_t n)
{
    int64_t *sums = arg;
    assert_int_equal(ranking[0], 'r');
    sums[0]++;
    sums[1] += n;
}

static void a_ranked_poll_of_many_rankings_is_large_and_read_row_by_row(void **state)
{
    struct result_db *db = open_store();
    static const char *const polls[] = {"rank"};
    struct tally tally = {0}, ledger;
    struct result_db_look look = {.polls = polls, .n_polls = 1, .tallies = &tally, .epoch = 2};
    int64_t sums[2] = {0};
    scratch_db_run(
        "INSERT INTO tally (poll, choice, slot, n) SELECT 3, 'r' || i, 1, 2 FROM generate_series(1, 6000) i");
    scratch_db_run(
        "INSERT INTO ledger (poll, slot, received, counted, superseded, rejected) VALUES (3, 1, 12000, 12000, "
        "0, 0)");
    assert_ok(result_db_read_look(db, &look, &err));
    assert_true(tally.is_large);
    assert_int_equal(tally.n_choices, 0);
    assert_int_equal(tally.received, 12000);
    free(look.applied);
    assert_ok(result_db_begin_large(db, "rank", &ledger, &err));
    assert_int_equal(ledger.counted, 12000);
    assert_ok(result_db_read_rankings(db, "rank", add_ranking, sums, &err));
    assert_int_equal(sums[0], 6000);
    assert_int_equal(sums[1], 12000);
    assert_ok(result_db_end_large(db, &err));
    tally_fini(&tally);
    result_db_free(db);
}

static void the_fates_of_receipts_come_in_the_order_of_the_questions(void **state)
{
    struct result_db *db = open_store();
    struct receipt_question questions[3] = {
        {.next = &questions[1], .receipt = {.poll = "demo", .voter = {1}, .batch = {0xaa}, .sequence = 1}},
        {.next = &questions[2], .receipt = {.poll = "demo", .voter = {3}, .batch = {0xbb}, .sequence = 9}},
        {.receipt = {.poll = "demo", .voter = {2}, .batch = {0xaa}, .sequence = 1}},
    };
    assert_ok(result_db_find_fates(db, 2000, questions, &err));
    assert_int_equal(questions[0].fate, RECEIPT_COUNTED);
    assert_int_equal(questions[1].fate, RECEIPT_PENDING);
    assert_int_equal(questions[2].fate, RECEIPT_SUPERSEDED);
    result_db_free(db);
}

static void a_cursor_outlives_its_statement_and_nothing_can_be_written(void **state)
{
    struct result_db *db = open_store();
    struct pg_args args = {0};
    struct pg_rows *rows;
    pg_args_add_text(&args, "demo");
    assert_ok(
        result_db_query(db, "opening",
                        "DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT choices, count(*) FROM ballots"
                        " WHERE poll = (SELECT key FROM polls WHERE id = $1::text) GROUP BY choices ORDER BY choices",
                        &args, &rows, &err));
    pg_rows_free(rows);
    assert_ok(result_db_query(db, "reading", "FETCH 1 FROM c", NULL, &rows, &err));
    assert_int_equal(pg_rows_count(rows), 1);
    assert_string_equal(pg_rows_bytes(rows, 0, 0, NULL), "cats");
    assert_int_equal(pg_rows_number(rows, 0, 1), 1);
    pg_rows_free(rows);
    assert_int_equal(result_db_session(db), 1);
    assert_int_equal(result_db_query(db, "writing", "DELETE FROM ballots", NULL, &rows, &err), ST_DB_DOWN);
    assert_contains(err.text, "writing: ");
    assert_contains(err.text, "25006");
    assert_null(rows);
    assert_false(result_db_is_connected(db)); /* after any failure */
    assert_int_equal(result_db_session(db), 0);
    assert_ok(result_db_connect(db, &err));
    assert_int_equal(result_db_session(db), 2);
    result_db_give_up(db);
    assert_int_equal(result_db_query(db, "reading", "SELECT pg_sleep(20)", NULL, &rows, &err), ST_DB_DOWN);
    result_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_newest_epoch_and_its_floor_are_read, fill_tables),
        cmocka_unit_test_setup(one_look_has_tallies_ledgers_fences_and_applied_batches, fill_tables),
        cmocka_unit_test_setup(a_look_at_nothing_is_answered, fill_tables),
        cmocka_unit_test_setup(a_ranked_poll_of_many_rankings_is_large_and_read_row_by_row, fill_tables),
        cmocka_unit_test_setup(the_fates_of_receipts_come_in_the_order_of_the_questions, fill_tables),
        cmocka_unit_test_setup(a_cursor_outlives_its_statement_and_nothing_can_be_written, fill_tables),
    };
    if (!scratch_db_open())
        return 77; /* Meson: skipped */
    int failed = cmocka_run_group_tests_name("result_db", tests, NULL, NULL);
    scratch_db_close();
    return failed;
}
