/* intake_transaction - one transaction: receives and decodes deliveries, stores them, answers the broker.
 * SPDX-License-Identifier: MIT */
#include "intake/intake_internal.h"

#include "ballot/batch_read.h"
#include "ballot/ordinal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "intake/dead_letter.h"
#include <sodium.h>
#include <stdlib.h>

_Static_assert(BUS_SEQUENCE_MAX <= ORDINAL_SEQUENCE_MAX, "every sequence of the stream fits an ordinal");

#define RECEIVE_MS 200 /* wait for the first delivery; then the loop looks at buckets and the stop flag */
#define RETRIES_MAX 10 /* of a transaction after deadlocks and serialization failures */
#define RETRY_TRANSACTION_MS 20
#define NAK_DELAY_MS 1000

void intake_pause(int64_t ms)
{
    int64_t jittered = ms / 2 + (int64_t)randombytes_uniform((uint32_t)ms);
    struct timespec pause = {jittered / 1000, jittered % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* --- deliveries */

bool intake_decode(struct intake *intake, struct intake_item *item)
{
    struct errmsg reason, err;
    enum status st = batch_read(item->delivery.data, item->delivery.len, delivery_is_mark(&item->delivery),
                                &item->batch, &reason);

    item->is_dead = false;
    if (st == ST_OK)
        return true;
    st = dead_letter_publish(intake->options.bus, intake->created_ns, &item->delivery, reason.text, &err);
    if (st != ST_OK) {
        log_warn("dead letter not published", LOG_I("sequence", item->delivery.sequence), LOG_S("error", err.text));
        return false;
    }
    log_warn("message moved to the dead letters", LOG_I("sequence", item->delivery.sequence),
             LOG_S("subject", item->delivery.subject), LOG_S("reason", reason.text));
    metric_add(intake->dead, 1);
    item->is_dead = true;
    return true;
}

enum status intake_receive(struct intake *intake, struct errmsg *err)
{
    size_t ballots = 0;
    enum status st = ST_OK;

    while (intake->n_items < INTAKE_ITEMS_MAX && ballots < intake->options.transaction_ballots) {
        struct intake_item *item = &intake->items[intake->n_items];
        st = bus_next(intake->subscription, intake->n_items == 0 ? RECEIVE_MS : 0, &item->delivery, err);
        if (st != ST_OK)
            break;
        if (intake_decode(intake, item)) {
            ballots += item->batch.n_ballots;
            intake->n_items++;
        } else {
            (void)!delivery_nak(intake->options.bus, &item->delivery, NAK_DELAY_MS);
            delivery_free(&item->delivery);
        }
    }
    return intake->n_items > 0 ? ST_OK : st;
}

void intake_forget(struct intake *intake)
{
    for (size_t i = 0; i < intake->n_items; i++) {
        ballot_batch_free(&intake->items[i].batch);
        delivery_free(&intake->items[i].delivery);
    }
    intake->n_items = 0;
}

void intake_release(struct intake *intake, bool is_stored)
{
    for (size_t i = 0; i < intake->n_items; i++) {
        struct intake_item *item = &intake->items[i];
        /* If an answer is lost, the broker delivers the message again, which changes nothing. */
        if (!is_stored)
            (void)!delivery_nak(intake->options.bus, &item->delivery, NAK_DELAY_MS);
        else if (item->is_dead)
            (void)!delivery_term(intake->options.bus, &item->delivery);
        else
            (void)!delivery_ack(intake->options.bus, &item->delivery);
    }
    intake_forget(intake);
}

/* --- storing */

static enum status apply_once(struct intake *intake, struct apply_result *result, struct errmsg *err)
{
    for (size_t i = 0; i < intake->n_items; i++)
        intake->batches[i] = (struct stream_batch){
            .seq = intake->items[i].delivery.sequence,
            .batch = intake->items[i].is_dead ? NULL : &intake->items[i].batch,
        };
    enum status st = ballot_store_apply(intake->store, intake->epoch, intake->batches, intake->n_items, result, err);
    if (st == ST_DB_DATA) {
        log_warn("the database refused a ballot; finding out which one", LOG_S("error", err->text));
        st = ballot_store_apply_rows(intake->store, intake->epoch, intake->batches, intake->n_items, result, err);
    }
    return st;
}

static enum status apply_with_retries(struct intake *intake, struct apply_result *result, struct errmsg *err)
{
    int64_t began = clock_mono_ns();
    enum status st = apply_once(intake, result, err);

    for (int i = 0; st == ST_DB_RETRY && i < RETRIES_MAX; i++) {
        log_warn("transaction failed; running it again", LOG_S("error", err->text));
        metric_add(intake->retries, 1);
        intake_pause(RETRY_TRANSACTION_MS << (i < 6 ? i : 6));
        st = apply_once(intake, result, err);
    }
    if (st == ST_OK)
        metric_observe_ns(intake->transaction_seconds, clock_mono_ns() - began);
    atomic_store(&intake->database, st);
    return st;
}

static void count_result(struct intake *intake, const struct apply_result *result)
{
    int64_t oldest = intake->items[0].delivery.stored_at_ns;

    for (size_t i = 1; i < intake->n_items; i++)
        if (intake->items[i].delivery.stored_at_ns < oldest)
            oldest = intake->items[i].delivery.stored_at_ns;
    metric_observe_ns(intake->lag_seconds, clock_wall_ms() * 1000000 - oldest);
    metric_add(intake->transactions, 1);
    metric_add(intake->batches_stored, result->batches);
    metric_add(intake->redelivered, intake->n_items - result->batches);
    metric_add(intake->counted, result->counted);
    metric_add(intake->superseded, result->superseded);
    metric_add(intake->rejected, result->rejected);
}

/* Tells result-api which polls changed. If the doorbell is lost, its periodic reading finds them. */
static void ring_doorbell(struct intake *intake, const struct apply_result *result)
{
    struct bytes bytes;
    struct errmsg err;

    if (result->n_polls == 0)
        return;
    wire_encode_tally_changed(result->polls, result->n_polls, &bytes);
    if (bus_publish(intake->options.bus, BUS_SUBJECT_TALLY, bytes.data, bytes.len, &err) != ST_OK)
        log_debug("doorbell not published", LOG_S("error", err.text));
    free(bytes.data);
}

/* Whether a ballot counts depends on all fences and gates before it. Another worker may hold some of them and not have
 * applied them yet, so the stream is asked, up to the highest sequence at hand. Usually there are none, and the first
 * answer says so. */
static enum status complete_marks(struct intake *intake, struct errmsg *err)
{
    uint64_t last = 0;
    enum status st = ST_OK;

    for (size_t i = 0; i < intake->n_items; i++)
        if (intake->items[i].delivery.sequence > last)
            last = intake->items[i].delivery.sequence;
    while (intake->marked < last && st == ST_OK) {
        struct delivery delivery;
        struct ballot_batch batch;
        st = bus_fetch_next(intake->options.bus, BUS_SUBJECT_FENCE, intake->marked + 1, &delivery, err);
        if (st == ST_NOT_FOUND) {
            intake->marked = last;
            return ST_OK;
        }
        if (st == ST_OK) {
            if (wire_decode_batch(delivery.data, delivery.len, &batch, NULL) == ST_OK)
                ballot_store_add_mark(intake->store, intake->epoch, delivery.sequence, &batch);
            ballot_batch_free(&batch);
            intake->marked = delivery.sequence;
        }
        delivery_free(&delivery);
    }
    return st;
}

enum status intake_store(struct intake *intake, struct errmsg *err)
{
    struct apply_result result;
    int64_t began = clock_mono_ns();
    enum status st = complete_marks(intake, err);

    metric_observe_ns(intake->marks_seconds, clock_mono_ns() - began);
    if (st == ST_OK)
        st = apply_with_retries(intake, &result, err);
    if (st == ST_OK) {
        count_result(intake, &result);
        ring_doorbell(intake, &result);
    }
    return st;
}
