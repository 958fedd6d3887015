/* intake - the states of the worker's loop, and its readiness.
 * SPDX-License-Identifier: MIT
 *
 *                  database answers               joined the queue group
 *     NO_DATABASE ──────────────────▶ NOT_JOINED ──────────────────────▶ RECEIVING: one transaction a turn
 *         ▲                            │      ▲                           │     │
 *         ├───────── failure ──────────╯      ╰─── another consumer ──────╯     │
 *         ╰───────── failure ───────────────────────────────────────────────────╯
 *
 * A failure gives all deliveries back, leaves the queue group and pauses. intake_stop, or a stream that is older than
 * one that the database knows, leads from every state to ENDED. */
#include "intake/intake_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/poll_copy.h"
#include <assert.h>
#include <stdio.h>

#define RETRY_MS 500 /* pause after a failure */

struct intake *intake_new(const struct intake_options *options)
{
    static const char stored_help[] = "Ballots committed, by result.";
    struct intake *intake = alloc_items(1, sizeof(*intake));

    intake->options = *options;
    intake->sweep = (struct poll_sweep){
        .bus = options->bus, .unused_ms = options->poll_unused_ms, .forget_ms = options->poll_forget_ms};
    atomic_store(&intake->database, ST_DB_DOWN);
    atomic_store(&intake->consumer, ST_BUS_DOWN);
    intake->counted = metric_counter("ballots_stored_total", "result=\"counted\"", stored_help);
    intake->superseded = metric_counter("ballots_stored_total", "result=\"superseded\"", stored_help);
    intake->rejected = metric_counter("ballots_stored_total", "result=\"rejected\"", stored_help);
    intake->batches_stored = metric_counter("batches_stored_total", "", "Batches applied for the first time.");
    intake->redelivered = metric_counter("batches_known_total", "", "Batches delivered again after they were applied.");
    intake->dead = metric_counter("dead_letters_total", "", "Messages that can never be applied.");
    intake->transactions = metric_counter("transactions_total", "", "Transactions committed.");
    intake->retries = metric_counter("transaction_retries_total", "", "Transactions run again after a conflict.");
    intake->transaction_seconds = metric_histogram_seconds("transaction_duration_seconds", "", "From BEGIN to COMMIT.");
    intake->marks_seconds = metric_histogram_seconds("marks_lookup_duration_seconds", "",
                                                     "Reading fences and gates from the stream before a transaction.");
    intake->lag_seconds = metric_histogram_seconds(
        "ballot_lag_seconds", "",
        "From the stream storing a batch to its COMMIT, for the oldest batch of each transaction.");
    intake->backlog = metric_gauge("stream_backlog_messages", "", "Batches in the stream that are not acknowledged.");
    return intake;
}

void intake_stop(struct intake *intake)
{
    atomic_store(&intake->stopping, true);
}

/* --- one turn in each state */

/* Polls and voting codes must be in the database before their ballots. */
static enum status copy_buckets(struct intake *intake, struct errmsg *err)
{
    enum status st = bucket_copy_run(intake->options.polls, intake->store, err);

    return st == ST_OK ? bucket_copy_run(intake->options.codes, intake->store, err) : st;
}

static enum status reach_database(struct intake *intake, struct errmsg *err)
{
    enum status st;

    if (intake->store != NULL) {
        st = ballot_store_ping(intake->store, err);
    } else {
        st = ballot_store_open(&intake->store, intake->options.database_url, "scrutin-worker", err);
        if (st == ST_OK)
            ballot_store_on_unknown_poll(intake->store, poll_copy_fetch, intake->options.bus);
    }
    if (st == ST_OK)
        st = copy_buckets(intake, err);
    atomic_store(&intake->database, st);
    return st;
}

static enum status take_deliveries(struct intake *intake, bool *is_ours, struct errmsg *err)
{
    enum status st = copy_buckets(intake, err);

    *is_ours = true;
    if (st != ST_OK) {
        atomic_store(&intake->database, st);
        return st;
    }
    st = intake_receive(intake, err);
    if (st == ST_OK) {
        st = intake_store(intake, err);
        if (st == ST_OK)
            intake_release(intake, true);
    } else if (st == ST_NOT_FOUND) {
        st = ST_OK; /* nothing came */
    }
    if (st == ST_OK)
        st = poll_sweep_run(&intake->sweep, intake->store, intake->epoch, err);
    return st == ST_OK ? intake_check_consumer(intake, is_ours, err) : st;
}

/* --- the loop */

/* The diagram at the head of this file. */
static enum intake_state next_state(enum intake_state state, enum status st, bool is_ours)
{
    if (st == ST_EPOCH)
        return INTAKE_ENDED;
    if (st != ST_OK)
        return INTAKE_NO_DATABASE;
    switch (state) {
    case INTAKE_NO_DATABASE:
        return INTAKE_NOT_JOINED;
    case INTAKE_NOT_JOINED:
        return INTAKE_RECEIVING;
    case INTAKE_RECEIVING:
        return is_ours ? INTAKE_RECEIVING : INTAKE_NOT_JOINED;
    case INTAKE_ENDED:
        break;
    }
    return INTAKE_ENDED;
}

/* Does what goes with entering a state, and asserts what holds in it. */
static void enter_state(struct intake *intake, enum intake_state state)
{
    if (state != INTAKE_RECEIVING)
        intake_leave(intake);
    intake->state = state;
    assert(intake->n_items == 0);
    assert((intake->subscription != NULL) == (state == INTAKE_RECEIVING));
    assert(intake->store != NULL || state == INTAKE_NO_DATABASE || state == INTAKE_ENDED);
}

static enum status run_state(struct intake *intake, bool *is_ours, struct errmsg *err)
{
    switch (intake->state) {
    case INTAKE_NO_DATABASE:
        return reach_database(intake, err);
    case INTAKE_NOT_JOINED:
        return intake_join(intake, err);
    case INTAKE_RECEIVING:
        return take_deliveries(intake, is_ours, err);
    case INTAKE_ENDED:
        break;
    }
    return ST_OK;
}

enum status intake_run(struct intake *intake, struct errmsg *err)
{
    enum status st = ST_OK, logged = ST_OK;

    while (intake->state != INTAKE_ENDED && !atomic_load(&intake->stopping)) {
        bool is_ours = true;
        st = run_state(intake, &is_ours, err);
        if (st != ST_OK) {
            if (st != logged && st != ST_EPOCH) /* once, not at every try */
                log_warn("waiting to try again", LOG_S("status", status_text(st)), LOG_S("error", err->text));
            intake_release(intake, false);
        }
        if (st != ST_OK || intake->state == INTAKE_RECEIVING)
            logged = st;
        enter_state(intake, next_state(intake->state, st, is_ours));
        if (st != ST_OK && st != ST_EPOCH)
            intake_pause(RETRY_MS);
    }
    enter_state(intake, INTAKE_ENDED);
    ballot_store_close(intake->store);
    intake->store = NULL;
    return st == ST_EPOCH ? st : ST_OK;
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
        snprintf(detail, 128, "the stream is missing or incomplete: run scrutin-setup");
    else if (st != ST_OK)
        snprintf(detail, 128, "%s", status_text(st));
    else if (atomic_load(&intake->stalled))
        snprintf(detail, 128, "the stream holds ballots, but no batch was acknowledged for STALL_S seconds");
    else
        return true;
    return false;
}
