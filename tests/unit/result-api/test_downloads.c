/* Tests of result-api's downloads: one address cannot have all, and a refused client makes a slow one give way.
 * SPDX-License-Identifier: MIT */
#include "export/downloads.h"

#include "unit.h"

static struct address address(const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static enum downloads_answer start_download(struct downloads *downloads, struct download *download, const char *from,
                                            const char *poll)
{
    const struct address client = address(from);

    *download = (struct download){.next = NULL};
    return downloads_start(downloads, download, &client, poll);
}

static void an_address_has_one_for_each_poll_and_half_of_all(void **state)
{
    static struct downloads *downloads; /* lives as long as the process */
    struct download taken[6];

    downloads = downloads_new(5);
    assert_int_equal(start_download(downloads, &taken[0], "192.0.2.1", "a"), DOWNLOADS_STARTED);
    assert_int_equal(start_download(downloads, &taken[1], "192.0.2.1", "a"), DOWNLOADS_POLL_HAS_ONE);
    assert_int_equal(start_download(downloads, &taken[1], "192.0.2.1", "b"), DOWNLOADS_STARTED);
    assert_int_equal(start_download(downloads, &taken[2], "192.0.2.1", "c"), DOWNLOADS_STARTED);
    assert_int_equal(start_download(downloads, &taken[3], "192.0.2.1", "d"), DOWNLOADS_ADDRESS_HAS_HALF);
    assert_false(downloads_take_refusal(downloads)); /* there was room, but not for this address */
    assert_int_equal(start_download(downloads, &taken[3], "2001:db8:1::1", "a"), DOWNLOADS_STARTED);
    assert_int_equal(start_download(downloads, &taken[4], "2001:db8:1::2", "a"),
                     DOWNLOADS_POLL_HAS_ONE); /* the same /64 */
    assert_int_equal(start_download(downloads, &taken[4], "2001:db8:1:1::1", "a"), DOWNLOADS_STARTED);
    assert_int_equal(start_download(downloads, &taken[5], "192.0.2.2", "a"), DOWNLOADS_FULL);
    downloads_finish(downloads, &taken[1]);
    assert_int_equal(start_download(downloads, &taken[5], "192.0.2.2", "a"), DOWNLOADS_STARTED);
}

static void a_client_refused_because_all_are_taken_is_remembered_once(void **state)
{
    static struct downloads *downloads;
    struct download taken, refused;

    downloads = downloads_new(1);
    assert_int_equal(start_download(downloads, &taken, "192.0.2.1", "a"), DOWNLOADS_STARTED);
    assert_false(downloads_take_refusal(downloads));
    assert_int_equal(start_download(downloads, &refused, "192.0.2.2", "a"), DOWNLOADS_FULL);
    assert_int_equal(start_download(downloads, &refused, "192.0.2.2", "a"), DOWNLOADS_FULL);
    assert_true(downloads_take_refusal(downloads));
    assert_false(downloads_take_refusal(downloads));
    assert_int_equal(start_download(downloads, &refused, "192.0.2.2", "a"), DOWNLOADS_FULL);
    downloads_finish(downloads, &taken);
    assert_false(downloads_take_refusal(downloads)); /* the download that ended made room */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_one_for_each_poll_and_half_of_all),
        cmocka_unit_test(a_client_refused_because_all_are_taken_is_remembered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
