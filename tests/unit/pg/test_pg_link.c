/* Tests of pg_link and pg_session against a real server: pipelines, rows one by one, deadlines, errors.
 * SPDX-License-Identifier: MIT */
#include "pg/pg_session.h"

#include "base/clock.h"
#include "scratch_db.h"

#include "unit.h"

#include <pthread.h>

static struct errmsg err;

static struct pg_link_options options_with(int64_t answer_ms)
{
    return (struct pg_link_options){
        .conninfo = scratch_db_conninfo(), .name = "link test", .connect_s = 5, .answer_ms = answer_ms};
}

static struct pg_link *open_link(int64_t answer_ms)
{
    struct pg_link_options options = options_with(answer_ms);
    struct pg_link *link;
    if (pg_link_open(&link, &options, &err) != ST_OK)
        fail_test("%s", err.text);
    return link;
}

static void one_pipeline_has_the_results_of_all_its_statements(void **state)
{
    struct pg_link *link = open_link(10000);
    struct pg_args args = {0};
    pg_args_add_int8(&args, -5);
    pg_args_add_text(&args, "cats");
    pg_args_add_null(&args);
    pg_link_query(link, "SELECT $1::bigint, $2::text, $3::integer", &args);
    pg_link_query(link, "SELECT n::smallint FROM generate_series(7, 9) AS n", NULL);
    assert_int_equal(pg_link_sync(link, &err), ST_OK);
    assert_int_equal(pg_link_number(link, 0, 0, 0), -5);
    assert_string_equal(pg_link_bytes(link, 0, 0, 1, NULL), "cats");
    assert_true(pg_link_is_null(link, 0, 0, 2));
    assert_int_equal(pg_link_number(link, 0, 0, 2), 0);
    struct pg_rows *rows = pg_link_take_rows(link, 1);
    pg_link_close(link); /* rows that were taken outlive the link */
    assert_int_equal(pg_rows_count(rows), 3);
    assert_int_equal(pg_rows_number(rows, 2, 0), 9);
    pg_rows_free(rows);
}

static void add_row(void *arg, const struct pg_rows *row)
{
    int64_t *sums = arg;
    assert_int_equal(pg_rows_count(row), 1);
    sums[0]++;
    sums[1] += pg_rows_number(row, 0, 0);
}

static void rows_can_be_read_one_by_one(void **state)
{
    struct pg_link *link = open_link(10000);
    int64_t sums[2] = {0};
    pg_link_query(link, "SELECT generate_series(1, 100000)", NULL);
    assert_int_equal(pg_link_sync_each(link, add_row, sums, &err), ST_OK);
    assert_int_equal(sums[0], 100000);
    assert_int_equal(sums[1], INT64_C(5000050000));
    pg_link_query(link, "SELECT 1 WHERE false", NULL);
    assert_int_equal(pg_link_sync_each(link, add_row, sums, &err), ST_OK);
    assert_int_equal(sums[0], 100000);
    pg_link_query(link, "SELECT 3", NULL); /* the mode ends with its statement */
    assert_int_equal(pg_link_sync(link, &err), ST_OK);
    assert_int_equal(pg_link_number(link, 0, 0, 0), 3);
    pg_link_close(link);
}

static void an_error_among_the_rows_is_reported_and_the_link_can_be_used_again(void **state)
{
    struct pg_link *link = open_link(10000);
    int64_t sums[2] = {0};
    pg_link_query(link, "SELECT 1 / (5000 - n) FROM generate_series(1, 10000) AS n", NULL);
    assert_int_equal(pg_link_sync_each(link, add_row, sums, &err), ST_DB_DATA);
    assert_contains(err.text, "22012");
    assert_false(pg_link_is_lost(link));
    pg_link_query(link, "SELECT 3", NULL);
    assert_int_equal(pg_link_sync(link, &err), ST_OK);
    pg_link_close(link);
}

static void a_statement_that_fails_ends_its_pipeline(void **state)
{
    struct pg_link *link = open_link(10000);
    pg_link_query(link, "SELECT 1", NULL);
    pg_link_query(link, "SELECT no_such_column", NULL);
    pg_link_query(link, "SELECT pg_sleep(60)", NULL);
    assert_int_equal(pg_link_sync(link, &err), ST_DB_SCHEMA);
    assert_contains(err.text, "42703");
    pg_link_close(link);
}

static void no_answer_in_time_ends_the_connection(void **state)
{
    struct pg_link *link = open_link(200);
    int64_t began = clock_mono_ms();
    pg_link_query(link, "SELECT pg_sleep(60)", NULL);
    assert_int_equal(pg_link_sync(link, &err), ST_DB_DOWN);
    assert_true(clock_mono_ms() - began < 20000);
    assert_contains(err.text, "no answer");
    assert_true(pg_link_is_lost(link));
    pg_link_close(link);
    scratch_db_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'link test'");
}

static void *give_up(void *arg)
{
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void a_wait_ends_when_another_thread_gives_it_up(void **state)
{
    atomic_bool given_up = false;
    struct pg_link_options options = options_with(60000);
    struct pg_link *link;
    pthread_t thread;
    options.given_up = &given_up;
    assert_int_equal(pg_link_open(&link, &options, &err), ST_OK);
    int64_t began = clock_mono_ms();
    pg_link_query(link, "SELECT pg_sleep(60)", NULL);
    assert_int_equal(pthread_create(&thread, NULL, give_up, &given_up), 0);
    assert_int_equal(pg_link_sync(link, &err), ST_DB_DOWN);
    pthread_join(thread, NULL);
    assert_true(clock_mono_ms() - began < 20000);
    assert_contains(err.text, "stopping");
    pg_link_close(link);
    scratch_db_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'link test'");
}

static void a_session_without_its_statements_is_opened_again(void **state)
{
    static const struct pg_statement statements[] = {{"answer", "SELECT 42"}};
    const struct pg_session_options options = {
        .link = options_with(10000), .statements = statements, .n_statements = COUNT_OF(statements)};
    struct pg_session session = {.options = &options};
    assert_int_equal(pg_session_open(&session, &err), ST_OK);
    pg_link_query(session.link, "DEALLOCATE ALL", NULL); /* as a connection pooler does */
    assert_int_equal(pg_session_run(&session, "removing statements", &err), ST_OK);
    pg_link_send(session.link, "answer", NULL);
    assert_int_equal(pg_session_run(&session, "asking", &err), ST_DB_SCHEMA);
    assert_contains(err.text, "asking: ");
    assert_contains(err.text, "26000");
    assert_null(session.link);
    assert_int_equal(pg_session_open(&session, &err), ST_OK);
    assert_int_equal(session.connections, 2);
    pg_link_send(session.link, "answer", NULL);
    assert_int_equal(pg_session_run(&session, "asking", &err), ST_OK);
    assert_int_equal(pg_link_number(session.link, 0, 0, 0), 42);
    pg_session_close(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pipeline_has_the_results_of_all_its_statements),
        cmocka_unit_test(rows_can_be_read_one_by_one),
        cmocka_unit_test(an_error_among_the_rows_is_reported_and_the_link_can_be_used_again),
        cmocka_unit_test(a_statement_that_fails_ends_its_pipeline),
        cmocka_unit_test(no_answer_in_time_ends_the_connection),
        cmocka_unit_test(a_wait_ends_when_another_thread_gives_it_up),
        cmocka_unit_test(a_session_without_its_statements_is_opened_again),
    };
    if (!scratch_db_open())
        return 77; /* Meson: skipped */
    int failed = cmocka_run_group_tests_name("pg_link", tests, NULL, NULL);
    scratch_db_close();
    return failed;
}
