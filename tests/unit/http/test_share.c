/* test_share - a client never has more places than allowed, and can take a place again that it gave back.
 * SPDX-License-Identifier: MIT */
#include "http/share.h"

#include "unit.h"

static atomic_uint *take(struct share *share, const char *from)
{
    struct address address;

    assert_true(address_parse(from, strlen(from), &address));
    return share_take(share, &address);
}

static void a_client_has_so_many_places_and_no_more(void **state)
{
    struct share *share = share_new(6);
    atomic_uint *places[6];

    for (size_t i = 0; i < COUNT_OF(places); i++)
        assert_non_null(places[i] = take(share, i % 2 == 0 ? "2001:db8::1" : "2001:db8::2")); /* the same /64 */
    assert_null(take(share, "2001:db8::3"));
    assert_null(take(share, "2001:db8::3")); /* a refused client takes no place */
    share_give_back(places[0]);
    assert_non_null(take(share, "2001:db8::3"));
    assert_null(take(share, "2001:db8::1"));
    share_give_back(NULL);
    assert_int_equal(share_max(share), 6);
    free(share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_has_so_many_places_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
