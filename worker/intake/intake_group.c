/* intake_group - membership in the queue group, gaps that the broker left, readiness.
 * SPDX-License-Identifier: MIT */
#include "intake/intake_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include <stdio.h>
#include <string.h>

#define GAPS_MAX DELIVERIES_MAX /* closed in one look */
#define LOOK_MS 2000            /* how often the consumer is looked at: it may be gone so long */
#define LEAVE_DELAY_MS 100      /* what is given back comes again after that, and so not to us, while we still leave */

/* --- the queue group */

void intake_leave(struct intake *intake)
{
    struct delivery delivery;
    struct errmsg err;

    if (intake->subscription == NULL)
        return;
    /* What is here and unread goes to the other workers. */
    while (bus_next(intake->subscription, 0, &delivery, &err) == ST_OK) {
        (void)!delivery_nak(intake->options.bus, &delivery, LEAVE_DELAY_MS);
        delivery_free(&delivery);
    }
    bus_subscription_close(intake->subscription);
    intake->subscription = NULL;
}

/* What the database knows of the stream: its epoch, and the marks up to its floor. */
static enum status read_books(struct intake *intake, const struct bus_stream_info *stream, struct errmsg *err)
{
    enum status st = ballot_store_register_epoch(intake->store, stream->created_ns, &intake->epoch, err);

    atomic_store(&intake->database, st);
    return st == ST_OK ? ballot_store_read_marks(intake->store, intake->epoch, &intake->marked, err) : st;
}

/* One that was deleted is made again, from behind the floor of the database: what was delivered and not stored comes
 * again, what comes twice is known. Several workers may do this at once, with floors of their own; the first one's
 * stays. */
static enum status find_consumer(struct intake *intake, struct bus_consumer_info *consumer, struct errmsg *err)
{
    struct bus *bus = intake->options.bus;
    enum status st = bus_consumer_info(bus, consumer, err);

    if (st != ST_NOT_FOUND)
        return st;
    st = bus_restore_consumer(bus, intake->marked + 1, err);
    if (st == ST_OK)
        log_warn("the workers' consumer was missing; it is made again", LOG_I("from", intake->marked + 1));
    return st == ST_OK || st == ST_CONFLICT ? bus_consumer_info(bus, consumer, err) : st;
}

/* Stream and consumer must belong to one incarnation: the stream is asked before and after. */
static enum status find_stream(struct intake *intake, struct bus_stream_info *stream,
                               struct bus_consumer_info *consumer, struct errmsg *err)
{
    struct bus_stream_info again;
    enum status st = bus_stream_info(intake->options.bus, stream, err);

    atomic_store(&intake->consumer, st);
    if (st != ST_OK)
        return st;
    st = read_books(intake, stream, err);
    if (st != ST_OK)
        return st;
    st = find_consumer(intake, consumer, err);
    if (st == ST_OK)
        st = bus_stream_info(intake->options.bus, &again, err);
    if (st == ST_OK && again.created_ns != stream->created_ns)
        st = fail(err, ST_NOT_FOUND, "the stream was made anew just now");
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
    intake->next_look_ms = clock_mono_ms() + LOOK_MS;
    log_info("joined the workers", LOG_S("deliver_subject", intake->deliver_subject), LOG_I("epoch", intake->epoch),
             LOG_I("slot", ballot_store_slot(intake->store)));
    return ST_OK;
}

/* --- looking after the consumer */

static void look_at_progress(struct intake *intake, const struct bus_consumer_info *consumer, int64_t now)
{
    bool has_work = consumer->pending > 0 || consumer->ack_pending > 0;

    if (!has_work || consumer->ack_floor != intake->last_floor)
        intake->last_progress_ms = now;
    intake->last_floor = consumer->ack_floor;
    atomic_store(&intake->stalled, now - intake->last_progress_ms > intake->options.stall_ms);
    metric_set(intake->backlog, (int64_t)consumer->pending + consumer->ack_pending);
}

/* Messages that the broker believes acknowledged and nobody stored: nats-server 2.10 loses track of some when the last
 * worker leaves under load, and a restored or unsynced broker may have forgotten more. Acknowledgements follow COMMIT,
 * so whatever is missing up to the acknowledged floor was never stored; the stream still has it. Any number of workers
 * may do this at once. */
static enum status close_gaps(struct intake *intake, uint64_t ack_floor, struct errmsg *err)
{
    uint64_t missing[GAPS_MAX];
    size_t n;
    enum status st = ballot_store_find_missing(intake->store, intake->epoch, ack_floor, missing, GAPS_MAX, &n, err);

    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct item *item = &intake->items[intake->n];
        st = bus_fetch_message(intake->options.bus, missing[i], &item->delivery, err);
        if (st == ST_NOT_FOUND) {
            log_error("a message left the stream before it was stored", LOG_I("sequence", missing[i]));
            item->delivery.stored_at_ns = clock_wall_ms() * 1000000; /* nobody knows: not a lag of 50 years */
            item->batch = (struct ballot_batch){.n_ballots = 0};
            item->is_dead = true;
            intake->n++;
            st = ST_OK;
        } else if (st == ST_OK && intake_prepare(intake, item)) {
            intake->n++;
        } else {
            delivery_free(&item->delivery);
        }
    }
    if (st == ST_OK && intake->n > 0) {
        log_warn("the broker forgot messages; they are stored from the stream", LOG_I("messages", intake->n),
                 LOG_I("first", missing[0]));
        st = intake_store(intake, err);
    }
    if (n == GAPS_MAX) /* there may be many more, as after a database was restored: go on after the next transaction */
        intake->next_look_ms = 0;
    intake_forget(intake);
    return st;
}

/* A vanished consumer is silent to those who listen: ask now and then, and after every reconnection. */
enum status intake_look(struct intake *intake, struct errmsg *err)
{
    struct bus_consumer_info consumer;
    int64_t now = clock_mono_ms();
    unsigned connection = bus_connection_count(intake->options.bus);

    if (now < intake->next_look_ms && connection == intake->connection)
        return ST_OK;
    intake->next_look_ms = now + LOOK_MS;
    intake->connection = connection;
    if (!bus_is_connected(intake->options.bus)) {
        atomic_store(&intake->consumer, ST_BUS_DOWN);
        return ST_OK;
    }
    enum status st = bus_consumer_info(intake->options.bus, &consumer, err);
    atomic_store(&intake->consumer, st);
    if (st == ST_OK)
        look_at_progress(intake, &consumer, now);
    if (st == ST_NOT_FOUND || (st == ST_OK && strcmp(consumer.deliver_subject, intake->deliver_subject) != 0)) {
        log_warn("the consumer is not the one that was joined", LOG_S("error", st == ST_OK ? "" : err->text));
        intake_leave(intake);
        return ST_OK;
    }
    return st == ST_OK ? close_gaps(intake, consumer.ack_floor, err) : ST_OK;
}

/* --- readiness */

bool intake_is_database_ready(void *arg, char detail[128])
{
    struct intake *intake = arg;
    enum status st = (enum status)atomic_load(&intake->database);

    if (st != ST_OK)
        snprintf(detail, 128, "%s", status_text(st));
    return st == ST_OK;
}

bool intake_is_consumer_ready(void *arg, char detail[128])
{
    struct intake *intake = arg;
    enum status st = (enum status)atomic_load(&intake->consumer);

    if (!bus_is_connected(intake->options.bus))
        snprintf(detail, 128, "the broker cannot be reached");
    else if (st == ST_NOT_FOUND)
        snprintf(detail, 128, "the stream is missing or half made; scrutin-setup makes it");
    else if (st != ST_OK)
        snprintf(detail, 128, "%s", status_text(st));
    else if (atomic_load(&intake->stalled))
        snprintf(detail, 128, "the stream holds ballots and nothing was acknowledged for long");
    else
        return true;
    return false;
}
