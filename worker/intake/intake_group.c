/* intake_group - membership in the queue group, checks of the consumer, messages that the broker forgot.
 * SPDX-License-Identifier: MIT */
#include "intake/intake_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include <string.h>

#define GAPS_MAX INTAKE_ITEMS_MAX /* messages that one check stores */
#define CHECK_MS 2000             /* between two checks of the consumer */
#define LEAVE_DELAY_MS 100        /* redelivery waits this long, so that it does not come to us while we still leave */

/* --- the queue group */

void intake_leave(struct intake *intake)
{
    struct delivery delivery;
    struct errmsg err;

    if (intake->subscription == NULL)
        return;
    while (bus_next(intake->subscription, 0, &delivery, &err) == ST_OK) {
        (void)!delivery_nak(intake->options.bus, &delivery, LEAVE_DELAY_MS);
        delivery_free(&delivery);
    }
    bus_subscription_close(intake->subscription);
    intake->subscription = NULL;
}

/* Reads from the database the epoch of the stream, and all marks up to the floor. */
static enum status read_marks(struct intake *intake, const struct bus_stream_info *stream, struct errmsg *err)
{
    enum status st = ballot_store_register_epoch(intake->store, stream->created_ns, &intake->epoch, err);

    atomic_store(&intake->database, st);
    return st == ST_OK ? ballot_store_read_marks(intake->store, intake->epoch, &intake->marked, err) : st;
}

/* Creates a consumer that was deleted again, to start behind the floor of the database. Then messages that were
 * delivered and not stored come again; the table of applied batches recognizes the others. If several workers do this
 * at once, the first one's consumer stays. */
static enum status find_consumer(struct intake *intake, struct bus_consumer_info *consumer, struct errmsg *err)
{
    struct bus *bus = intake->options.bus;
    enum status st = bus_consumer_info(bus, consumer, err);

    if (st != ST_NOT_FOUND)
        return st;
    st = bus_restore_consumer(bus, intake->marked + 1, err);
    if (st == ST_OK)
        log_warn("the workers' consumer was missing; created it again", LOG_I("from", intake->marked + 1));
    return st == ST_OK || st == ST_CONFLICT ? bus_consumer_info(bus, consumer, err) : st;
}

/* Stream and consumer must belong together, so the stream is read before and after the consumer. */
static enum status find_stream(struct intake *intake, struct bus_stream_info *stream,
                               struct bus_consumer_info *consumer, struct errmsg *err)
{
    struct bus_stream_info again;
    enum status st = bus_stream_info(intake->options.bus, stream, err);

    atomic_store(&intake->consumer, st);
    if (st != ST_OK)
        return st;
    st = read_marks(intake, stream, err);
    if (st != ST_OK)
        return st;
    st = find_consumer(intake, consumer, err);
    if (st == ST_OK)
        st = bus_stream_info(intake->options.bus, &again, err);
    if (st == ST_OK && again.created_ns != stream->created_ns)
        st = fail(err, ST_NOT_FOUND, "the stream was deleted and created again just now");
    atomic_store(&intake->consumer, st);
    return st;
}

enum status intake_join(struct intake *intake, struct errmsg *err)
{
    struct bus_stream_info stream;
    struct bus_consumer_info consumer;
    enum status st = find_stream(intake, &stream, &consumer, err);

    if (st != ST_OK)
        return st;
    st = bus_join_workers(intake->options.bus, consumer.deliver_subject, &intake->subscription, err);
    if (st != ST_OK)
        return st;
    intake->created_ns = stream.created_ns;
    memcpy(intake->deliver_subject, consumer.deliver_subject, sizeof(intake->deliver_subject));
    intake->connection = bus_connection_count(intake->options.bus);
    intake->last_progress_ms = clock_mono_ms();
    intake->next_check_ms = clock_mono_ms() + CHECK_MS;
    log_info("joined the queue group", LOG_S("deliver_subject", intake->deliver_subject), LOG_I("epoch", intake->epoch),
             LOG_I("slot", ballot_store_slot(intake->store)));
    return ST_OK;
}

/* --- checks of the consumer */

static void note_progress(struct intake *intake, const struct bus_consumer_info *consumer, int64_t now)
{
    bool has_work = consumer->pending > 0 || consumer->ack_pending > 0;

    if (!has_work || consumer->ack_floor != intake->last_floor)
        intake->last_progress_ms = now;
    intake->last_floor = consumer->ack_floor;
    atomic_store(&intake->stalled, now - intake->last_progress_ms > intake->options.stall_ms);
    metric_set(intake->backlog, (int64_t)consumer->pending + consumer->ack_pending);
}

/* Stores messages that the broker counts as acknowledged although no worker stored them. nats-server 2.10 loses track
 * of some when the last worker leaves under load, and a broker that was restored or lost a write may forget more.
 * Workers acknowledge after COMMIT, so a message below the acknowledged floor that the database lacks was never stored,
 * and the stream still has it. Several workers may do this at once. */
static enum status store_forgotten(struct intake *intake, uint64_t ack_floor, struct errmsg *err)
{
    uint64_t missing[GAPS_MAX];
    size_t n;
    enum status st = ballot_store_find_missing(intake->store, intake->epoch, ack_floor, missing, GAPS_MAX, &n, err);

    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct intake_item *item = &intake->items[intake->n_items];
        st = bus_fetch_message(intake->options.bus, missing[i], &item->delivery, err);
        if (st == ST_NOT_FOUND) {
            log_error("a message was removed from the stream before it was stored", LOG_I("sequence", missing[i]));
            item->delivery.stored_at_ns = clock_wall_ms() * 1000000; /* unknown; 0 would count as a lag of 50 years */
            item->batch = (struct ballot_batch){.n_ballots = 0};
            item->is_dead = true;
            intake->n_items++;
            st = ST_OK;
        } else if (st == ST_OK && intake_decode(intake, item)) {
            intake->n_items++;
        } else {
            delivery_free(&item->delivery);
        }
    }
    if (st == ST_OK && intake->n_items > 0) {
        log_warn("the broker forgot messages; storing them from the stream", LOG_I("messages", intake->n_items),
                 LOG_I("first", missing[0]));
        st = intake_store(intake, err);
    }
    if (n == GAPS_MAX) /* there may be many more, as after a database was restored: check again after the next turn */
        intake->next_check_ms = 0;
    intake_forget(intake);
    return st;
}

/* The broker does not tell members that their consumer is gone. */
enum status intake_check_consumer(struct intake *intake, bool *is_ours, struct errmsg *err)
{
    struct bus_consumer_info consumer;
    int64_t now = clock_mono_ms();
    unsigned connection = bus_connection_count(intake->options.bus);

    *is_ours = true;
    if (now < intake->next_check_ms && connection == intake->connection)
        return ST_OK;
    intake->next_check_ms = now + CHECK_MS;
    intake->connection = connection;
    if (!bus_is_connected(intake->options.bus)) {
        atomic_store(&intake->consumer, ST_BUS_DOWN);
        return ST_OK;
    }
    enum status st = bus_consumer_info(intake->options.bus, &consumer, err);
    atomic_store(&intake->consumer, st);
    if (st == ST_OK)
        note_progress(intake, &consumer, now);
    if (st == ST_NOT_FOUND || (st == ST_OK && strcmp(consumer.deliver_subject, intake->deliver_subject) != 0)) {
        log_warn("the consumer was deleted or replaced", LOG_S("error", st == ST_OK ? "" : err->text));
        *is_ours = false;
        return ST_OK;
    }
    return st == ST_OK ? store_forgotten(intake, consumer.ack_floor, err) : ST_OK;
}
