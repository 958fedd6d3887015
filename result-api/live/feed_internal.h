/* feed_internal - what feed.c (snapshots) and stream.c (subscribers) share. For these two only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_FEED_INTERNAL_H
#define SCRUTIN_FEED_INTERNAL_H

#include "base/map.h"
#include "base/metrics.h"
#include "live/feed.h"
#include <pthread.h>

#define FEED_SWEEP_MS 250       /* how often waiting requests, heartbeats and deadlines are looked at */
#define FEED_FORGET_MS 60000    /* a poll that nobody looks at is forgotten after that */
#define FEED_SENDS_PER_TURN 128 /* subscribers served before the loop looks at its sockets: a millisecond or two */

struct feeds {
    struct feed_options options;
    struct refresh_queue *queue;
    pthread_mutex_t lock; /* list */
    h2o_linklist_t list;  /* feeds by link */
    atomic_llong subscribers;
    struct share *addresses, *networks; /* of subscribers; NULL: no limit */
    struct metric *events, *heartbeats, *dropped, *refused;
    char preamble[64]; /* what a stream begins with */
    size_t preamble_len;
};

struct feed {
    h2o_linklist_t link;
    struct feeds *feeds;
    struct http_loop *loop;
    struct map channels;
    h2o_linklist_t busy;    /* channels with a subscriber that is due */
    h2o_linklist_t writing; /* subscribers whose bytes are on their way, oldest first */
    h2o_timeout_t sweep_timeout;
    h2o_timeout_entry_t sweep;
    h2o_timeout_entry_t wake; /* linked: the loop does not sleep before its next turn */
    int64_t waiting;          /* requests */
    bool draining;
};

/* A poll on one loop. */
struct channel {
    char id[POLL_ID_MAX + 1];
    struct snapshot *snapshot; /* the newest, a reference; NULL: not loaded yet */
    h2o_linklist_t waiters;    /* requests for it */
    h2o_linklist_t idle;       /* subscribers who were sent something, longest ago first */
    h2o_linklist_t due;        /* subscribers to send something to */
    h2o_linklist_t busy_link;
    size_t subscribers;
    int64_t used_ms; /* monotonic: when somebody last asked */
};

static inline struct feed *feed_of(struct http_loop *loop)
{
    return http_loop_data(loop);
}

/* The poll's channel, made where it is new. */
struct channel *feed_channel(struct feed *feed, const char *id);

/* --- stream.c */
void stream_on_snapshot(struct feed *feed, struct channel *channel); /* the channel has a new one */
void stream_on_gone(struct feed *feed, struct channel *channel);     /* the poll is no more: streams end */
void stream_on_sweep(struct feed *feed, int64_t now_ms);
void stream_pump(struct feed *feed);
void stream_end_all(struct feed *feed);

#endif
