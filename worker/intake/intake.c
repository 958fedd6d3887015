/* intake - receives, stores, acknowledges.
 * SPDX-License-Identifier: MIT */
#include "intake/intake_internal.h"

#include "ballot/batch_read.h"
#include "ballot/ordinal.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "intake/dead_letter.h"
#include "store/poll_copy.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(BUS_SEQUENCE_MAX <= ORDINAL_SEQUENCE_MAX, "every sequence of the stream fits an ordinal");

#define RECEIVE_MS 200 /* waiting for the first delivery; polls and the stop flag are looked at in between */
#define RETRY_MS 500   /* between tries to reach a part that is away; with jitter */
#define RETRIES_MAX 10 /* of a transaction that lost a deadlock */
#define RETRY_TRANSACTION_MS 20
#define NAK_DELAY_MS 1000

struct intake *intake_new(const struct intake_options *options)
{
    struct intake *intake = alloc_items(1, sizeof(*intake));

    intake->options = *options;
    intake->sweep = (struct poll_sweep){
        .bus = options->bus, .unused_ms = options->poll_unused_ms, .forget_ms = options->poll_forget_ms};
    atomic_store(&intake->database, ST_DB_DOWN);
    atomic_store(&intake->consumer, ST_BUS_DOWN);
    intake->stored = metric_counter("ballots_stored_total", "result=\"counted\"",
                                    "Ballots committed, by what became of them.");
    intake->superseded = metric_counter("ballots_stored_total", "result=\"superseded\"",
                                        "Ballots committed, by what became of them.");
    intake->rejected = metric_counter("ballots_stored_total", "result=\"rejected\"",
                                      "Ballots committed, by what became of them.");
    intake->batches_stored = metric_counter("batches_stored_total", "", "Batches applied for the first time.");
    intake->redelivered = metric_counter("batches_known_total", "", "Batches that had been applied before.");
    intake->dead = metric_counter("dead_letters_total", "", "Messages that can never be applied.");
    intake->transactions = metric_counter("transactions_total", "", "Transactions committed.");
    intake->retries = metric_counter("transaction_retries_total", "", "Transactions run again after a lost deadlock.");
    intake->transaction_seconds = metric_histogram_seconds("transaction_duration_seconds", "", "From BEGIN to COMMIT.");
    intake->marks_seconds = metric_histogram_seconds("marks_lookup_duration_seconds", "",
                                                     "Asking the stream for fences and gates before a transaction.");
    intake->lag_seconds = metric_histogram_seconds(
        "ballot_lag_seconds", "", "From the stream taking a batch to its COMMIT, for the oldest of each transaction.");
    intake->backlog = metric_gauge("stream_backlog_messages", "", "Batches in the stream that are not acknowledged.");
    return intake;
}

void intake_stop(struct intake *intake)
{
    atomic_store(&intake->stopping, true);
}

static void pause_ms(int64_t ms)
{
    int64_t jittered = ms / 2 + (int64_t)randombytes_uniform((uint32_t)ms);
    struct timespec pause = {jittered / 1000, jittered % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* --- receiving */

bool intake_prepare(struct intake *intake, struct item *item)
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

/* Gathers what is here, waiting only for the first. Returns ST_NOT_FOUND when nothing came. */
static enum status receive(struct intake *intake, struct errmsg *err)
{
    size_t ballots = 0;
    enum status st = ST_OK;

    while (intake->n < DELIVERIES_MAX && ballots < intake->options.transaction_ballots) {
        struct item *item = &intake->items[intake->n];
        st = bus_next(intake->subscription, intake->n == 0 ? RECEIVE_MS : 0, &item->delivery, err);
        if (st != ST_OK)
            break;
        if (intake_prepare(intake, item)) {
            ballots += item->batch.n_ballots;
            intake->n++;
        } else {
            (void)!delivery_nak(intake->options.bus, &item->delivery, NAK_DELAY_MS);
            delivery_free(&item->delivery);
        }
    }
    return intake->n > 0 ? ST_OK : st;
}

void intake_forget(struct intake *intake)
{
    for (size_t i = 0; i < intake->n; i++) {
        ballot_batch_free(&intake->items[i].batch);
        delivery_free(&intake->items[i].delivery);
    }
    intake->n = 0;
}

/* Answers every delivery, stored or to come again, and frees it. */
static void release(struct intake *intake, bool is_stored)
{
    for (size_t i = 0; i < intake->n; i++) {
        struct item *item = &intake->items[i];
        /* An answer that is lost means a redelivery: harmless. */
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

static enum status store_once(struct intake *intake, struct store_result *result, struct errmsg *err)
{
    struct ballot_store *store = intake->store;

    for (size_t i = 0; i < intake->n; i++)
        intake->batches[i] = (struct store_batch){
            .seq = intake->items[i].delivery.sequence,
            .batch = intake->items[i].is_dead ? NULL : &intake->items[i].batch,
        };
    enum status st = ballot_store_apply(store, intake->epoch, intake->batches, intake->n, result, err);
    if (st == ST_DB_DATA) {
        log_warn("the database refused the batch; looking for the ballots", LOG_S("error", err->text));
        st = ballot_store_apply_rows(store, intake->epoch, intake->batches, intake->n, result, err);
    }
    return st;
}

static enum status store(struct intake *intake, struct store_result *result, struct errmsg *err)
{
    int64_t began = clock_mono_ns();
    enum status st = store_once(intake, result, err);

    for (int i = 0; st == ST_DB_RETRY && i < RETRIES_MAX; i++) {
        log_warn("transaction lost; again", LOG_S("error", err->text));
        metric_add(intake->retries, 1);
        pause_ms(RETRY_TRANSACTION_MS << (i < 6 ? i : 6));
        st = store_once(intake, result, err);
    }
    if (st == ST_OK)
        metric_observe_ns(intake->transaction_seconds, clock_mono_ns() - began);
    atomic_store(&intake->database, st);
    return st;
}

static void count(struct intake *intake, const struct store_result *result)
{
    int64_t oldest = intake->items[0].delivery.stored_at_ns;

    for (size_t i = 1; i < intake->n; i++)
        if (intake->items[i].delivery.stored_at_ns < oldest)
            oldest = intake->items[i].delivery.stored_at_ns;
    metric_observe_ns(intake->lag_seconds, clock_wall_ms() * 1000000 - oldest);
    metric_add(intake->transactions, 1);
    metric_add(intake->batches_stored, result->batches);
    metric_add(intake->redelivered, intake->n - result->batches);
    metric_add(intake->stored, result->counted);
    metric_add(intake->superseded, result->superseded);
    metric_add(intake->rejected, result->rejected);
}

/* result-api looks at these polls soon; a doorbell that is lost is made up for by its periodic look. */
static void ring(struct intake *intake, const struct store_result *result)
{
    struct bytes bytes;
    struct errmsg err;

    if (result->n_polls == 0)
        return;
    wire_encode_tally_changed(result->polls, result->n_polls, &bytes);
    if (bus_publish(intake->options.bus, BUS_SUBJECT_TALLY, bytes.data, bytes.len, &err) != ST_OK)
        log_debug("doorbell not rung", LOG_S("error", err.text));
    free(bytes.data);
}

/* Whether a ballot counts depends on all fences and gates before it, also on those that another worker holds and has
 * not applied: the stream is asked for them, up to the highest sequence at hand. Mostly there are none, and one
 * question says so. */
static enum status complete_marks(struct intake *intake, struct errmsg *err)
{
    uint64_t last = 0;
    enum status st = ST_OK;

    for (size_t i = 0; i < intake->n; i++)
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
    struct store_result result;
    int64_t began = clock_mono_ns();
    enum status st = complete_marks(intake, err);

    metric_observe_ns(intake->marks_seconds, clock_mono_ns() - began);
    if (st == ST_OK)
        st = store(intake, &result, err);
    if (st == ST_OK) {
        count(intake, &result);
        ring(intake, &result);
    }
    return st;
}

/* --- the loop */

/* The store's connection and tables are there; polls and voting codes are copied. */
static enum status ready_database(struct intake *intake, struct errmsg *err)
{
    enum status st = ST_OK;

    if (intake->store == NULL) {
        st = ballot_store_open(&intake->store, intake->options.database_url, "scrutin-worker", err);
        if (st == ST_OK)
            ballot_store_on_unknown_poll(intake->store, poll_copy_fetch, intake->options.bus);
    }
    if (st == ST_OK && intake->subscription == NULL)
        st = ballot_store_ping(intake->store, err);
    if (st == ST_OK)
        st = bucket_copy_run(intake->options.polls, intake->store, err);
    if (st == ST_OK)
        st = bucket_copy_run(intake->options.codes, intake->store, err);
    if (st != ST_OK || intake->subscription == NULL)
        atomic_store(&intake->database, st);
    return st;
}

static enum status turn(struct intake *intake, struct errmsg *err)
{
    enum status st = ready_database(intake, err);

    if (st == ST_OK && intake->subscription == NULL)
        st = intake_join(intake, err);
    if (st != ST_OK)
        return st;
    st = receive(intake, err);
    if (st == ST_OK) {
        st = intake_store(intake, err);
        if (st == ST_OK)
            release(intake, true);
    } else if (st == ST_NOT_FOUND) {
        st = ST_OK; /* nothing came */
    }
    if (st == ST_OK)
        st = poll_sweep_run(&intake->sweep, intake->store, intake->epoch, err);
    return st == ST_OK ? intake_look(intake, err) : st;
}

enum status intake_run(struct intake *intake, struct errmsg *err)
{
    enum status st = ST_OK, logged = ST_OK;

    while (!atomic_load(&intake->stopping)) {
        st = turn(intake, err);
        if (st == ST_EPOCH)
            break;
        if (st != ST_OK) {
            if (st != logged)
                log_warn("cannot go on; trying again", LOG_S("status", status_text(st)), LOG_S("error", err->text));
            release(intake, false);
            intake_leave(intake);
            pause_ms(RETRY_MS);
        }
        logged = st;
    }
    intake_leave(intake);
    ballot_store_close(intake->store);
    intake->store = NULL;
    return st == ST_EPOCH ? st : ST_OK;
}
