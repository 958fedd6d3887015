/* group - group commit: the ballots of one loop that share a publication.
 * SPDX-License-Identifier: MIT
 *
 * The first batch of a loop leaves at once, at the end of the loop's turn, however small. Ballots that arrive while one
 * is with the broker gather; they leave when it is acknowledged, or beside it, up to the limit of batches in flight, as
 * soon as there is a quarter of a full batch: the broker does its fsyncs one after the other, so smaller ones would
 * only queue there. So at low load a batch holds one ballot, at high load it grows to the limit, and no timer delays
 * any. All functions belong to the loop's thread. */
#ifndef VOTE_API_GROUP_H
#define VOTE_API_GROUP_H

#include "ballot/wire.h"
#include "ballots/publisher.h"
#include "http/http.h"

#define GROUP_BATCHES_MAX 16 /* batches that may wait, full ones, before it is no place for many ballots at once */

struct group;

struct group_limits {
    size_t batch_ballots; /* one more opens the next batch */
    unsigned batches_in_flight;
    int64_t ack_timeout_ms; /* from a batch's first ballot to its acknowledgement */
};

/* What became of the ballots of one request. */
struct group_result {
    enum status status;           /* ST_OK: durable */
    const char *reason;           /* where it is not */
    const struct ballot *ballots; /* the request's, n of them */
    size_t n;
    uint8_t batch[BATCH_ID];
    uint64_t sequence;
    unsigned first_index; /* of the first in its batch */
};

/* Answers the request. arg is what group_add was given; it may live in the request's pool. Not called when the client
 * has gone. */
typedef void (*group_reply)(struct http_call *call, void *arg, const struct group_result *result);

/* Once, before the first group. */
void group_metrics_init(void);
struct group *group_new(struct http_loop *loop, struct publisher *publisher, const struct group_limits *limits);

/* Copies the ballots into one batch (1..limit of them) and makes the request wait; answers 500 at once where no worker
 * could read one of them. */
void group_add(struct group *group, struct http_call *call, const struct ballot *ballots, size_t n, group_reply reply,
               void *arg);
/* Whether so much waits already that a request with many ballots had better come again: each takes about 100 bytes. */
bool group_is_full(const struct group *group);
/* Hands over what gathered, if it may. */
void group_turn_end(struct group *group);

/* The decision alone: may a batch leave now? The first one at once, however small; further ones only when they are
 * worth an fsync of their own, because the broker does these one after the other. */
static inline bool group_may_leave(unsigned in_flight, unsigned limit, size_t gathered, size_t worth)
{
    return gathered > 0 && (in_flight == 0 || (in_flight < limit && gathered >= worth));
}

#endif
