/* Tests of result-api's places: nobody has all of them, and who is refused for want of room gets some.
 * SPDX-License-Identifier: MIT */
#include "export/places.h"

#include "unit.h"

static struct address address(const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static enum places_answer take(struct places *places, struct place *place, const char *from, const char *poll)
{
    const struct address client = address(from);

    *place = (struct place){.next = NULL};
    return places_take(places, place, &client, poll);
}

static void an_address_has_one_for_each_poll_and_half_of_all(void **state)
{
    struct places *places = places_new(5);
    struct place taken[6];

    assert_int_equal(take(places, &taken[0], "192.0.2.1", "a"), PLACES_TAKEN);
    assert_int_equal(take(places, &taken[1], "192.0.2.1", "a"), PLACES_POLL_HAS_ONE);
    assert_int_equal(take(places, &taken[1], "192.0.2.1", "b"), PLACES_TAKEN);
    assert_int_equal(take(places, &taken[2], "192.0.2.1", "c"), PLACES_TAKEN);
    assert_int_equal(take(places, &taken[3], "192.0.2.1", "d"), PLACES_ADDRESS_HAS_HALF);
    assert_false(places_grant_wish(places)); /* there was room, but not for this one */
    assert_int_equal(take(places, &taken[3], "2001:db8:1::1", "a"), PLACES_TAKEN);
    assert_int_equal(take(places, &taken[4], "2001:db8:1::2", "a"), PLACES_POLL_HAS_ONE); /* the same /64 */
    assert_int_equal(take(places, &taken[4], "2001:db8:1:1::1", "a"), PLACES_TAKEN);
    assert_int_equal(take(places, &taken[5], "192.0.2.2", "a"), PLACES_FULL);
    places_leave(places, &taken[1]);
    assert_int_equal(take(places, &taken[5], "192.0.2.2", "a"), PLACES_TAKEN);
    free(places);
}

static void who_is_refused_for_want_of_room_leaves_one_wish(void **state)
{
    struct places *places = places_new(1);
    struct place taken, refused;

    assert_int_equal(take(places, &taken, "192.0.2.1", "a"), PLACES_TAKEN);
    assert_false(places_grant_wish(places));
    assert_int_equal(take(places, &refused, "192.0.2.2", "a"), PLACES_FULL);
    assert_int_equal(take(places, &refused, "192.0.2.2", "a"), PLACES_FULL);
    assert_true(places_grant_wish(places));
    assert_false(places_grant_wish(places));
    assert_int_equal(take(places, &refused, "192.0.2.2", "a"), PLACES_FULL);
    places_leave(places, &taken);
    assert_false(places_grant_wish(places)); /* it was granted by whoever left */
    free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_one_for_each_poll_and_half_of_all),
        cmocka_unit_test(who_is_refused_for_want_of_room_leaves_one_wish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
