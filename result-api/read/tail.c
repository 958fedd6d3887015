/* tail - follows the stream from one connection to the broker to the next.
 * SPDX-License-Identifier: MIT */
#include "read/tail.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>
#include <unistd.h>

#define TURN_MS 250          /* how soon the thread notices that it should stop or start over */
#define CHECK_MS 2000        /* how often it asks whether the stream is still the same one */
#define FULL_PAUSE_US 100000 /* while the backlog is at its limit */

struct tail {
    struct bus *bus;
    struct board *board;
    pthread_t thread;
    pthread_mutex_t lock; /* backlog */
    struct backlog backlog;
    size_t max_messages;
    atomic_bool stopping;
    atomic_bool start_over;
    atomic_bool following;
};

/* One following of the stream. */
struct course {
    struct bus_subscription *subscription;
    unsigned connection;
    int64_t created_ns;
    int64_t checked_ms;  /* monotonic */
    uint64_t checked_at; /* sequence read when the stream was checked last */
};

struct backlog *tail_lock(struct tail *tail)
{
    pthread_mutex_lock(&tail->lock);
    return &tail->backlog;
}

void tail_unlock(struct tail *tail)
{
    pthread_mutex_unlock(&tail->lock);
}

void tail_set_epoch(struct tail *tail, unsigned epoch, int64_t created_ns, uint64_t floor)
{
    if (backlog_set_epoch(tail_lock(tail), epoch, created_ns, floor))
        atomic_store(&tail->start_over, true);
    tail_unlock(tail);
}

/* Whether `pending` is known is part of every result. */
static void set_caught_up(struct tail *tail, bool caught_up)
{
    struct backlog *backlog = tail_lock(tail);
    bool changed = backlog->caught_up != caught_up;

    backlog_set_caught_up(backlog, caught_up);
    tail_unlock(tail);
    if (changed)
        board_touch_all(tail->board, BOARD_NOW);
}

static void on_pending(void *arg, const char *poll)
{
    board_touch(arg, poll, BOARD_SOON);
}

static void read_delivery(struct tail *tail, const struct delivery *delivery)
{
    struct ballot_batch batch;
    struct errmsg err;
    enum status st = wire_decode_batch(delivery->data, delivery->len, &batch, &err);

    backlog_read(tail_lock(tail), delivery->sequence, st == ST_OK ? &batch : NULL, on_pending, tail->board);
    tail_unlock(tail);
    if (st == ST_OK)
        ballot_batch_free(&batch);
    if (delivery->pending == 0)
        set_caught_up(tail, true);
}

static bool is_full(struct tail *tail)
{
    size_t n = backlog_count(tail_lock(tail));

    tail_unlock(tail);
    return n >= tail->max_messages;
}

/* Whether the stream is still the one that is followed, and the reader still hears of it. While the backlog is full
 * nothing is read on purpose. */
static bool check_stream(struct tail *tail, struct course *course)
{
    struct bus_stream_info info;
    struct errmsg err;
    int64_t now = clock_mono_ms();

    if (now - course->checked_ms < CHECK_MS)
        return true;
    course->checked_ms = now;
    if (bus_stream_info(tail->bus, &info, &err) != ST_OK)
        return false;
    uint64_t read = tail_lock(tail)->read;
    tail_unlock(tail);
    bool deaf = info.last_sequence > read && read == course->checked_at && !is_full(tail) &&
                bus_subscription_waiting(course->subscription) == 0;
    course->checked_at = read;
    if (deaf)
        log_warn("the reader of the stream hears nothing; starting it over", LOG_I("read", read),
                 LOG_I("last", info.last_sequence));
    return info.created_ns == course->created_ns && !deaf;
}

static bool start(struct tail *tail, struct course *course)
{
    struct bus_stream_info info;
    struct errmsg err;

    *course = (struct course){.connection = bus_connection_count(tail->bus), .checked_ms = clock_mono_ms()};
    if (!bus_is_connected(tail->bus) || bus_stream_info(tail->bus, &info, &err) != ST_OK)
        return false;
    atomic_store(&tail->start_over, false);
    struct backlog *backlog = tail_lock(tail);
    bool begun = backlog_start(backlog, info.created_ns, info.first_sequence);
    uint64_t from = backlog->read + 1;
    tail_unlock(tail);
    if (!begun)
        return false;
    enum status st = bus_read_stream(tail->bus, from, &course->subscription, &err);
    if (st != ST_OK) {
        log_warn("the stream cannot be read", LOG_S("error", err.text));
        return false;
    }
    course->created_ns = info.created_ns;
    log_info("reading the stream", LOG_I("from", from), LOG_I("last", info.last_sequence));
    if (from > info.last_sequence)
        set_caught_up(tail, true);
    return true;
}

static void follow(struct tail *tail, struct course *course)
{
    struct delivery delivery;
    struct errmsg err;

    while (!atomic_load(&tail->stopping) && !atomic_load(&tail->start_over) &&
           bus_connection_count(tail->bus) == course->connection && bus_is_connected(tail->bus) &&
           check_stream(tail, course)) {
        if (is_full(tail)) {
            set_caught_up(tail, false);
            usleep(FULL_PAUSE_US);
            continue;
        }
        enum status st = bus_next(course->subscription, TURN_MS, &delivery, &err);
        if (st == ST_NOT_FOUND)
            continue;
        if (st != ST_OK) {
            log_warn("the stream cannot be read on", LOG_S("error", err.text));
            return;
        }
        read_delivery(tail, &delivery);
        delivery_free(&delivery);
    }
}

static void *run(void *arg)
{
    struct tail *tail = arg;
    struct course course;

    while (!atomic_load(&tail->stopping)) {
        if (start(tail, &course)) {
            atomic_store(&tail->following, true);
            follow(tail, &course);
            atomic_store(&tail->following, false);
            bus_subscription_close(course.subscription);
        }
        set_caught_up(tail, false);
        usleep(TURN_MS * 1000);
    }
    return NULL;
}

bool tail_is_following(struct tail *tail)
{
    return atomic_load(&tail->following);
}

enum status tail_open(struct bus *bus, struct board *board, size_t max_messages, struct tail **out, struct errmsg *err)
{
    struct tail *tail = alloc_items(1, sizeof(*tail));

    *out = NULL;
    tail->bus = bus;
    tail->board = board;
    tail->max_messages = max_messages;
    tail->backlog.limit = max_messages;
    pthread_mutex_init(&tail->lock, NULL);
    if (pthread_create(&tail->thread, NULL, run, tail) != 0) {
        free(tail);
        return fail(err, ST_IO, "cannot start a thread");
    }
    *out = tail;
    return ST_OK;
}

void tail_close(struct tail *tail)
{
    if (tail == NULL)
        return;
    atomic_store(&tail->stopping, true);
    pthread_join(tail->thread, NULL);
    backlog_fini(&tail->backlog);
    pthread_mutex_destroy(&tail->lock);
    free(tail);
}
