/* backlog_reader - subscribes to the stream again whenever the connection or the stream is a new one.
 * SPDX-License-Identifier: MIT */
#include "read/backlog_reader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>
#include <unistd.h>

#define TURN_MS 250          /* within this time the thread notices that it must stop or start over */
#define CHECK_MS 2000        /* how often it checks that the stream is still the same */
#define FULL_PAUSE_US 100000 /* while the backlog is at its limit */

struct backlog_reader {
    struct bus *bus;
    struct refresh_queue *queue;
    pthread_t thread;
    pthread_mutex_t lock; /* guards backlog */
    struct backlog backlog;
    size_t max_messages;
    atomic_bool stopping;
    atomic_bool start_over;
    atomic_bool following;
};

/* One subscription to the stream. */
struct subscription_state {
    struct bus_reader *stream;
    unsigned connection;
    int64_t created_ns;
    int64_t checked_ms;  /* monotonic */
    uint64_t checked_at; /* sequence that had been read at the last check */
};

struct backlog *backlog_reader_lock(struct backlog_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    return &reader->backlog;
}

void backlog_reader_unlock(struct backlog_reader *reader)
{
    pthread_mutex_unlock(&reader->lock);
}

void backlog_reader_set_epoch(struct backlog_reader *reader, unsigned epoch, int64_t created_ns, uint64_t floor)
{
    if (backlog_set_epoch(backlog_reader_lock(reader), epoch, created_ns, floor))
        atomic_store(&reader->start_over, true);
    backlog_reader_unlock(reader);
}

/* Every result shows whether the number of pending ballots is known, so all polls must be published again. */
static void set_caught_up(struct backlog_reader *reader, bool caught_up)
{
    struct backlog *backlog = backlog_reader_lock(reader);
    bool changed = backlog->caught_up != caught_up;

    backlog_set_caught_up(backlog, caught_up);
    backlog_reader_unlock(reader);
    if (changed)
        refresh_queue_mark_all(reader->queue, REFRESH_NOW);
}

static void on_pending(void *arg, const char *poll)
{
    refresh_queue_mark(arg, poll, REFRESH_SOON);
}

static void read_delivery(struct backlog_reader *reader, const struct delivery *delivery)
{
    struct ballot_batch batch;
    struct errmsg err;
    enum status st = wire_decode_batch(delivery->data, delivery->len, &batch, &err);

    backlog_read(backlog_reader_lock(reader), delivery->sequence, st == ST_OK ? &batch : NULL, on_pending,
                 reader->queue);
    backlog_reader_unlock(reader);
    if (st == ST_OK)
        ballot_batch_free(&batch);
    if (delivery->pending == 0)
        set_caught_up(reader, true);
}

static bool is_full(struct backlog_reader *reader)
{
    size_t n = backlog_count(backlog_reader_lock(reader));

    backlog_reader_unlock(reader);
    return n >= reader->max_messages;
}

/* Says whether the stream is still the same, and the subscription still gets its messages. While the backlog is full,
 * the reader reads nothing on purpose. */
static bool check_stream(struct backlog_reader *reader, struct subscription_state *state)
{
    struct bus_stream_info info;
    struct errmsg err;
    int64_t now = clock_mono_ms();

    if (now - state->checked_ms < CHECK_MS)
        return true;
    state->checked_ms = now;
    if (bus_stream_info(reader->bus, &info, &err) != ST_OK)
        return false;
    uint64_t read = backlog_reader_lock(reader)->read;
    backlog_reader_unlock(reader);
    bool is_silent = info.last_sequence > read && read == state->checked_at && !is_full(reader) &&
                     bus_reader_waiting(state->stream) == 0;
    state->checked_at = read;
    if (is_silent)
        log_warn("no messages of the stream arrive; subscribing again", LOG_I("read", read),
                 LOG_I("last", info.last_sequence));
    return info.created_ns == state->created_ns && !is_silent;
}

static bool start_reading(struct backlog_reader *reader, struct subscription_state *state)
{
    struct bus_stream_info info;
    struct errmsg err;

    *state = (struct subscription_state){.connection = bus_connection_count(reader->bus),
                                         .checked_ms = clock_mono_ms()};
    if (!bus_is_connected(reader->bus) || bus_stream_info(reader->bus, &info, &err) != ST_OK)
        return false;
    atomic_store(&reader->start_over, false);
    struct backlog *backlog = backlog_reader_lock(reader);
    bool begun = backlog_start(backlog, info.created_ns, info.first_sequence);
    uint64_t from = backlog->read + 1;
    backlog_reader_unlock(reader);
    if (!begun)
        return false;
    enum status st = bus_reader_open(reader->bus, from, &state->stream, &err);
    if (st != ST_OK) {
        log_warn("the stream cannot be read", LOG_S("error", err.text));
        return false;
    }
    state->created_ns = info.created_ns;
    log_info("reading the stream", LOG_I("from", from), LOG_I("last", info.last_sequence));
    if (from > info.last_sequence)
        set_caught_up(reader, true);
    return true;
}

static void read_messages(struct backlog_reader *reader, struct subscription_state *state)
{
    struct delivery delivery;
    struct errmsg err;

    while (!atomic_load(&reader->stopping) && !atomic_load(&reader->start_over) &&
           bus_connection_count(reader->bus) == state->connection && bus_is_connected(reader->bus) &&
           check_stream(reader, state)) {
        if (is_full(reader)) {
            set_caught_up(reader, false);
            usleep(FULL_PAUSE_US);
            continue;
        }
        enum status st = bus_reader_next(state->stream, TURN_MS, &delivery, &err);
        if (st == ST_NOT_FOUND)
            continue;
        if (st != ST_OK) {
            log_warn("reading the stream failed", LOG_S("error", err.text));
            return;
        }
        read_delivery(reader, &delivery);
        delivery_free(&delivery);
    }
}

static void *run_reader(void *arg)
{
    struct backlog_reader *reader = arg;
    struct subscription_state state;

    while (!atomic_load(&reader->stopping)) {
        if (start_reading(reader, &state)) {
            atomic_store(&reader->following, true);
            read_messages(reader, &state);
            atomic_store(&reader->following, false);
            bus_reader_close(state.stream);
        }
        set_caught_up(reader, false);
        usleep(TURN_MS * 1000);
    }
    return NULL;
}

bool backlog_reader_is_following(struct backlog_reader *reader)
{
    return atomic_load(&reader->following);
}

enum status backlog_reader_open(struct bus *bus, struct refresh_queue *queue, size_t max_messages,
                                struct backlog_reader **out, struct errmsg *err)
{
    struct backlog_reader *reader = alloc_items(1, sizeof(*reader));

    *out = NULL;
    reader->bus = bus;
    reader->queue = queue;
    reader->max_messages = max_messages;
    reader->backlog.limit = max_messages;
    pthread_mutex_init(&reader->lock, NULL);
    if (pthread_create(&reader->thread, NULL, run_reader, reader) != 0) {
        free(reader);
        return fail(err, ST_IO, "cannot start a thread");
    }
    *out = reader;
    return ST_OK;
}

void backlog_reader_close(struct backlog_reader *reader)
{
    if (reader == NULL)
        return;
    atomic_store(&reader->stopping, true);
    pthread_join(reader->thread, NULL);
    backlog_fini(&reader->backlog);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}
