/* Tests of result-api's downloads: nobody has all of them, and who is refused for want of room gets some.
 * SPDX-License-Identifier: MIT */
#include "export/downloads.h"

#include "unit.h"

static struct address address(const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static enum downloads_answer take(struct downloads *downloads, struct download *download, const char *from,
                                  const char *poll)
{
    const struct address client = address(from);

    *download = (struct download){.next = NULL};
    return downloads_start(downloads, download, &client, poll);
}

static void an_address_has_one_for_each_poll_and_half_of_all(void **state)
{
    struct downloads *downloads = downloads_new(5);
    struct download taken[6];

    assert_int_equal(take(downloads, &taken[0], "192.0.2.1", "a"), DOWNLOADS_STARTED);
    assert_int_equal(take(downloads, &taken[1], "192.0.2.1", "a"), DOWNLOADS_POLL_HAS_ONE);
    assert_int_equal(take(downloads, &taken[1], "192.0.2.1", "b"), DOWNLOADS_STARTED);
    assert_int_equal(take(downloads, &taken[2], "192.0.2.1", "c"), DOWNLOADS_STARTED);
    assert_int_equal(take(downloads, &taken[3], "192.0.2.1", "d"), DOWNLOADS_ADDRESS_HAS_HALF);
    assert_false(downloads_take_refusal(downloads)); /* there was room, but not for this one */
    assert_int_equal(take(downloads, &taken[3], "2001:db8:1::1", "a"), DOWNLOADS_STARTED);
    assert_int_equal(take(downloads, &taken[4], "2001:db8:1::2", "a"), DOWNLOADS_POLL_HAS_ONE); /* the same /64 */
    assert_int_equal(take(downloads, &taken[4], "2001:db8:1:1::1", "a"), DOWNLOADS_STARTED);
    assert_int_equal(take(downloads, &taken[5], "192.0.2.2", "a"), DOWNLOADS_FULL);
    downloads_finish(downloads, &taken[1]);
    assert_int_equal(take(downloads, &taken[5], "192.0.2.2", "a"), DOWNLOADS_STARTED);
    free(downloads);
}

static void who_is_refused_for_want_of_room_leaves_one_wish(void **state)
{
    struct downloads *downloads = downloads_new(1);
    struct download taken, refused;

    assert_int_equal(take(downloads, &taken, "192.0.2.1", "a"), DOWNLOADS_STARTED);
    assert_false(downloads_take_refusal(downloads));
    assert_int_equal(take(downloads, &refused, "192.0.2.2", "a"), DOWNLOADS_FULL);
    assert_int_equal(take(downloads, &refused, "192.0.2.2", "a"), DOWNLOADS_FULL);
    assert_true(downloads_take_refusal(downloads));
    assert_false(downloads_take_refusal(downloads));
    assert_int_equal(take(downloads, &refused, "192.0.2.2", "a"), DOWNLOADS_FULL);
    downloads_finish(downloads, &taken);
    assert_false(downloads_take_refusal(downloads)); /* it was granted by whoever left */
    free(downloads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_one_for_each_poll_and_half_of_all),
        cmocka_unit_test(who_is_refused_for_want_of_room_leaves_one_wish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
