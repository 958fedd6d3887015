/* test_map - a map against a plain array.
 * SPDX-License-Identifier: MIT */
#include "base/map.h"
#include "unit.h"

enum { N = 300, KEY_MAX = 24 };

struct item {
    char key[KEY_MAX];
    size_t len;
    int visits;
};

/* Keys of every length up to KEY_MAX, with NULs in them. */
static void make_items(struct item items[N])
{
    for (int i = 0; i < N; i++) {
        items[i] = (struct item){.len = (size_t)(i % (KEY_MAX - 2)) + 2};
        items[i].key[0] = (char)i;
        items[i].key[1] = (char)(i >> 8);
    }
}

static void an_empty_map_has_nothing(void **state)
{
    struct map map = {NULL, 0, 0};
    size_t cursor = 0;

    assert_null(map_get(&map, "a", 1));
    assert_null(map_remove(&map, "a", 1));
    assert_null(map_next(&map, &cursor));
    map_fini(&map);
}

static void agrees_with_an_array(void **state)
{
    struct map map = {NULL, 0, 0};
    static struct item items[N];
    void *held[N] = {NULL};
    unsigned seed = 3;

    make_items(items);
    for (int step = 0; step < 20000; step++) {
        int at = rand_r(&seed) % N, range = step / 1000 % 2 == 0 ? 3 : 1; /* fills up, then thins out */
        if (rand_r(&seed) % 4 < range) {
            map_put(&map, items[at].key, items[at].len, &items[at]);
            held[at] = &items[at];
        } else {
            assert_ptr_equal(map_remove(&map, items[at].key, items[at].len), held[at]);
            held[at] = NULL;
        }
        at = rand_r(&seed) % N;
        assert_ptr_equal(map_get(&map, items[at].key, items[at].len), held[at]);
    }
    size_t cursor = 0, n = 0, expected = 0;
    while (map_next(&map, &cursor) != NULL)
        n++;
    for (int i = 0; i < N; i++)
        expected += held[i] != NULL;
    assert_int_equal(n, expected);
    assert_int_equal(map.n, expected);
    map_fini(&map);
    assert_int_equal(map.n, 0);
}

static void tells_keys_of_different_lengths_apart(void **state)
{
    struct map map = {NULL, 0, 0};
    int values[3];

    map_put(&map, "ab", 1, &values[0]);
    map_put(&map, "ab", 2, &values[1]);
    map_put(&map, "ab", 3, &values[2]); /* with its NUL */
    assert_ptr_equal(map_get(&map, "a", 1), &values[0]);
    assert_ptr_equal(map_get_text(&map, "ab"), &values[1]);
    assert_ptr_equal(map_get(&map, "ab", 3), &values[2]);
    assert_int_equal(map.n, 3);
    map_fini(&map);
}

/* The value that brought the old bytes may be freed. */
static void the_newest_value_brings_the_key(void **state)
{
    struct map map = {NULL, 0, 0};
    char first[] = "key", second[] = "key";

    map_put_text(&map, first, first);
    map_put_text(&map, second, second);
    memset(first, 'x', sizeof(first));
    assert_ptr_equal(map_get_text(&map, "key"), second);
    assert_ptr_equal(map_remove_text(&map, "key"), second);
    assert_int_equal(map.n, 0);
    map_fini(&map);
}

static void removing_on_the_way_passes_over_none(void **state)
{
    struct map map = {NULL, 0, 0};
    static struct item items[N];
    size_t cursor = 0;

    make_items(items);
    for (int i = 0; i < N; i++)
        map_put(&map, items[i].key, items[i].len, &items[i]);
    for (struct item *item; (item = map_next(&map, &cursor)) != NULL;) {
        item->visits++;
        if ((item - items) % 3 != 0) {
            map_remove(&map, item->key, item->len);
            cursor--;
        }
    }
    for (int i = 0; i < N; i++)
        CHECK_ROW(items[i].visits >= 1, "%d", i);
    assert_int_equal(map.n, N / 3);
    map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(tells_keys_of_different_lengths_apart),
        cmocka_unit_test(the_newest_value_brings_the_key),
        cmocka_unit_test(removing_on_the_way_passes_over_none),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
