/* Tests of code_store against a real server: what the bucket held comes back as it was; of deleted polls nothing stays.
 * SPDX-License-Identifier: MIT */
#include "store/code_store.h"

#include "ballot/wire.h"
#include "scratch_db.h"

#include "unit.h"

static struct errmsg err;

#define assert_ok(call) assert_int_equal(call, ST_OK)

static struct ballot_store *open_store(void)
{
    struct ballot_store *store;

    assert_ok(ballot_store_open(&store, scratch_db_conninfo(), "unit test", &err));
    return store;
}

/* A value of the bucket with one hash. */
static struct bytes value_of(const char *poll, char fill)
{
    uint8_t hash[CODE_HASH];
    struct code_chunk chunk = {.n = 1, .hashes = hash};
    struct bytes bytes;

    memset(hash, fill, sizeof(hash));
    snprintf(chunk.poll, sizeof(chunk.poll), "%s", poll);
    wire_encode_codes(&chunk, &bytes);
    return bytes;
}

static void put(struct ballot_store *store, const char *key, const char *poll, char fill)
{
    struct bytes bytes = value_of(poll, fill);

    assert_ok(code_store_put(store, key, bytes.data, bytes.len, &err));
    free(bytes.data);
}

static void put_deleted_poll(struct ballot_store *store, const char *id)
{
    struct poll *poll = poll_new();

    snprintf(poll->id, sizeof(poll->id), "%s", id);
    poll->title = strdup("T");
    poll->deleted = true;
    poll->updated_at_ms = 1;
    assert_ok(ballot_store_put_poll(store, poll, "x", 1, &err));
    poll_release(poll);
}

/* Writes `key=poll:first byte of the first hash` into a string. */
static void collect(void *arg, const char *key, const void *value, size_t len)
{
    struct code_chunk chunk;
    char *list = arg;

    assert_ok(wire_decode_codes(value, len, &chunk, NULL));
    sprintf(list + strlen(list), "%s=%s:%c ", key, chunk.poll, chunk.hashes[0]);
    free(chunk.memory);
}

static const char *all(struct ballot_store *store)
{
    static char list[500];
    size_t n;

    list[0] = '\0';
    assert_ok(code_store_each(store, collect, list, &err));
    assert_ok(code_store_count(store, &n, &err));
    size_t spaces = 0;
    for (const char *p = list; *p != '\0'; p++)
        spaces += *p == ' ';
    assert_int_equal(n, spaces);
    return list;
}

static void a_key_is_kept_once_as_it_came_first(void **state)
{
    struct ballot_store *store = open_store();

    assert_string_equal(all(store), "");
    put(store, "a.1.0", "a", 'x');
    put(store, "a.1.1", "a", 'y');
    put(store, "a.1.0", "a", 'z');
    put(store, "b.1.0", "b", 'b');
    assert_string_equal(all(store), "a.1.0=a:x a.1.1=a:y b.1.0=b:b ");
    ballot_store_close(store);
}

static void a_deleted_poll_has_none_and_gets_none(void **state)
{
    struct ballot_store *store = open_store();

    put(store, "a.1.0", "a", 'x');
    put(store, "b.1.0", "b", 'b');
    put_deleted_poll(store, "a");
    assert_ok(code_store_drop(store, "a", &err));
    assert_string_equal(all(store), "b.1.0=b:b ");
    put(store, "a.1.0", "a", 'x'); /* the watch of the bucket may be late */
    assert_string_equal(all(store), "b.1.0=b:b ");
    ballot_store_close(store);
}

static void what_is_no_value_is_passed_over(void **state)
{
    struct ballot_store *store = open_store();

    assert_ok(code_store_put(store, "a.1.0", "\xff", 1, &err));
    assert_string_equal(all(store), "");
    ballot_store_close(store);
}

static int reset(void **state)
{
    scratch_db_reset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_key_is_kept_once_as_it_came_first, reset),
        cmocka_unit_test_setup(a_deleted_poll_has_none_and_gets_none, reset),
        cmocka_unit_test_setup(what_is_no_value_is_passed_over, reset),
    };
    if (!scratch_db_open())
        return 77; /* Meson: skipped */
    int failed = cmocka_run_group_tests_name("code_store", tests, NULL, NULL);
    scratch_db_close();
    return failed;
}
