/* Tests of bus's inboxes: below which name they are. Nobody answers at these addresses, and nobody has to.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include "unit.h"

/* Whether a bus with these addresses has its inboxes below `_INBOX.<name>.`. */
static bool is_below(const char *url, const char *name)
{
    struct bus *bus;
    struct errmsg err;
    char inbox[BUS_INBOX], start[BUS_INBOX];

    assert_int_equal(bus_open(url, "service", &bus, &err), ST_OK);
    bus_new_inbox(bus, inbox);
    bus_close(bus);
    snprintf(start, sizeof(start), "_INBOX.%s.", name);
    return strncmp(inbox, start, strlen(start)) == 0;
}

static void inboxes_are_below_the_users_name(void **state)
{
    assert_true(is_below("nats://worker:password@127.0.0.1:1", "worker"));
    assert_true(is_below("nats://worker:password@127.0.0.1:1,nats://worker:password@127.0.0.1:2", "worker"));
}

static void who_names_no_user_has_them_below_the_services_name(void **state)
{
    assert_true(is_below("nats://127.0.0.1:1", "service"));
    assert_true(is_below("nats://127.0.0.1:1,nats://worker:password@127.0.0.1:2", "service"));
}

/* What stands alone before the host is a token: whoever has it may connect. Subjects stand in logs. */
static void a_token_is_no_name(void **state)
{
    assert_true(is_below("nats://token@127.0.0.1:1", "service"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inboxes_are_below_the_users_name),
        cmocka_unit_test(who_names_no_user_has_them_below_the_services_name),
        cmocka_unit_test(a_token_is_no_name),
    };
    return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
