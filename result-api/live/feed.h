/* feed - the newest snapshots of the polls that the clients of one loop look at.
 * SPDX-License-Identifier: MIT
 *
 * Each loop has a feed, which only the thread of that loop may touch. The refresher sends new snapshots to all feeds
 * with feeds_publish. A feed forgets a poll that no client has used for a minute. */
#ifndef SCRUTIN_FEED_H
#define SCRUTIN_FEED_H

#include "http/http.h"
#include "http/share.h"
#include "read/refresh_queue.h"
#include "tally/snapshot.h"

struct feed_options {
    int64_t heartbeat_ms;                /* a subscriber gets a heartbeat after so long without an event */
    int64_t deadline_ms;                 /* a subscriber that does not read for so long is dropped */
    int64_t retry_ms;                    /* subscribers are told to wait so long before they connect again */
    int64_t max_subscribers;             /* on all loops together */
    int64_t max_subscribers_per_address; /* 0: no limit */
    int64_t max_waiting;                 /* requests that wait for a snapshot, on each loop */
    int64_t wait_ms;                     /* how long a request may wait for a snapshot */
    struct share *waiting;               /* counts the waiting requests of each address; borrowed */
};

/* All feeds of the process. Thread-safe. */
struct feeds;

/* The feeds live as long as the process. The queue is borrowed. */
struct feeds *feeds_new(const struct feed_options *options, struct refresh_queue *queue);
/* Sends the snapshot to every loop. The caller keeps its reference. NULL: the poll was deleted. */
void feeds_publish(struct feeds *feeds, const char *id, struct snapshot *snapshot);

/* The loop must call these when it starts, after each turn, when it drains and when it stops. */
void feed_open(struct feeds *feeds, struct http_loop *loop);
void feed_turn_end(struct http_loop *loop);
void feed_drain(struct http_loop *loop);
void feed_close(struct http_loop *loop);

/* Calls answer with the newest snapshot of the poll: at once if the loop has one, otherwise when one arrives. Answers
 * the request with 503 when that takes too long or too many requests wait, and with 404 if the poll was deleted. */
void feed_answer_with_snapshot(struct http_call *call, const char *id,
                               void (*answer)(struct http_call *call, struct snapshot *snapshot));

#endif
