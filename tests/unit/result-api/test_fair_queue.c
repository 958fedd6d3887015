/* Tests of result-api's fair_queue: clients take turns, even if one of them has many items.
 * SPDX-License-Identifier: MIT */
#include "read/fair_queue.h"

#include "unit.h"

#define MAX 12
#define MAX_OF_ONE 6

static struct fair_item items[64];
static size_t n_items;

/* Adds an item of the client that this letter names. */
static bool add(struct fair_queue *queue, char client)
{
    struct fair_item *item = &items[n_items++];

    assert_true(n_items <= COUNT_OF(items));
    *item = (struct fair_item){.of = {{(uint8_t)client}}};
    return fair_queue_add(queue, item, MAX, MAX_OF_ONE);
}

static void add_all(struct fair_queue *queue, const char *clients)
{
    for (; *clients != '\0'; clients++)
        assert_true(add(queue, *clients));
}

/* Takes n items. Returns the letters of their clients. */
static const char *take(struct fair_queue *queue, size_t n)
{
    static char taken[64];
    size_t len = 0;

    for (const struct fair_item *item; len < n && (item = fair_queue_take(queue)) != NULL;)
        taken[len++] = (char)item->of.bytes[0];
    taken[len] = '\0';
    return taken;
}

static void one_client_is_served_in_the_order_in_which_it_asks(void **state)
{
    struct fair_queue queue = {.first = NULL};

    assert_null(fair_queue_take(&queue));
    add_all(&queue, "aaa");
    const struct fair_item *const first = &items[n_items - 3];
    assert_ptr_equal(fair_queue_take(&queue), first);
    assert_ptr_equal(fair_queue_take(&queue), first + 1);
    add_all(&queue, "a");
    assert_ptr_equal(fair_queue_take(&queue), first + 2);
    assert_ptr_equal(fair_queue_take(&queue), first + 3);
    assert_null(fair_queue_take(&queue));
}

static void a_newcomer_waits_for_one_item_of_each_client(void **state)
{
    struct fair_queue queue = {.first = NULL};

    add_all(&queue, "aaaaaabbbc");
    assert_string_equal(take(&queue, 4), "abca");
    add_all(&queue, "d");
    assert_string_equal(take(&queue, 1), "b"); /* its second item came before the first item of d */
    assert_string_equal(take(&queue, 64), "dabaaa");
}

static void a_client_that_was_served_has_no_advantage_over_a_newcomer(void **state)
{
    struct fair_queue queue = {.first = NULL};

    add_all(&queue, "aa");
    assert_string_equal(take(&queue, 2), "aa");
    add_all(&queue, "bbba");
    assert_string_equal(take(&queue, 64), "babb");
}

static void the_limits_for_all_and_for_one_client_hold(void **state)
{
    struct fair_queue queue = {.first = NULL};

    add_all(&queue, "aaaaaa");
    assert_false(add(&queue, 'a'));
    add_all(&queue, "bbbbbc");
    assert_false(add(&queue, 'c'));
    assert_string_equal(take(&queue, 1), "a");
    add_all(&queue, "a");
    assert_false(add(&queue, 'd'));
    assert_string_equal(take(&queue, 64), "bcababababaa");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_is_served_in_the_order_in_which_it_asks),
        cmocka_unit_test(a_newcomer_waits_for_one_item_of_each_client),
        cmocka_unit_test(a_client_that_was_served_has_no_advantage_over_a_newcomer),
        cmocka_unit_test(the_limits_for_all_and_for_one_client_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
