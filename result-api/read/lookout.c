/* lookout - connecting for ever, looking, settling the backlog.
 * SPDX-License-Identifier: MIT */
#include "read/lookout.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "read/store.h"
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

#define GAPS_PER_LOOK 1000   /* sequences that one look asks for again */
#define RECONNECT_MIN_MS 250 /* between two tries to connect; doubles up to the maximum, with jitter */
#define RECONNECT_MAX_MS 2000

struct lookout {
    struct store *store;
    struct tail *tail;
    int64_t try_at_ms, try_wait_ms; /* monotonic; between tries */
    enum status down;               /* what is wrong, as it was logged */
    bool behind;
    uint64_t gaps[GAPS_PER_LOOK];
    atomic_llong answered_ms; /* monotonic: the database's last answer; 0: none yet */
    pthread_mutex_t lock;     /* reason */
    char reason[128];         /* why the database is not ready; "": it is */
    struct metric *looks, *failures, *duration, *receipts;
};

/* --- metrics */

static double read_age(void *arg)
{
    int64_t answered = atomic_load(&((struct lookout *)arg)->answered_ms);

    return answered == 0 ? -1 : (double)(clock_mono_ms() - answered) / 1000;
}

static double read_backlog(void *arg)
{
    struct tail *tail = ((struct lookout *)arg)->tail;
    size_t n = backlog_count(tail_lock(tail));

    tail_unlock(tail);
    return (double)n;
}

static void open_metrics(struct lookout *lookout)
{
    lookout->looks = metric_counter("result_refreshes_total", "result=\"ok\"", "Looks at the database.");
    lookout->failures = metric_counter("result_refreshes_total", "result=\"failed\"", "Looks at the database.");
    lookout->duration = metric_histogram_seconds("result_refresh_duration_seconds", "", "One look at the database.");
    lookout->receipts = metric_counter("result_receipts_looked_up_total", "", "Receipts looked up, forged ones too.");
    metric_gauge_from("result_backlog_messages", "", "Messages of the stream that are not known to be applied.",
                      read_backlog, lookout);
    metric_gauge_from("result_snapshot_age_seconds", "",
                      "Since the database last answered: what is shown may be so old. -1: it never did.", read_age,
                      lookout);
}

/* --- connection */

static void set_reason(struct lookout *lookout, const char *reason)
{
    pthread_mutex_lock(&lookout->lock);
    snprintf(lookout->reason, sizeof(lookout->reason), "%.*s", (int)sizeof(lookout->reason) - 1, reason);
    pthread_mutex_unlock(&lookout->lock);
}

bool lookout_is_ready(struct lookout *lookout, char detail[128])
{
    pthread_mutex_lock(&lookout->lock);
    bool ready = lookout->reason[0] == '\0';
    if (!ready)
        memcpy(detail, lookout->reason, sizeof(lookout->reason));
    pthread_mutex_unlock(&lookout->lock);
    return ready;
}

struct lookout *lookout_new(const char *database_url, struct tail *tail)
{
    struct lookout *lookout = alloc_items(1, sizeof(*lookout));

    lookout->store = store_new(database_url, "result-api", LOOKOUT_ANSWER_MS);
    lookout->tail = tail;
    lookout->try_wait_ms = RECONNECT_MIN_MS;
    pthread_mutex_init(&lookout->lock, NULL);
    set_reason(lookout, "not connected yet");
    open_metrics(lookout);
    return lookout;
}

void lookout_close(struct lookout *lookout)
{
    store_free(lookout->store);
    lookout->store = NULL;
}

bool lookout_is_connected(const struct lookout *lookout)
{
    return store_is_connected(lookout->store);
}

int64_t lookout_next_try_ms(const struct lookout *lookout)
{
    return lookout->try_at_ms;
}

static void on_down(struct lookout *lookout, enum status st, const struct errmsg *err)
{
    int64_t wait = lookout->try_wait_ms;

    if (st != lookout->down) /* once, and not at every try */
        log_warn("database not ready", LOG_S("error", err->text));
    lookout->down = st;
    set_reason(lookout, err->text);
    lookout->try_at_ms = clock_mono_ms() + wait / 2 + (int64_t)randombytes_uniform((uint32_t)wait);
    lookout->try_wait_ms = wait * 2 < RECONNECT_MAX_MS ? wait * 2 : RECONNECT_MAX_MS;
}

/* Says to the tail where the applied part of the stream ends. */
static bool anchor(struct lookout *lookout)
{
    struct store_epoch epoch;
    struct errmsg err;

    enum status st = store_read_epoch(lookout->store, &epoch, &err);
    if (st != ST_OK) {
        on_down(lookout, st, &err);
        return false;
    }
    tail_set_epoch(lookout->tail, epoch.epoch, epoch.created_ns, epoch.floor);
    log_info("newest stream known to the database", LOG_I("epoch", epoch.epoch), LOG_I("floor", epoch.floor));
    return true;
}

bool lookout_reconnect(struct lookout *lookout)
{
    struct errmsg err;

    if (store_is_connected(lookout->store) || clock_mono_ms() < lookout->try_at_ms)
        return false;
    enum status st = store_connect(lookout->store, &err);
    if (st != ST_OK) {
        on_down(lookout, st, &err);
        return false;
    }
    if (!anchor(lookout)) /* before the first look, so that the first result of a final poll says so */
        return false;
    lookout->try_wait_ms = RECONNECT_MIN_MS;
    lookout->down = ST_OK;
    atomic_store(&lookout->answered_ms, clock_mono_ms());
    set_reason(lookout, "");
    log_info("database connected");
    return true;
}

/* --- looking */

static void settle(struct lookout *lookout, const struct store_look *look, int64_t created_ns,
                   backlog_on_change on_applied, void *arg)
{
    struct backlog *backlog = tail_lock(lookout->tail);
    uint64_t hi = look->after;

    if (look->n_applied > 0 && look->applied[look->n_applied - 1] > hi)
        hi = look->applied[look->n_applied - 1];
    /* Unless the tail has started over meanwhile: then the next look will do. */
    if (backlog->created_ns == created_ns && backlog->epoch == look->epoch && backlog->hi == look->after)
        backlog_examine(backlog, hi, look->applied, look->n_applied, on_applied, arg);
    bool newer = look->newest_created_ns > backlog->created_ns;
    tail_unlock(lookout->tail);
    lookout->behind = look->n_applied >= STORE_APPLIED_MAX;
    if (newer)
        anchor(lookout);
    else if (look->newest_epoch != 0)
        tail_set_epoch(lookout->tail, look->newest_epoch, look->newest_created_ns, 0);
}

bool lookout_read(struct lookout *lookout, const char *const *ids, struct tally *tallies, size_t n,
                  backlog_on_change on_applied, void *arg)
{
    struct store_look look = {.polls = ids, .n_polls = n, .tallies = tallies, .gaps = lookout->gaps};
    struct errmsg err;
    int64_t began = clock_mono_ns();

    struct backlog *backlog = tail_lock(lookout->tail);
    int64_t created_ns = backlog->created_ns;
    look.epoch = backlog->epoch;
    look.after = backlog->hi;
    look.n_gaps = backlog_gaps(backlog, lookout->gaps, GAPS_PER_LOOK);
    tail_unlock(lookout->tail);

    enum status st = store_look(lookout->store, &look, &err);
    metric_add(st == ST_OK ? lookout->looks : lookout->failures, 1);
    metric_observe_ns(lookout->duration, clock_mono_ns() - began);
    if (st != ST_OK) {
        on_down(lookout, st, &err);
        return false;
    }
    atomic_store(&lookout->answered_ms, clock_mono_ms());
    settle(lookout, &look, created_ns, on_applied, arg);
    free(look.applied);
    return true;
}

bool lookout_is_behind(const struct lookout *lookout)
{
    return lookout->behind;
}

void lookout_answer(struct lookout *lookout, struct receipt_question *questions)
{
    struct errmsg err;
    bool connected = store_is_connected(lookout->store);
    struct backlog *backlog = tail_lock(lookout->tail);
    int64_t created_ns = backlog->created_ns;

    tail_unlock(lookout->tail);
    enum status st = connected ? store_answer(lookout->store, created_ns, questions, &err) : ST_DB_DOWN;

    if (st != ST_OK && connected)
        on_down(lookout, st, &err);
    for (struct receipt_question *question = questions; question != NULL; question = question->next)
        if (st == ST_OK)
            metric_add(lookout->receipts, 1);
        else
            question->fate = RECEIPT_UNANSWERED;
}
