/* stream - the life of a subscriber on libh2o's generator: send, proceed, send, …, stop.
 * SPDX-License-Identifier: MIT
 *
 *                  a newer snapshot, or the heartbeat
 *     idle ─────────────────────────────────────────────▶ due
 *       ▲                                                  │ the pump: so many a turn
 *       │ on_proceed, nothing newer                        ▼
 *       └───────────────────────────────────────────── writing ──▶ (deadline) dropped
 *
 * A subscriber lives in its request's pool. libh2o calls on_stop right before it frees that pool, unless the stream
 * ended with a final h2o_send, after which it calls nothing any more. */
#include "live/subscriber.h"

#include "base/clock.h"
#include "base/log.h"
#include "live/feed_internal.h"
#include <sys/socket.h>

/* What the kernel may hold of unread events for one connection: enough for the largest poll, little enough that a
 * subscriber who stopped reading is noticed. */
#define SEND_BUFFER (64 * 1024)
/* A version that is further ahead of our clock was never given out by one of us. */
#define AHEAD_MAX_US INT64_C(60000000)
#define ADDRESS_RETRY_S "10" /* until somebody at the same address may have left */

/* Of its address and of its network; NULL where these have no limit. */
struct places {
    atomic_uint *address, *network;
};

struct subscriber {
    h2o_generator_t super;
    h2o_linklist_t link; /* in idle or due of the channel, or in writing of the feed; unlinked: dropped */
    struct feed *feed;
    struct channel *channel;
    h2o_req_t *req;
    struct snapshot *in_flight; /* a reference to the bytes on their way, or NULL */
    int64_t version;            /* the last one sent, or brought along in Last-Event-ID */
    int64_t since_ms;           /* in its list, monotonic */
    struct access access;
    struct places places;
    bool ending; /* end as soon as the bytes on their way are out */
};

static struct subscriber *subscriber_at(h2o_linklist_t *node)
{
    return H2O_STRUCT_FROM_MEMBER(struct subscriber, link, node);
}

/* --- moving between the lists */

static void move(struct subscriber *subscriber, h2o_linklist_t *list)
{
    if (h2o_linklist_is_linked(&subscriber->link))
        h2o_linklist_unlink(&subscriber->link);
    h2o_linklist_insert(list, &subscriber->link);
    subscriber->since_ms = clock_mono_ms();
}

/* Somebody in the channel is due: the pump has work at the end of this turn. */
static void start_pump(struct feed *feed, struct channel *channel)
{
    if (!h2o_linklist_is_linked(&channel->busy_link))
        h2o_linklist_insert(&feed->busy, &channel->busy_link);
}

static void give_back(const struct places *places)
{
    share_give_back(places->address);
    share_give_back(places->network);
}

static void leave(struct subscriber *subscriber)
{
    if (h2o_linklist_is_linked(&subscriber->link))
        h2o_linklist_unlink(&subscriber->link);
    snapshot_release(subscriber->in_flight);
    subscriber->in_flight = NULL;
    subscriber->channel->subscribers--;
    subscriber->channel->used_ms = clock_mono_ms();
    atomic_fetch_sub(&subscriber->feed->feeds->subscribers, 1);
    give_back(&subscriber->places);
}

/* Ends the stream in order; the subscriber is no more. Not while bytes are on their way. */
static void finish(struct subscriber *subscriber)
{
    h2o_req_t *req = subscriber->req;

    leave(subscriber);
    req->http1_is_persistent = 0;
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

/* --- sending */

static bool may_see(const struct subscriber *subscriber, const struct snapshot *snapshot)
{
    return access_may_see(&subscriber->access, snapshot->poll, snapshot->is_public);
}

/* Sends what comes first, and then the newest snapshot where it is news, or a heartbeat where nothing else is sent. */
static void send_next(struct subscriber *subscriber, h2o_iovec_t first)
{
    struct feeds *feeds = subscriber->feed->feeds;
    struct snapshot *snapshot = subscriber->channel->snapshot;
    h2o_iovec_t bufs[2] = {first};
    size_t n = first.len > 0 ? 1 : 0;

    if (snapshot != NULL && snapshot->version != subscriber->version && may_see(subscriber, snapshot)) {
        subscriber->in_flight = snapshot_retain(snapshot);
        subscriber->version = snapshot->version;
        bufs[n++] = h2o_iovec_init(snapshot->event, snapshot->event_len);
        metric_add(feeds->events, 1);
    } else if (n == 0) {
        bufs[n++] = h2o_iovec_init(H2O_STRLIT(":\n\n"));
        metric_add(feeds->heartbeats, 1);
    }
    move(subscriber, &subscriber->feed->writing);
    h2o_send(subscriber->req, bufs, n, H2O_SEND_STATE_IN_PROGRESS);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct subscriber *subscriber = H2O_STRUCT_FROM_MEMBER(struct subscriber, super, generator);
    struct channel *channel = subscriber->channel;

    snapshot_release(subscriber->in_flight);
    subscriber->in_flight = NULL;
    if (!h2o_linklist_is_linked(&subscriber->link)) /* dropped: its connection is being cut */
        return;
    if (subscriber->ending) {
        finish(subscriber);
    } else if (channel->snapshot != NULL && channel->snapshot->version > subscriber->version) {
        move(subscriber, &channel->due);
        start_pump(subscriber->feed, channel);
    } else {
        move(subscriber, &channel->idle);
    }
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    leave(H2O_STRUCT_FROM_MEMBER(struct subscriber, super, generator));
}

/* Runs between two turns and not from a timer of zero length or a message, because libh2o serves those that start
 * themselves again until there are none left, and the sockets only then. */
void stream_pump(struct feed *feed)
{
    h2o_context_t *context = http_loop_context(feed->loop);

    if (h2o_linklist_is_empty(&feed->busy))
        return;
    for (int i = 0; i < FEED_SENDS_PER_TURN && !h2o_linklist_is_empty(&feed->busy); i++) {
        struct channel *channel = H2O_STRUCT_FROM_MEMBER(struct channel, busy_link, feed->busy.next);
        h2o_linklist_unlink(&channel->busy_link);
        if (!h2o_linklist_is_empty(&channel->due))
            send_next(subscriber_at(channel->due.next), (h2o_iovec_t){NULL, 0});
        if (!h2o_linklist_is_empty(&channel->due)) /* behind the other channels: a large poll starves no small one */
            h2o_linklist_insert(&feed->busy, &channel->busy_link);
    }
    if (!h2o_timeout_is_linked(&feed->wake))
        h2o_timeout_link(context->loop, &context->zero_timeout, &feed->wake);
}

/* --- what happens to the channel */

/* Ends the streams of those who may not see the snapshot; NULL: of all. */
static void end_streams(struct feed *feed, struct channel *channel, const struct snapshot *snapshot)
{
    h2o_linklist_t *lists[] = {&channel->idle, &channel->due, &feed->writing};

    for (size_t i = 0; i < 3; i++) {
        for (h2o_linklist_t *node = lists[i]->next, *next; node != lists[i]; node = next) {
            struct subscriber *subscriber = subscriber_at(node);
            next = node->next;
            if (subscriber->channel != channel || (snapshot != NULL && may_see(subscriber, snapshot)))
                continue;
            if (lists[i] == &feed->writing)
                subscriber->ending = true;
            else
                finish(subscriber);
        }
    }
}

void stream_on_snapshot(struct feed *feed, struct channel *channel)
{
    if (!channel->snapshot->is_public)
        end_streams(feed, channel, channel->snapshot);
    h2o_linklist_insert_list(&channel->due, &channel->idle);
    if (!h2o_linklist_is_empty(&channel->due))
        start_pump(feed, channel);
}

void stream_on_gone(struct feed *feed, struct channel *channel)
{
    end_streams(feed, channel, NULL);
}

void stream_end_all(struct feed *feed)
{
    size_t cursor = 0;

    for (struct channel *channel; (channel = map_next(&feed->channels, &cursor)) != NULL;)
        end_streams(feed, channel, NULL);
}

/* --- deadlines */

/* Cuts the connection, and with a reset, so that the kernel does not go on offering what nobody reads. libh2o then
 * stops every stream of it. */
static void drop(struct subscriber *subscriber)
{
    h2o_conn_t *conn = subscriber->req->conn;
    int fd = h2o_socket_get_fd(conn->callbacks->get_socket(conn));
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    h2o_linklist_unlink(&subscriber->link);
    metric_add(subscriber->feed->feeds->dropped, 1);
    log_debug("subscriber dropped", LOG_S("poll", subscriber->channel->id));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    shutdown(fd, SHUT_RDWR);
}

void stream_on_sweep(struct feed *feed, int64_t now_ms)
{
    const struct feed_options *options = &feed->feeds->options;
    size_t cursor = 0;

    while (!h2o_linklist_is_empty(&feed->writing)) {
        struct subscriber *subscriber = subscriber_at(feed->writing.next);
        if (now_ms - subscriber->since_ms < options->deadline_ms)
            break;
        drop(subscriber);
    }
    for (struct channel *channel; (channel = map_next(&feed->channels, &cursor)) != NULL;) {
        while (!h2o_linklist_is_empty(&channel->idle)) {
            struct subscriber *subscriber = subscriber_at(channel->idle.next);
            if (now_ms - subscriber->since_ms < options->heartbeat_ms)
                break;
            move(subscriber, &channel->due);
            start_pump(feed, channel);
        }
    }
}

/* --- opening */

/* The version in Last-Event-ID, or 0. */
static int64_t read_last_event_id(const struct http_call *call)
{
    h2o_iovec_t header = http_header(call, "last-event-id");
    int64_t version = 0;

    if (header.base == NULL || header.len == 0 || header.len > 18)
        return 0;
    for (size_t i = 0; i < header.len; i++) {
        if (header.base[i] < '0' || header.base[i] > '9')
            return 0;
        version = version * 10 + (header.base[i] - '0');
    }
    return version;
}

/* Takes the places of a new subscriber's address and of its network, or none. */
static bool take_shares(struct feeds *feeds, const struct http_call *call, struct places *places)
{
    const struct address client = http_client_address(call), wide = address_delegation(&client);

    *places = (struct places){NULL, NULL};
    if (feeds->addresses == NULL)
        return true;
    places->address = share_take(feeds->addresses, &client);
    places->network = share_take(feeds->networks, &wide);
    if (places->address != NULL && places->network != NULL)
        return true;
    give_back(places);
    return false;
}

/* Counts a new subscriber. Answers and returns false when there is no room for it. */
static bool take_place(struct http_call *call, struct feeds *feeds, struct places *places)
{
    bool has_share = take_shares(feeds, call, places);

    if (has_share && atomic_fetch_add(&feeds->subscribers, 1) < feeds->options.max_subscribers)
        return true;
    metric_add(feeds->refused, 1);
    if (!has_share) {
        http_add_header(call, "retry-after", ADDRESS_RETRY_S);
        http_problem(call, PROBLEM_TOO_MANY_REQUESTS, NULL,
                     "One address may follow results %u times at once; ask for them now and then instead.",
                     share_max(feeds->addresses));
        return false;
    }
    atomic_fetch_sub(&feeds->subscribers, 1);
    give_back(places);
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Too many follow results here; ask for them now and then instead.");
    return false;
}

static void begin_response(struct http_call *call)
{
    int size = SEND_BUFFER;
    h2o_socket_t *sock = call->req->conn->callbacks->get_socket(call->req->conn);

    setsockopt(h2o_socket_get_fd(sock), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    call->req->res.status = 200;
    call->req->res.reason = "OK";
    http_add_header(call, "content-type", "text/event-stream");
    http_add_header(call, "x-accel-buffering", "no");
    http_add_header(call, "x-content-type-options", "nosniff");
    http_call_is_stream(call);
}

void stream_open(struct http_call *call, const char *id, const struct access *access)
{
    struct feed *feed = feed_of(call->loop);
    struct feeds *feeds = feed->feeds;
    struct places places;

    if (feed->draining) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "This service is stopping; try again in a moment.");
        return;
    }
    if (!take_place(call, feeds, &places))
        return;
    struct channel *channel = feed_channel(feed, id);
    struct subscriber *subscriber = h2o_mem_alloc_pool(&call->req->pool, sizeof(*subscriber));
    *subscriber = (struct subscriber){.super = {on_proceed, on_stop},
                                      .feed = feed,
                                      .channel = channel,
                                      .req = call->req,
                                      .version = read_last_event_id(call),
                                      .access = *access,
                                      .places = places};
    channel->subscribers++;
    int64_t ours = channel->snapshot != NULL ? channel->snapshot->version : 0;
    if (subscriber->version > clock_read_ns(CLOCK_REALTIME) / 1000 + AHEAD_MAX_US)
        subscriber->version = 0;
    else if (subscriber->version > ours) /* it has seen something newer: look, and go above it */
        refresh_queue_mark_above(feeds->queue, id, subscriber->version);
    begin_response(call);
    h2o_start_response(call->req, &subscriber->super);
    if (subscriber->version > ours) { /* nothing older than that before the look; the heartbeat sends what there is */
        h2o_iovec_t preamble = h2o_iovec_init(feeds->preamble, feeds->preamble_len);
        move(subscriber, &feed->writing);
        h2o_send(call->req, &preamble, 1, H2O_SEND_STATE_IN_PROGRESS);
    } else {
        send_next(subscriber, h2o_iovec_init(feeds->preamble, feeds->preamble_len));
    }
}
