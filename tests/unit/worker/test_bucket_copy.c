/* Tests of bucket_copy: what is written to the database, how often, and what becomes of what cannot be written. The bus
 * and the store are stand-ins.
 * SPDX-License-Identifier: MIT */
#include "store/bucket_copy.h"

#include "unit.h"

static struct bus_watch watch;
static unsigned connections = 1;
static enum status put_status, bucket_status;
static char written[1024]; /* "key=value " for each put that worked */
static size_t put_back;    /* values that went into the bucket */

enum status bus_watch_bucket(struct bus *bus, enum bus_bucket bucket, const struct bus_watch *to, struct errmsg *err)
{
    watch = *to;
    return ST_OK;
}

enum status bus_bucket_put(struct bus *bus, enum bus_bucket bucket, const char *key, const void *data, size_t len,
                           uint64_t revision, struct errmsg *err)
{
    put_back++;
    return bucket_status;
}

unsigned ballot_store_connections(const struct ballot_store *store)
{
    return connections;
}

static enum status put(struct ballot_store *store, const char *key, const void *value, size_t len, struct errmsg *err)
{
    if (put_status != ST_OK)
        return put_status;
    size_t at = strlen(written);
    snprintf(written + at, sizeof(written) - at, "%s=%.*s ", key, (int)len, (const char *)value);
    return ST_OK;
}

static enum status count(struct ballot_store *store, size_t *n, struct errmsg *err)
{
    *n = 3;
    return ST_OK;
}

static enum status each(struct ballot_store *store, bucket_copy_row on_row, void *arg, struct errmsg *err)
{
    for (int i = 0; i < 3; i++)
        on_row(arg, "a", "1", 1);
    return ST_OK;
}

static const struct bucket_copy_kind kind = {BUS_BUCKET_POLLS, "polls", put, count, each};
static struct bucket_copy *copies[8], *copy; /* each stays: its watch never ends */
static size_t n_copies;

static int set_up(void **state)
{
    struct errmsg err;

    put_status = bucket_status = ST_OK;
    written[0] = '\0';
    put_back = 0;
    assert_int_equal(bucket_copy_open(NULL, &kind, &copy, &err), ST_OK);
    copies[n_copies++] = copy;
    return 0;
}

static void value(const char *key, const char *text)
{
    watch.on_value(watch.arg, key, text, strlen(text), 1);
}

/* What a run writes; it ends with this status. */
static void assert_writes(const char *expected, enum status status)
{
    struct errmsg err;

    written[0] = '\0';
    assert_int_equal(bucket_copy_run(copy, NULL, &err), status);
    assert_string_equal(written, expected);
}

static void a_value_is_written_once_however_often_it_comes(void **state)
{
    value("a", "1");
    value("b", "1");
    assert_writes("a=1 b=1 ", ST_OK);
    for (int round = 0; round < 3; round++) {
        value("a", "1");
        value("b", "1");
    }
    assert_writes("", ST_OK);
    value("b", "2");
    assert_writes("b=2 ", ST_OK);
    value("b", "1");
    assert_writes("b=1 ", ST_OK);
}

static void of_one_key_the_newest_value_is_written(void **state)
{
    value("a", "1");
    value("b", "1");
    value("a", "2");
    assert_writes("a=2 b=1 ", ST_OK);
    value("a", "3");
    value("a", "2"); /* as the database has it, but behind another one */
    assert_writes("a=2 ", ST_OK);
}

static void what_could_not_be_written_is_tried_again(void **state)
{
    value("a", "1");
    value("b", "1");
    put_status = ST_DB_DOWN;
    assert_writes("", ST_DB_DOWN);
    value("a", "2");
    put_status = ST_OK;
    assert_writes("b=1 a=2 ", ST_OK);
    assert_writes("", ST_OK);
    value("c", "1");
    put_status = ST_DB_DOWN;
    assert_writes("", ST_DB_DOWN);
    put_status = ST_OK;
    assert_writes("c=1 ", ST_OK); /* also where nothing came meanwhile */
}

static void a_new_connection_may_be_to_another_database(void **state)
{
    value("a", "1");
    assert_writes("a=1 ", ST_OK);
    connections++;
    assert_writes("", ST_OK);
    value("a", "1");
    assert_writes("a=1 ", ST_OK);
}

static void ten_thousand_keys_have_their_places(void **state)
{
    char key[32];
    struct errmsg err;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10000; i++) {
            snprintf(key, sizeof(key), "poll-%d", i);
            value(key, "1");
        }
        if (round == 0)
            assert_int_equal(bucket_copy_run(copy, NULL, &err), ST_OK);
    }
    assert_writes("", ST_OK);
    value("poll-9999", "2");
    assert_writes("poll-9999=2 ", ST_OK);
}

static void an_incomplete_bucket_is_filled_again(void **state)
{
    watch.on_synced(watch.arg, 3);
    assert_writes("", ST_OK);
    assert_int_equal(put_back, 0);
    watch.on_synced(watch.arg, 2);
    assert_writes("", ST_OK);
    assert_int_equal(put_back, 3);
    assert_writes("", ST_OK);
    assert_int_equal(put_back, 3);
}

/* Each would cost the limit of a request, while ballots wait. */
static void a_broker_that_does_not_answer_is_asked_once_a_round(void **state)
{
    bucket_status = ST_BUS_TIMEOUT;
    watch.on_synced(watch.arg, 0);
    assert_writes("", ST_OK);
    assert_int_equal(put_back, 1);
    bucket_status = ST_CONFLICT; /* another worker was faster */
    watch.on_synced(watch.arg, 0);
    assert_writes("", ST_OK);
    assert_int_equal(put_back, 1 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_value_is_written_once_however_often_it_comes, set_up),
        cmocka_unit_test_setup(of_one_key_the_newest_value_is_written, set_up),
        cmocka_unit_test_setup(what_could_not_be_written_is_tried_again, set_up),
        cmocka_unit_test_setup(a_new_connection_may_be_to_another_database, set_up),
        cmocka_unit_test_setup(ten_thousand_keys_have_their_places, set_up),
        cmocka_unit_test_setup(an_incomplete_bucket_is_filled_again, set_up),
        cmocka_unit_test_setup(a_broker_that_does_not_answer_is_asked_once_a_round, set_up),
    };
    return cmocka_run_group_tests_name("bucket_copy", tests, NULL, NULL);
}
