/* group - group commit: the ballots of one loop that share a publication.
 * SPDX-License-Identifier: MIT
 *
 * A loop's first batch leaves at the end of the loop's turn, even with one ballot. Ballots that arrive while a batch is
 * with the broker gather. They leave when that batch is acknowledged, or earlier, when they are a quarter of a full
 * batch and fewer batches than the limit are in flight. Smaller batches would only wait at the broker, which does its
 * fsyncs one after the other. At low load a batch holds one ballot; at high load it grows to the limit. No timer delays
 * a ballot. All functions belong to the loop's thread. */
#ifndef VOTE_API_GROUP_H
#define VOTE_API_GROUP_H

#include "ballot/wire.h"
#include "ballots/publisher.h"
#include "http/http.h"

#define GROUP_BATCHES_MAX 16 /* full batches that may wait; above this, bulk requests are answered 503 */

struct group;

struct group_limits {
    size_t batch_ballots;       /* in a batch; one more ballot opens the next batch */
    unsigned batches_in_flight; /* with the broker at once */
    int64_t ack_timeout_ms;     /* from a batch's first ballot to its acknowledgement */
};

/* The outcome for the ballots of one request. */
struct group_result {
    enum status status;           /* ST_OK: durable */
    const char *reason;           /* unless ST_OK */
    const struct ballot *ballots; /* n of them, all that the request gave */
    size_t n;
    uint8_t batch[BATCH_ID];
    uint64_t sequence;    /* of the batch in the stream */
    unsigned first_index; /* of the first ballot in the batch */
};

/* Answers the request. arg is the one that group_add_or_refuse got; it may live in the request's pool. Not called when
 * the client has gone. */
typedef void (*group_answer)(struct http_call *call, void *arg, const struct group_result *result);

/* Call it once, before the first group. */
void group_metrics_init(void);
/* Lives as long as the loop. */
struct group *group_new(struct http_loop *loop, struct publisher *publisher, const struct group_limits *limits);

/* Copies n ballots, at least 1, into one batch. The request then waits until `answer` is called. Answers 500 at once if
 * no worker could read one of the ballots. */
void group_add_or_refuse(struct group *group, struct http_call *call, const struct ballot *ballots, size_t n,
                         group_answer answer, void *arg);
/* Whether GROUP_BATCHES_MAX batches wait. Limits memory: a ballot takes about 100 bytes. */
bool group_is_full(const struct group *group);
/* Hands over the batches that may leave now. Call it at the end of each turn of the loop. */
void group_turn_end(struct group *group);

/* The decision alone, pure: may a batch leave now? in_flight: batches with the broker; gathered: ballots in the batch;
 * worth: ballots that are worth an fsync of their own. */
static inline bool group_may_leave(unsigned in_flight, unsigned limit, size_t gathered, size_t worth)
{
    return gathered > 0 && (in_flight == 0 || (in_flight < limit && gathered >= worth));
}

#endif
