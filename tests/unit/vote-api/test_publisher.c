/* The publisher with a broker of the test's own: what a publication comes to, whatever happens meanwhile.
 * SPDX-License-Identifier: MIT */
#include "ballots/publisher.h"

#include "ballot/wire.h"
#include "base/clock.h"
#include "unit.h"
#include <stdatomic.h>
#include <time.h>

/* --- in the place of the bus */

#define SENT_MAX 16

static atomic_uint connections;
static atomic_bool connected;
static atomic_size_t n_sent;
static struct {
    uint8_t id[BATCH_ID];
    uint64_t token;
} sent[SENT_MAX];
static enum status send_status;
static void (*while_sending)(uint64_t token);
static bus_on_ack on_ack;
static void *on_ack_arg;

bool bus_is_connected(struct bus *bus)
{
    return atomic_load(&connected);
}

unsigned bus_connection_count(struct bus *bus)
{
    return atomic_load(&connections);
}

enum status bus_open_acks(struct bus *bus, bus_on_ack callback, void *arg, struct errmsg *err)
{
    on_ack = callback;
    on_ack_arg = arg;
    return ST_OK;
}

enum status bus_publish_async(struct bus *bus, const char *subject, const uint8_t batch_id[BATCH_ID], uint64_t token,
                              const void *data, size_t len, struct errmsg *err)
{
    size_t at = atomic_load(&n_sent);

    assert_true(at < SENT_MAX);
    memcpy(sent[at].id, batch_id, BATCH_ID);
    sent[at].token = token;
    if (while_sending != NULL)
        while_sending(token);
    atomic_store(&n_sent, at + 1);
    return send_status == ST_OK ? ST_OK : fail(err, send_status, "not sent");
}

/* --- one publication */

static struct publisher *publisher;

struct attempt {
    struct publication publication;
    atomic_int done; /* how often */
};

static void on_done(struct publication *publication)
{
    atomic_fetch_add(&((struct attempt *)publication)->done, 1);
}

static void wait_until(bool (*holds)(void *arg), void *arg)
{
    const struct timespec pause = {0, 1000000};

    for (int i = 0; i < 30000; i++) {
        if (holds(arg))
            return;
        nanosleep(&pause, NULL);
    }
    fail_test("waited in vain");
}

static bool is_done(void *arg)
{
    return atomic_load(&((struct attempt *)arg)->done) > 0;
}

static bool is_sent(void *arg)
{
    return atomic_load(&n_sent) >= *(size_t *)arg;
}

static void wait_sent(size_t n)
{
    wait_until(is_sent, &n);
}

static struct attempt *submitted;

/* Due when nobody waits for it any more. */
static void submit(struct attempt *attempt)
{
    submitted = attempt;
    memset(attempt, 0, sizeof(*attempt));
    attempt->publication.subject = "ballots.batch";
    memset(attempt->publication.id, 7, BATCH_ID);
    attempt->publication.deadline_ms = clock_mono_ms() + 1000000;
    attempt->publication.on_done = on_done;
    publisher_submit(publisher, &attempt->publication);
}

static void ack(size_t at, enum status status, uint64_t sequence)
{
    on_ack(on_ack_arg, sent[at].token, status, sequence, "the broker's reason");
}

static void assert_ends(struct attempt *attempt, enum status status)
{
    wait_until(is_done, attempt);
    assert_int_equal(atomic_load(&attempt->done), 1);
    assert_int_equal(attempt->publication.status, status);
}

/* The publisher's thread goes with the process: all tests share it. */
static int set_up(void **state)
{
    struct errmsg err;

    atomic_store(&n_sent, 0);
    atomic_store(&connections, 1);
    atomic_store(&connected, true);
    send_status = ST_OK;
    while_sending = NULL;
    return publisher != NULL || publisher_open(NULL, &publisher, &err) == ST_OK ? 0 : -1;
}

/* --- what it comes to */

static void an_acknowledgement_has_the_sequence(void **state)
{
    struct attempt attempt;

    submit(&attempt);
    wait_sent(1);
    ack(0, ST_OK, 42);
    assert_ends(&attempt, ST_OK);
    assert_int_equal(attempt.publication.sequence, 42);
    ack(0, ST_OK, 43); /* a second one is nobody's */
    assert_int_equal(atomic_load(&attempt.done), 1);
}

static void a_refusal_has_the_reason(void **state)
{
    struct attempt attempt;

    submit(&attempt);
    wait_sent(1);
    ack(0, ST_BUS_REFUSED, 0);
    assert_ends(&attempt, ST_BUS_REFUSED);
    assert_string_equal(attempt.publication.err.text, "the broker's reason");
}

static void without_a_connection_it_waits_until_its_deadline(void **state)
{
    struct attempt attempt;

    atomic_store(&connected, false);
    submit(&attempt);
    struct attempt late = {.publication = {.subject = "ballots.batch", .on_done = on_done}};
    publisher_submit(publisher, &late.publication);
    assert_ends(&late, ST_BUS_DOWN);
    assert_int_equal(atomic_load(&n_sent), 0);
    atomic_store(&connected, true);
    wait_sent(1);
    ack(0, ST_OK, 42);
    assert_ends(&attempt, ST_OK);
}

/* The publication is the publisher's, but its thread is here. */
static void let_it_be_due(uint64_t token)
{
    submitted->publication.deadline_ms = clock_mono_ms();
}

static void without_an_acknowledgement_its_fate_is_unknown(void **state)
{
    struct attempt attempt;

    while_sending = let_it_be_due;
    submit(&attempt);
    assert_ends(&attempt, ST_BUS_TIMEOUT);
    ack(0, ST_OK, 42); /* the publication is the caller's again */
    assert_int_equal(attempt.publication.status, ST_BUS_TIMEOUT);
}

static void on_the_next_connection_it_is_sent_again_with_its_id(void **state)
{
    struct attempt attempt;

    submit(&attempt);
    wait_sent(1);
    atomic_store(&connections, 2);
    wait_sent(2);
    assert_memory_equal(sent[0].id, sent[1].id, BATCH_ID);
    assert_int_equal(sent[0].token, sent[1].token);
    ack(1, ST_OK, 42);
    assert_ends(&attempt, ST_OK);
}

static void ack_at_once(uint64_t token)
{
    on_ack(on_ack_arg, token, ST_OK, 42, "");
}

static void an_acknowledgement_may_come_before_sending_is_back(void **state)
{
    struct attempt attempt;

    while_sending = ack_at_once;
    submit(&attempt);
    assert_ends(&attempt, ST_OK);
}

/* --- the deadline while it is being sent */

/* As when the process was stopped between a look at the clock and the write. */
static void ack_too_late(uint64_t token)
{
    submitted->publication.deadline_ms = clock_mono_ms() - BUS_WRITE_DEADLINE_MS - 1;
    on_ack(on_ack_arg, token, ST_OK, 42, "");
}

static void an_acknowledgement_that_may_be_behind_the_fence_does_not(void **state)
{
    struct attempt attempt;

    while_sending = ack_too_late;
    submit(&attempt);
    assert_ends(&attempt, ST_BUS_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_acknowledgement_has_the_sequence, set_up),
        cmocka_unit_test_setup(a_refusal_has_the_reason, set_up),
        cmocka_unit_test_setup(without_a_connection_it_waits_until_its_deadline, set_up),
        cmocka_unit_test_setup(without_an_acknowledgement_its_fate_is_unknown, set_up),
        cmocka_unit_test_setup(on_the_next_connection_it_is_sent_again_with_its_id, set_up),
        cmocka_unit_test_setup(an_acknowledgement_may_come_before_sending_is_back, set_up),
        cmocka_unit_test_setup(an_acknowledgement_that_may_be_behind_the_fence_does_not, set_up),
    };

    return cmocka_run_group_tests_name("publisher", tests, NULL, NULL);
}
