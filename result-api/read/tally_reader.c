/* tally_reader - connects again and again, reads, and settles the backlog.
 * SPDX-License-Identifier: MIT */
#include "read/tally_reader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "read/result_db.h"
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

#define GAPS_PER_READ 1000   /* sequences that one read asks for again */
#define RECONNECT_MIN_MS 250 /* between two tries to connect; doubles up to the maximum; random */
#define RECONNECT_MAX_MS 2000

struct tally_reader {
    struct result_db *db;
    struct backlog_reader *backlog_reader;
    int64_t try_at_ms, try_wait_ms; /* monotonic: when to connect again, and how long to wait after that */
    enum status down;               /* the last failure that was logged */
    bool behind;
    uint64_t gaps[GAPS_PER_READ];
    atomic_llong answered_ms; /* monotonic: the database's last answer; 0: none yet */
    pthread_mutex_t lock;     /* guards reason */
    char reason[128];         /* why the database is not ready; "": it is ready */
    struct metric *looks, *failures, *duration, *receipts;
};

/* --- metrics */

static double read_age(void *arg)
{
    int64_t answered = atomic_load(&((struct tally_reader *)arg)->answered_ms);

    return answered == 0 ? -1 : (double)(clock_mono_ms() - answered) / 1000;
}

static double read_backlog(void *arg)
{
    struct backlog_reader *backlog_reader = ((struct tally_reader *)arg)->backlog_reader;
    size_t n = backlog_count(backlog_reader_lock(backlog_reader));

    backlog_reader_unlock(backlog_reader);
    return (double)n;
}

static void open_metrics(struct tally_reader *reader)
{
    reader->looks = metric_counter("result_refreshes_total", "result=\"ok\"",
                                   "Reads of the database by the refresher.");
    reader->failures = metric_counter("result_refreshes_total", "result=\"failed\"",
                                      "Reads of the database by the refresher.");
    reader->duration = metric_histogram_seconds("result_refresh_duration_seconds", "",
                                                "One read of the database by the refresher.");
    reader->receipts = metric_counter("result_receipts_looked_up_total", "", "Receipts looked up, also forged ones.");
    metric_gauge_from("result_backlog_messages", "", "Messages of the stream that may not be applied yet.",
                      read_backlog, reader);
    metric_gauge_from("result_snapshot_age_seconds", "",
                      "Time since the database last answered. Results may be so old. -1: it has not answered yet.",
                      read_age, reader);
}

/* --- connection */

static void set_reason(struct tally_reader *reader, const char *reason)
{
    pthread_mutex_lock(&reader->lock);
    snprintf(reader->reason, sizeof(reader->reason), "%.*s", (int)sizeof(reader->reason) - 1, reason);
    pthread_mutex_unlock(&reader->lock);
}

bool tally_reader_is_ready(struct tally_reader *reader, char detail[128])
{
    pthread_mutex_lock(&reader->lock);
    bool ready = reader->reason[0] == '\0';
    if (!ready)
        memcpy(detail, reader->reason, sizeof(reader->reason));
    pthread_mutex_unlock(&reader->lock);
    return ready;
}

struct tally_reader *tally_reader_new(const char *database_url, struct backlog_reader *backlog_reader)
{
    struct tally_reader *reader = alloc_items(1, sizeof(*reader));

    reader->db = result_db_new(database_url, "result-api", TALLY_READER_ANSWER_MS);
    reader->backlog_reader = backlog_reader;
    reader->try_wait_ms = RECONNECT_MIN_MS;
    pthread_mutex_init(&reader->lock, NULL);
    set_reason(reader, "not connected yet");
    open_metrics(reader);
    return reader;
}

void tally_reader_close(struct tally_reader *reader)
{
    result_db_free(reader->db);
    reader->db = NULL;
}

bool tally_reader_is_connected(const struct tally_reader *reader)
{
    return result_db_is_connected(reader->db);
}

int64_t tally_reader_next_try_ms(const struct tally_reader *reader)
{
    return reader->try_at_ms;
}

static void on_down(struct tally_reader *reader, enum status st, const struct errmsg *err)
{
    int64_t wait = reader->try_wait_ms;

    if (st != reader->down) /* logged once, not after every try */
        log_warn("database not ready", LOG_S("error", err->text));
    reader->down = st;
    set_reason(reader, err->text);
    reader->try_at_ms = clock_mono_ms() + wait / 2 + (int64_t)randombytes_uniform((uint32_t)wait);
    reader->try_wait_ms = wait * 2 < RECONNECT_MAX_MS ? wait * 2 : RECONNECT_MAX_MS;
}

/* Tells the backlog reader up to which message the stream is applied. */
static bool read_floor(struct tally_reader *reader)
{
    struct result_db_epoch epoch;
    struct errmsg err;

    enum status st = result_db_read_epoch(reader->db, &epoch, &err);
    if (st != ST_OK) {
        on_down(reader, st, &err);
        return false;
    }
    backlog_reader_set_epoch(reader->backlog_reader, epoch.epoch, epoch.created_ns, epoch.floor);
    log_info("the database named the newest stream", LOG_I("epoch", epoch.epoch), LOG_I("floor", epoch.floor));
    return true;
}

bool tally_reader_reconnect(struct tally_reader *reader)
{
    struct errmsg err;

    if (result_db_is_connected(reader->db) || clock_mono_ms() < reader->try_at_ms)
        return false;
    enum status st = result_db_connect(reader->db, &err);
    if (st != ST_OK) {
        on_down(reader, st, &err);
        return false;
    }
    if (!read_floor(reader)) /* before the first tally, so that the first result of a final poll is final */
        return false;
    reader->try_wait_ms = RECONNECT_MIN_MS;
    reader->down = ST_OK;
    atomic_store(&reader->answered_ms, clock_mono_ms());
    set_reason(reader, "");
    log_info("database connected");
    return true;
}

/* --- reading */

static void settle_backlog(struct tally_reader *reader, const struct result_db_look *look, int64_t created_ns,
                           backlog_on_change on_applied, void *arg)
{
    struct backlog *backlog = backlog_reader_lock(reader->backlog_reader);
    uint64_t up_to = look->after;

    if (look->n_applied > 0 && look->applied[look->n_applied - 1] > up_to)
        up_to = look->applied[look->n_applied - 1];
    /* If the backlog reader has started over meanwhile, the next read settles the backlog. */
    if (backlog->created_ns == created_ns && backlog->epoch == look->epoch && backlog->examined == look->after)
        backlog_examine(backlog, up_to, look->applied, look->n_applied, on_applied, arg);
    bool newer = look->newest_created_ns > backlog->created_ns;
    backlog_reader_unlock(reader->backlog_reader);
    reader->behind = look->n_applied >= RESULT_DB_APPLIED_MAX;
    if (newer)
        read_floor(reader);
    else if (look->newest_epoch != 0)
        backlog_reader_set_epoch(reader->backlog_reader, look->newest_epoch, look->newest_created_ns, 0);
}

bool tally_reader_read_polls(struct tally_reader *reader, const char *const *ids, struct tally *tallies, size_t n,
                             backlog_on_change on_applied, void *arg)
{
    struct result_db_look look = {.polls = ids, .n_polls = n, .tallies = tallies, .gaps = reader->gaps};
    struct errmsg err;
    int64_t began = clock_mono_ns();

    struct backlog *backlog = backlog_reader_lock(reader->backlog_reader);
    int64_t created_ns = backlog->created_ns;
    look.epoch = backlog->epoch;
    look.after = backlog->examined;
    look.n_gaps = backlog_gaps(backlog, reader->gaps, GAPS_PER_READ);
    backlog_reader_unlock(reader->backlog_reader);

    enum status st = result_db_read_look(reader->db, &look, &err);
    metric_add(st == ST_OK ? reader->looks : reader->failures, 1);
    metric_observe_ns(reader->duration, clock_mono_ns() - began);
    if (st != ST_OK) {
        on_down(reader, st, &err);
        return false;
    }
    atomic_store(&reader->answered_ms, clock_mono_ms());
    settle_backlog(reader, &look, created_ns, on_applied, arg);
    free(look.applied);
    return true;
}

bool tally_reader_is_behind(const struct tally_reader *reader)
{
    return reader->behind;
}

void tally_reader_answer_questions(struct tally_reader *reader, struct receipt_question *questions)
{
    struct errmsg err;
    bool connected = result_db_is_connected(reader->db);
    struct backlog *backlog = backlog_reader_lock(reader->backlog_reader);
    int64_t created_ns = backlog->created_ns;

    backlog_reader_unlock(reader->backlog_reader);
    enum status st = connected ? result_db_find_fates(reader->db, created_ns, questions, &err) : ST_DB_DOWN;

    if (st != ST_OK && connected)
        on_down(reader, st, &err);
    for (struct receipt_question *question = questions; question != NULL; question = question->next)
        if (st == ST_OK)
            metric_add(reader->receipts, 1);
        else
            question->fate = RECEIPT_UNANSWERED;
}
