/* test_idmap - a table of ids against a plain array.
 * SPDX-License-Identifier: MIT */
#include "read/idmap.h"
#include "unit.h"

enum { N = 300 };

static void an_empty_map_has_nothing(void **state)
{
    struct idmap map = {NULL, 0, 0};
    size_t cursor = 0;

    assert_null(idmap_get(&map, "a"));
    assert_null(idmap_remove(&map, "a"));
    assert_null(idmap_next(&map, &cursor));
    idmap_fini(&map);
}

static void agrees_with_an_array(void **state)
{
    struct idmap map = {NULL, 0, 0};
    int values[N];
    void *held[N] = {NULL};
    unsigned seed = 3;
    char id[POLL_ID_MAX + 1];

    for (int step = 0; step < 20000; step++) {
        int at = rand_r(&seed) % N, range = step / 1000 % 2 == 0 ? 3 : 1; /* fills up, then thins out */
        snprintf(id, sizeof(id), "poll-%d", at);
        if (rand_r(&seed) % 4 < range) {
            idmap_put(&map, id, &values[at]);
            held[at] = &values[at];
        } else {
            assert_ptr_equal(idmap_remove(&map, id), held[at]);
            held[at] = NULL;
        }
        at = rand_r(&seed) % N;
        snprintf(id, sizeof(id), "poll-%d", at);
        assert_ptr_equal(idmap_get(&map, id), held[at]);
    }
    size_t cursor = 0, n = 0, expected = 0;
    while (idmap_next(&map, &cursor) != NULL)
        n++;
    for (int i = 0; i < N; i++)
        expected += held[i] != NULL;
    assert_int_equal(n, expected);
    assert_int_equal(map.used, expected);
    idmap_fini(&map);
}

static void removing_on_the_way_passes_over_none(void **state)
{
    struct idmap map = {NULL, 0, 0};
    static struct value {
        char id[POLL_ID_MAX + 1];
        int visits;
    } values[N];
    size_t cursor = 0;

    for (int i = 0; i < N; i++) {
        snprintf(values[i].id, sizeof(values[i].id), "%d", i);
        idmap_put(&map, values[i].id, &values[i]);
    }
    for (struct value *value; (value = idmap_next(&map, &cursor)) != NULL;) {
        value->visits++;
        if (atoi(value->id) % 3 != 0) {
            idmap_remove(&map, value->id);
            cursor--;
        }
    }
    for (int i = 0; i < N; i++)
        CHECK_ROW(values[i].visits >= 1, "%d", i);
    assert_int_equal(map.used, N / 3);
    idmap_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(removing_on_the_way_passes_over_none),
    };
    return cmocka_run_group_tests_name("idmap", tests, NULL, NULL);
}
