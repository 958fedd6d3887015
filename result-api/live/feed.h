/* feed - what one loop knows of the polls that its clients look at: snapshots, requests that wait for one, subscribers.
 * SPDX-License-Identifier: MIT
 *
 * A feed belongs to its loop and is touched on its thread only. The refresher reaches all of them through
 * feeds_publish. A poll that nobody looked at for a while is forgotten. */
#ifndef SCRUTIN_FEED_H
#define SCRUTIN_FEED_H

#include "http/http.h"
#include "http/share.h"
#include "read/refresh_queue.h"
#include "tally/snapshot.h"

struct feed_options {
    int64_t heartbeat_ms;                /* to a subscriber who was sent nothing for so long */
    int64_t deadline_ms;                 /* a subscriber whose unsent data is older is dropped */
    int64_t retry_ms;                    /* told to subscribers: how long to wait before coming back */
    int64_t max_subscribers;             /* on all loops */
    int64_t max_subscribers_per_address; /* 0: no limit */
    int64_t max_waiting;                 /* requests that wait for a poll to be loaded, on each loop */
    int64_t wait_ms;                     /* how long they may */
    struct share *waiting;               /* of these requests, by address */
};

/* All feeds of the process. Thread-safe. */
struct feeds;

struct feeds *feeds_new(const struct feed_options *options, struct refresh_queue *queue);
/* Sends the snapshot (borrowed) to every loop that holds the poll; NULL: there is no such poll any more. */
void feeds_publish(struct feeds *feeds, const char *id, struct snapshot *snapshot);

/* The loop's feed; call them when the loop starts, at the end of each turn, when it drains and when it stops. */
void feed_open(struct feeds *feeds, struct http_loop *loop);
void feed_turn_end(struct http_loop *loop);
void feed_drain(struct http_loop *loop);
void feed_close(struct http_loop *loop);

/* Calls answer with the request and the newest snapshot of the poll, now or when it is there. Where that takes too long
 * the request is answered 503, and 404 where the poll turns out to be gone. */
void feed_with_snapshot(struct http_call *call, const char *id,
                        void (*answer)(struct http_call *call, struct snapshot *snapshot));

#endif
