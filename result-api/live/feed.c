/* feed - requests that wait for a snapshot, and snapshots that arrive.
 * SPDX-License-Identifier: MIT */
#include "live/feed.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "live/channel.h"
#include "live/subscribers.h"
#include <stdio.h>

#define SWEEP_MS 250 /* how often waiting requests, heartbeats and deadlines are checked */

/* A request that waits for the first snapshot of a poll. */
struct waiter {
    h2o_linklist_t link;
    struct http_ticket *ticket;
    atomic_uint *share; /* of its address */
    void (*answer)(struct http_call *call, struct snapshot *snapshot);
    int64_t until_ms; /* monotonic */
};

/* --- all feeds */

static double read_subscribers(void *arg)
{
    return (double)atomic_load(&((struct feeds *)arg)->subscribers);
}

struct feeds *feeds_new(const struct feed_options *options, struct refresh_queue *queue)
{
    struct feeds *feeds = alloc_items(1, sizeof(*feeds));

    feeds->options = *options;
    feeds->queue = queue;
    if (options->max_subscribers_per_address > 0) {
        const unsigned max = (unsigned)options->max_subscribers_per_address;
        feeds->addresses = share_new(max);
        feeds->networks = share_new(max * HTTP_NETWORK_PERCENT / 100);
    }
    pthread_mutex_init(&feeds->lock, NULL);
    h2o_linklist_init_anchor(&feeds->list);
    feeds->preamble_len = (size_t)snprintf(feeds->preamble, sizeof(feeds->preamble), "retry: %lld\n\n",
                                           (long long)options->retry_ms);
    metric_gauge_from("result_subscribers", "", "Open event streams.", read_subscribers, feeds);
    feeds->events = metric_counter("result_events_sent_total", "", "Snapshots sent to subscribers.");
    feeds->heartbeats = metric_counter("result_heartbeats_sent_total", "", "Heartbeats sent to subscribers.");
    feeds->dropped = metric_counter("result_subscribers_dropped_total", "",
                                    "Subscribers dropped because they did not read their stream.");
    feeds->refused = metric_counter("result_subscribers_refused_total", "", "Subscribers refused because of a limit.");
    return feeds;
}

/* A snapshot on its way to one loop. */
struct arrival {
    struct feed *feed;
    struct snapshot *snapshot; /* a reference; NULL: the poll was deleted */
    char id[POLL_ID_MAX + 1];
};

static void on_arrival(void *arg);

void feeds_publish(struct feeds *feeds, const char *id, struct snapshot *snapshot)
{
    pthread_mutex_lock(&feeds->lock);
    for (h2o_linklist_t *node = feeds->list.next; node != &feeds->list; node = node->next) {
        struct arrival *arrival = alloc_items(1, sizeof(*arrival));
        arrival->feed = H2O_STRUCT_FROM_MEMBER(struct feed, link, node);
        arrival->snapshot = snapshot != NULL ? snapshot_retain(snapshot) : NULL;
        memcpy(arrival->id, id, strlen(id) + 1);
        http_loop_post(arrival->feed->loop, on_arrival, arrival);
    }
    pthread_mutex_unlock(&feeds->lock);
}

/* --- waiting requests */

/* Frees the waiter. Returns its request, or NULL if the client has left. */
static struct http_call *end_wait(struct feed *feed, struct waiter *waiter)
{
    struct http_call *call = waiter->ticket->call;

    h2o_linklist_unlink(&waiter->link);
    http_ticket_free(waiter->ticket);
    share_give_back(waiter->share);
    free(waiter);
    feed->waiting--;
    return call;
}

void feed_answer_with_snapshot(struct http_call *call, const char *id,
                               void (*answer)(struct http_call *call, struct snapshot *snapshot))
{
    struct feed *feed = feed_of(call->loop);
    struct channel *channel = channel_open(feed, id);

    if (channel->snapshot != NULL) {
        answer(call, channel->snapshot);
        return;
    }
    const struct feed_options *options = &feed->feeds->options;
    const struct address client = http_client_address(call);
    atomic_uint *share = feed->waiting < options->max_waiting ? share_take(options->waiting, &client) : NULL;
    if (share == NULL) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
        return;
    }
    struct waiter *waiter = alloc_items(1, sizeof(*waiter));
    waiter->share = share;
    waiter->ticket = http_call_wait(call);
    waiter->answer = answer;
    waiter->until_ms = clock_mono_ms() + options->wait_ms;
    h2o_linklist_insert(&channel->waiters, &waiter->link);
    feed->waiting++;
}

/* Answers all waiting requests, with 404 if the channel has no snapshot because the poll was deleted. */
static void answer_waiters(struct feed *feed, struct channel *channel)
{
    while (!h2o_linklist_is_empty(&channel->waiters)) {
        struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, link, channel->waiters.next);
        void (*answer)(struct http_call *, struct snapshot *) = waiter->answer;
        struct http_call *call = end_wait(feed, waiter);
        if (call != NULL && channel->snapshot != NULL)
            answer(call, channel->snapshot);
        else if (call != NULL)
            http_problem(call, PROBLEM_POLL_NOT_FOUND, NULL, "The poll was deleted.");
    }
}

/* Answers requests that have waited too long. Frees the waiters of clients that left, so that they no longer count in
 * the share of their address. */
static void expire_waiters(struct feed *feed, struct channel *channel, int64_t now)
{
    for (h2o_linklist_t *node = channel->waiters.next, *next; node != &channel->waiters; node = next) {
        struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, link, node);
        next = node->next;
        if (waiter->ticket->call != NULL && waiter->until_ms > now)
            continue;
        struct http_call *call = end_wait(feed, waiter);
        if (call != NULL)
            http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                         "The results cannot be read now. Try again in a few seconds.");
    }
}

/* --- snapshots that arrive */

static void on_arrival(void *arg)
{
    struct arrival *arrival = arg;
    struct feed *feed = arrival->feed;
    struct channel *channel = map_get_text(&feed->channels, arrival->id);

    if (channel != NULL && arrival->snapshot == NULL) {
        snapshot_release(channel->snapshot);
        channel->snapshot = NULL;
        answer_waiters(feed, channel);
        subscribers_on_poll_deleted(feed, channel);
    } else if (channel != NULL &&
               (channel->snapshot == NULL || channel->snapshot->version < arrival->snapshot->version)) {
        snapshot_release(channel->snapshot);
        channel->snapshot = arrival->snapshot;
        arrival->snapshot = NULL;
        answer_waiters(feed, channel);
        subscribers_on_snapshot(feed, channel);
    }
    snapshot_release(arrival->snapshot);
    free(arrival);
}

static void on_sweep(h2o_timeout_entry_t *entry)
{
    struct feed *feed = H2O_STRUCT_FROM_MEMBER(struct feed, sweep, entry);
    int64_t now = clock_mono_ms();
    size_t cursor = 0;

    for (struct channel *channel; (channel = map_next(&feed->channels, &cursor)) != NULL;) {
        expire_waiters(feed, channel, now);
        if (channel_is_unused(channel, now)) {
            channel_close(feed, channel);
            cursor--;
        }
    }
    subscribers_on_sweep(feed, now);
    h2o_timeout_link(http_loop_context(feed->loop)->loop, &feed->sweep_timeout, &feed->sweep);
}

/* --- life of a loop */

static void on_wake(h2o_timeout_entry_t *entry)
{
}

void feed_open(struct feeds *feeds, struct http_loop *loop)
{
    struct feed *feed = alloc_items(1, sizeof(*feed));

    feed->feeds = feeds;
    feed->loop = loop;
    h2o_linklist_init_anchor(&feed->busy);
    h2o_linklist_init_anchor(&feed->writing);
    feed->sweep.cb = on_sweep;
    feed->wake.cb = on_wake;
    h2o_timeout_init(http_loop_context(loop)->loop, &feed->sweep_timeout, SWEEP_MS);
    h2o_timeout_link(http_loop_context(loop)->loop, &feed->sweep_timeout, &feed->sweep);
    http_loop_set_data(loop, feed);
    pthread_mutex_lock(&feeds->lock);
    h2o_linklist_insert(&feeds->list, &feed->link);
    pthread_mutex_unlock(&feeds->lock);
}

void feed_turn_end(struct http_loop *loop)
{
    subscribers_send_due(feed_of(loop));
}

void feed_drain(struct http_loop *loop)
{
    struct feed *feed = feed_of(loop);

    feed->draining = true;
    subscribers_end_all(feed);
}

/* Does not free the feed, because connections that were cut may still point to it. The process ends now. */
void feed_close(struct http_loop *loop)
{
    struct feed *feed = feed_of(loop);

    pthread_mutex_lock(&feed->feeds->lock);
    h2o_linklist_unlink(&feed->link);
    pthread_mutex_unlock(&feed->feeds->lock);
    h2o_timeout_unlink(&feed->sweep);
    h2o_timeout_unlink(&feed->wake);
}
