/* channel - what one event loop knows of one poll that its clients look at. Only feed.c and subscribers.c include this.
 * SPDX-License-Identifier: MIT
 *
 * A feed belongs to its loop, and so do its channels: only the loop's thread may touch them. */
#ifndef SCRUTIN_CHANNEL_H
#define SCRUTIN_CHANNEL_H

#include "base/map.h"
#include "base/metrics.h"
#include "live/feed.h"
#include <pthread.h>

/* All feeds of the process. */
struct feeds {
    struct feed_options options;
    struct refresh_queue *queue;
    pthread_mutex_t lock; /* guards list */
    h2o_linklist_t list;  /* feeds, by link */
    atomic_llong subscribers;
    struct share *addresses, *networks; /* count the subscribers of each; NULL: no limit */
    struct metric *events, *heartbeats, *dropped, *refused;
    char preamble[64]; /* the first bytes of every event stream */
    size_t preamble_len;
};

/* The polls of one loop. */
struct feed {
    h2o_linklist_t link;
    struct feeds *feeds;
    struct http_loop *loop;
    struct map channels;    /* by id of the poll */
    h2o_linklist_t busy;    /* channels with a subscriber that is due, by busy_link */
    h2o_linklist_t writing; /* subscribers whose bytes libh2o is sending, the oldest first */
    h2o_timeout_t sweep_timeout;
    h2o_timeout_entry_t sweep;
    h2o_timeout_entry_t wake; /* while it is linked, the loop does not sleep before its next turn */
    int64_t waiting;          /* requests that wait for a snapshot */
    bool draining;
};

struct channel {
    char id[POLL_ID_MAX + 1];
    struct snapshot *snapshot; /* the newest one, a reference; NULL: not loaded yet */
    h2o_linklist_t waiters;    /* requests that wait for a snapshot */
    h2o_linklist_t idle;       /* subscribers to whom nothing has to be sent, longest ago first */
    h2o_linklist_t due;        /* subscribers to whom something has to be sent */
    h2o_linklist_t busy_link;
    size_t subscribers;
    int64_t used_ms; /* monotonic: when a client last asked for the poll */
};

static inline struct feed *feed_of(struct http_loop *loop)
{
    return http_loop_data(loop);
}

/* Returns the poll's channel. Makes one if there is none, and asks the refresher for the poll. */
struct channel *channel_open(struct feed *feed, const char *id);
/* Says whether no client has used the channel for a minute. */
bool channel_is_unused(const struct channel *channel, int64_t now_ms);
/* Frees a channel that is unused. */
void channel_close(struct feed *feed, struct channel *channel);

#endif
