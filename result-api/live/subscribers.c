/* subscribers - the life of a subscriber, as a generator of libh2o: send, proceed, send, …, stop.
 * SPDX-License-Identifier: MIT
 *
 *              a newer snapshot arrives, or a heartbeat is needed
 *     idle ─────────────────────────────────────────────▶ due
 *       ▲                                                  │ subscribers_send_due
 *       │ on_proceed, nothing newer                        ▼
 *       └───────────────────────────────────────────── writing ──▶ (deadline) dropped
 *
 * The memory of a subscriber belongs to the pool of its request. libh2o calls on_stop before it frees that pool. There
 * is one exception: after the final h2o_send of a stream, libh2o calls no function of the generator. */
#include "live/subscribers.h"

#include "base/clock.h"
#include "base/log.h"
#include "live/channel.h"
#include <sys/socket.h>

/* How many bytes of events the kernel may hold for one connection. The largest poll fits. A larger buffer would hide
 * for too long that a subscriber has stopped reading. */
#define SEND_BUFFER (64 * 1024)
#define SENDS_PER_TURN 128 /* then the loop looks at its sockets again: after a millisecond or two */
/* A version that is further ahead of our clock cannot come from one of our result-apis. */
#define AHEAD_MAX_US INT64_C(60000000)
#define ADDRESS_RETRY_S "10" /* by then another subscriber of the same address may have left */

/* The counters where a subscriber is counted; NULL: no limit. */
struct shares {
    atomic_uint *address, *network;
};

struct subscriber {
    h2o_generator_t super;
    h2o_linklist_t link; /* in the channel's idle or due, or in the feed's writing; not linked: dropped */
    struct feed *feed;
    struct channel *channel;
    h2o_req_t *req;
    struct snapshot *in_flight; /* a reference to the snapshot that libh2o is sending, or NULL */
    int64_t version;            /* the last one sent, or the one in Last-Event-ID */
    int64_t since_ms;           /* monotonic: when it came into its list */
    struct viewer viewer;
    struct shares shares;
    bool ending; /* the stream ends when the bytes on their way are sent */
};

static struct subscriber *subscriber_at(h2o_linklist_t *node)
{
    return H2O_STRUCT_FROM_MEMBER(struct subscriber, link, node);
}

/* --- moving between the lists */

static void move_to_list(struct subscriber *subscriber, h2o_linklist_t *list)
{
    if (h2o_linklist_is_linked(&subscriber->link))
        h2o_linklist_unlink(&subscriber->link);
    h2o_linklist_insert(list, &subscriber->link);
    subscriber->since_ms = clock_mono_ms();
}

/* The channel has a subscriber that is due, so the feed has work at the end of this turn. */
static void mark_busy(struct feed *feed, struct channel *channel)
{
    if (!h2o_linklist_is_linked(&channel->busy_link))
        h2o_linklist_insert(&feed->busy, &channel->busy_link);
}

static void give_back_shares(const struct shares *shares)
{
    share_give_back(shares->address);
    share_give_back(shares->network);
}

/* Stops counting the subscriber. Its memory stays until libh2o frees the request. */
static void remove_subscriber(struct subscriber *subscriber)
{
    if (h2o_linklist_is_linked(&subscriber->link))
        h2o_linklist_unlink(&subscriber->link);
    snapshot_release(subscriber->in_flight);
    subscriber->in_flight = NULL;
    subscriber->channel->subscribers--;
    subscriber->channel->used_ms = clock_mono_ms();
    atomic_fetch_sub(&subscriber->feed->feeds->subscribers, 1);
    give_back_shares(&subscriber->shares);
}

/* Ends the stream in good order and removes the subscriber. No bytes may be on their way. */
static void end_stream(struct subscriber *subscriber)
{
    h2o_req_t *req = subscriber->req;

    remove_subscriber(subscriber);
    req->http1_is_persistent = 0;
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

/* --- sending */

static bool may_see(const struct subscriber *subscriber, const struct snapshot *snapshot)
{
    return visibility_allows(&subscriber->viewer, snapshot->poll, snapshot->is_public);
}

/* Sends `first`, if it has bytes, and then the newest snapshot if the subscriber does not have it yet. Sends a
 * heartbeat if there is neither. */
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
    move_to_list(subscriber, &subscriber->feed->writing);
    h2o_send(subscriber->req, bufs, n, H2O_SEND_STATE_IN_PROGRESS);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct subscriber *subscriber = H2O_STRUCT_FROM_MEMBER(struct subscriber, super, generator);
    struct channel *channel = subscriber->channel;

    snapshot_release(subscriber->in_flight);
    subscriber->in_flight = NULL;
    if (!h2o_linklist_is_linked(&subscriber->link)) /* dropped: its connection is being closed */
        return;
    if (subscriber->ending) {
        end_stream(subscriber);
    } else if (channel->snapshot != NULL && channel->snapshot->version > subscriber->version) {
        move_to_list(subscriber, &channel->due);
        mark_busy(subscriber->feed, channel);
    } else {
        move_to_list(subscriber, &channel->idle);
    }
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    remove_subscriber(H2O_STRUCT_FROM_MEMBER(struct subscriber, super, generator));
}

/* This runs between two turns of the loop. A timer of zero length that starts itself again, or a message, would not do:
 * libh2o runs those until none is left, and serves the sockets only then. */
void subscribers_send_due(struct feed *feed)
{
    h2o_context_t *context = http_loop_context(feed->loop);

    if (h2o_linklist_is_empty(&feed->busy))
        return;
    for (int i = 0; i < SENDS_PER_TURN && !h2o_linklist_is_empty(&feed->busy); i++) {
        struct channel *channel = H2O_STRUCT_FROM_MEMBER(struct channel, busy_link, feed->busy.next);
        h2o_linklist_unlink(&channel->busy_link);
        if (!h2o_linklist_is_empty(&channel->due))
            send_next(subscriber_at(channel->due.next), (h2o_iovec_t){NULL, 0});
        if (!h2o_linklist_is_empty(
                &channel->due)) /* behind the other channels, so that a large poll does not delay small ones */
            h2o_linklist_insert(&feed->busy, &channel->busy_link);
    }
    if (!h2o_timeout_is_linked(&feed->wake))
        h2o_timeout_link(context->loop, &context->zero_timeout, &feed->wake);
}

/* --- events of the channel */

/* Ends the channel's streams whose viewers may not see the snapshot. NULL: ends all. */
static void end_hidden_streams(struct feed *feed, struct channel *channel, const struct snapshot *snapshot)
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
                end_stream(subscriber);
        }
    }
}

void subscribers_on_snapshot(struct feed *feed, struct channel *channel)
{
    if (!channel->snapshot->is_public)
        end_hidden_streams(feed, channel, channel->snapshot);
    h2o_linklist_insert_list(&channel->due, &channel->idle);
    if (!h2o_linklist_is_empty(&channel->due))
        mark_busy(feed, channel);
}

void subscribers_on_poll_deleted(struct feed *feed, struct channel *channel)
{
    end_hidden_streams(feed, channel, NULL);
}

void subscribers_end_all(struct feed *feed)
{
    size_t cursor = 0;

    for (struct channel *channel; (channel = map_next(&feed->channels, &cursor)) != NULL;)
        end_hidden_streams(feed, channel, NULL);
}

/* --- deadlines */

/* Resets the connection, so that the kernel does not keep trying to send what nobody reads. libh2o then stops every
 * stream of the connection. */
static void drop_subscriber(struct subscriber *subscriber)
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

void subscribers_on_sweep(struct feed *feed, int64_t now_ms)
{
    const struct feed_options *options = &feed->feeds->options;
    size_t cursor = 0;

    while (!h2o_linklist_is_empty(&feed->writing)) {
        struct subscriber *subscriber = subscriber_at(feed->writing.next);
        if (now_ms - subscriber->since_ms < options->deadline_ms)
            break;
        drop_subscriber(subscriber);
    }
    for (struct channel *channel; (channel = map_next(&feed->channels, &cursor)) != NULL;) {
        while (!h2o_linklist_is_empty(&channel->idle)) {
            struct subscriber *subscriber = subscriber_at(channel->idle.next);
            if (now_ms - subscriber->since_ms < options->heartbeat_ms)
                break;
            move_to_list(subscriber, &channel->due);
            mark_busy(feed, channel);
        }
    }
}

/* --- opening */

/* Returns the version in Last-Event-ID, or 0 if there is none. */
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

/* Counts a new subscriber in the shares of its address and its network. False: one of them is full. */
static bool take_shares(struct feeds *feeds, const struct http_call *call, struct shares *shares)
{
    const struct address client = http_client_address(call), wide = address_of_network(&client);

    *shares = (struct shares){NULL, NULL};
    if (feeds->addresses == NULL)
        return true;
    shares->address = share_take(feeds->addresses, &client);
    shares->network = share_take(feeds->networks, &wide);
    if (shares->address != NULL && shares->network != NULL)
        return true;
    give_back_shares(shares);
    return false;
}

/* Counts a new subscriber. False: there are too many, and the request has been answered. */
static bool add_subscriber_or_refuse(struct http_call *call, struct feeds *feeds, struct shares *shares)
{
    bool has_shares = take_shares(feeds, call, shares);

    if (has_shares && atomic_fetch_add(&feeds->subscribers, 1) < feeds->options.max_subscribers)
        return true;
    metric_add(feeds->refused, 1);
    if (!has_shares) {
        http_add_header(call, "retry-after", ADDRESS_RETRY_S);
        http_problem(call, PROBLEM_TOO_MANY_REQUESTS, NULL,
                     "One address may open %u event streams at once. Ask for the results from time to time instead.",
                     share_max(feeds->addresses));
        return false;
    }
    atomic_fetch_sub(&feeds->subscribers, 1);
    give_back_shares(shares);
    http_problem(call, PROBLEM_OVERLOADED, NULL,
                 "Too many event streams are open. Ask for the results from time to time instead.");
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
    http_call_start_stream(call);
}

void subscribers_answer_stream(struct http_call *call, const char *id, const struct viewer *viewer)
{
    struct feed *feed = feed_of(call->loop);
    struct feeds *feeds = feed->feeds;
    struct shares shares;

    if (feed->draining) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "This service is stopping. Try again in a moment.");
        return;
    }
    if (!add_subscriber_or_refuse(call, feeds, &shares))
        return;
    struct channel *channel = channel_open(feed, id);
    struct subscriber *subscriber = h2o_mem_alloc_pool(&call->req->pool, sizeof(*subscriber));
    *subscriber = (struct subscriber){.super = {on_proceed, on_stop},
                                      .feed = feed,
                                      .channel = channel,
                                      .req = call->req,
                                      .version = read_last_event_id(call),
                                      .viewer = *viewer,
                                      .shares = shares};
    channel->subscribers++;
    int64_t ours = channel->snapshot != NULL ? channel->snapshot->version : 0;
    if (subscriber->version > clock_read_ns(CLOCK_REALTIME) / 1000 + AHEAD_MAX_US)
        subscriber->version = 0;
    else if (subscriber->version > ours) /* it has a newer one: ours must get a version above */
        refresh_queue_mark_above(feeds->queue, id, subscriber->version);
    begin_response(call);
    h2o_start_response(call->req, &subscriber->super);
    /* A subscriber with a newer version gets no snapshot until the refresher has read the poll again. If that does not
     * happen, the first heartbeat brings our snapshot. */
    if (subscriber->version > ours) {
        h2o_iovec_t preamble = h2o_iovec_init(feeds->preamble, feeds->preamble_len);
        move_to_list(subscriber, &feed->writing);
        h2o_send(call->req, &preamble, 1, H2O_SEND_STATE_IN_PROGRESS);
    } else {
        send_next(subscriber, h2o_iovec_init(feeds->preamble, feeds->preamble_len));
    }
}
