/* Tests of bus's one pure function: what the reply subject of a delivery says (NATS ADR-15).
 * SPDX-License-Identifier: MIT */
#include "bus/bus.h"

#include "unit.h"

static void the_old_form_of_nine_tokens_is_read(void **state)
{
    struct delivery d = {0};
    assert_true(
        delivery_parse_reply("$JS.ACK.BALLOTS.workers.3.1234567.99.1769860800123456789.42", "BALLOTS", "workers", &d));
    assert_int_equal(d.times, 3);
    assert_int_equal(d.sequence, 1234567);
    assert_int_equal(d.stored_at_ns, 1769860800123456789);
    assert_int_equal(d.pending, 42);
}

static void the_new_form_of_eleven_or_twelve_tokens_is_read(void **state)
{
    static const char *const rows[] = {
        "$JS.ACK._.ACCHASH.BALLOTS.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK.hub.ACCHASH.BALLOTS.workers.3.1234567.99.1769860800123456789.42.RANDOM",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct delivery d = {0};
        CHECK_ROW(delivery_parse_reply(rows[i], "BALLOTS", "workers", &d), "%s", rows[i]);
        assert_int_equal(d.times, 3);
        assert_int_equal(d.sequence, 1234567);
        assert_int_equal(d.stored_at_ns, 1769860800123456789);
        assert_int_equal(d.pending, 42);
    }
    struct delivery d = {0}; /* names may look like numbers */
    assert_true(delivery_parse_reply("$JS.ACK._.77.8.9.3.1234567.99.1769860800123456789.42.5", "8", "9", &d));
    assert_int_equal(d.sequence, 1234567);
}

/* Whoever may make a consumer of another stream could have its messages delivered to the workers, with sequences that
 * are not those of ballots. */
static void what_another_stream_or_consumer_delivers_is_no_delivery(void **state)
{
    static const char *const rows[] = {
        "$JS.ACK.KV_polls.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK.BALLOTS.thief.3.1234567.99.1769860800123456789.42",
        "$JS.ACK.BALLOTSX.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK.BALLOT.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK._.ACCHASH.KV_polls.workers.3.1234567.99.1769860800123456789.42",
        "$JS.ACK.BALLOTS.workers.S.c.3.1234567.99.1769860800123456789.42", /* names where a domain stands */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct delivery d = {0};
        CHECK_ROW(!delivery_parse_reply(rows[i], "BALLOTS", "workers", &d), "%s", rows[i]);
    }
    struct delivery d = {0};
    assert_true(delivery_parse_reply("$JS.ACK.KV_polls.Hx7.3.5.99.17.42", "KV_polls", NULL, &d));
    assert_false(delivery_parse_reply("$JS.ACK.BALLOTS.Hx7.3.5.99.17.42", "KV_polls", NULL, &d));
}

static void the_largest_sequence_of_an_ordinal_is_read(void **state)
{
    struct delivery d = {0};
    assert_true(delivery_parse_reply("$JS.ACK.S.c.1.1099511627775.1.1.0", "S", NULL, &d));
    assert_int_equal(d.sequence, 1099511627775);
}

static void anything_else_is_no_delivery(void **state)
{
    static const char *const rows[] = {
        "",
        "$JS.ACK.",
        "$JS.ACK",
        "_INBOX.abc.1",
        "$JS.FC.BALLOTS.workers.1",
        "$JS.ACK.BALLOTS.workers.3.5.99.17",      /* 8 tokens */
        "$JS.ACK.x.BALLOTS.workers.3.5.99.17.42", /* 10 */
        "$JS.ACK.BALLOTS.workers.x.5.99.17.42",   /* no number */
        "$JS.ACK.BALLOTS.workers.3.x5.99.17.42",
        "$JS.ACK.BALLOTS.workers.3.5x.99.17.42",
        "$JS.ACK.BALLOTS.workers.3.-5.99.17.42",
        "$JS.ACK.BALLOTS.workers.3.+5.99.17.42",
        "$JS.ACK.BALLOTS.workers.3. 5.99.17.42",
        "$JS.ACK.BALLOTS.workers.3..99.17.42",
        "$JS.ACK.BALLOTS.workers.3.5.99.17.",
        "$JS.ACK.BALLOTS.workers.3.0.99.17.42", /* sequences start at 1 */
        "$JS.ACK.........",
        "$js.ack.BALLOTS.workers.3.5.99.17.42",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct delivery d = {0};
        CHECK_ROW(!delivery_parse_reply(rows[i], "BALLOTS", "workers", &d), "%s", rows[i]);
    }
    struct delivery d = {0};
    assert_false(delivery_parse_reply(NULL, "BALLOTS", "workers", &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_form_of_nine_tokens_is_read),
        cmocka_unit_test(the_new_form_of_eleven_or_twelve_tokens_is_read),
        cmocka_unit_test(what_another_stream_or_consumer_delivers_is_no_delivery),
        cmocka_unit_test(the_largest_sequence_of_an_ordinal_is_read),
        cmocka_unit_test(anything_else_is_no_delivery),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
