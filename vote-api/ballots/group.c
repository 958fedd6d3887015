/* group - gathers ballots into batches and answers when they are durable.
 * SPDX-License-Identifier: MIT */
#include "ballots/group.h"

#include "ballot/keys.h"
#include "base/clock.h"
#include "base/grow.h"
#include "base/metrics.h"
#include "refusals.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A batch with this many bytes of choices accepts no further request. With the other fields, and with the largest bulk
 * request on top, the message stays below the broker's limit of 1 MB. */
#define BATCH_TEXT_MAX (256 * 1024)
#define EARLY_FRACTION 4 /* a batch that is 1/4 full is worth an fsync of its own */

/* A request whose ballots are in the batch: n of them, from index `first` on. */
struct waiter {
    struct http_ticket *ticket;
    group_answer answer;
    void *arg;
    size_t first, n;
};

/* Lifetime "batch": from the first ballot gathered until the last waiter is answered. Then the memory is reused. */
struct batch {
    struct publication publication;
    struct group *group;
    struct batch *next;
    int64_t deadline_ms;         /* monotonic; counts from its first ballot */
    struct ballot_batch content; /* choices are set at hand-over, because text may move before */
    size_t ballots_room;
    char *text; /* the ballots' choices, each with its NUL */
    size_t text_len, text_room;
    struct waiter *waiters;
    size_t n_waiters, waiters_room;
};

struct group {
    struct http_loop *loop;
    struct publisher *publisher;
    struct group_limits limits;
    struct batch *first, *last; /* gathering; only the last one accepts ballots */
    struct batch *spare;        /* to reuse */
    unsigned in_flight;
    size_t ballots; /* that are not answered yet: gathered or with the broker */
};

static struct {
    struct metric *acknowledged, *not_recorded;
} metrics;

struct group *group_new(struct http_loop *loop, struct publisher *publisher, const struct group_limits *limits)
{
    struct group *group = alloc_bytes(sizeof(*group));

    *group = (struct group){.loop = loop, .publisher = publisher, .limits = *limits};
    return group;
}

void group_metrics_init(void)
{
    metrics.acknowledged = metric_counter("ballots_total", "result=\"acknowledged\"", "Ballots taken, by result.");
    metrics.not_recorded = metric_counter("ballots_total", "result=\"not_recorded\"", "Ballots taken, by result.");
}

/* --- gathering */

static struct batch *open_batch(struct group *group)
{
    struct batch *batch = group->spare;

    if (batch != NULL) {
        group->spare = batch->next;
    } else {
        batch = alloc_items(1, sizeof(*batch));
        batch->group = group;
    }
    batch->next = NULL;
    batch->deadline_ms = clock_mono_ms() + group->limits.ack_timeout_ms;
    batch->content.n_ballots = batch->n_waiters = batch->text_len = 0;
    if (group->last != NULL)
        group->last->next = batch;
    else
        group->first = batch;
    group->last = batch;
    return batch;
}

static void add_ballot(struct batch *batch, const struct ballot *ballot)
{
    size_t text_need = batch->text_len + ballot->choices_len + 1;

    assert(ballot->choices_len <= BALLOT_CHOICES_MAX);
    GROW(batch->content.ballots, batch->ballots_room, batch->content.n_ballots + 1);
    batch->content.ballots[batch->content.n_ballots++] = *ballot;
    GROW(batch->text, batch->text_room, text_need);
    memcpy(batch->text + batch->text_len, ballot->choices, ballot->choices_len);
    batch->text[text_need - 1] = '\0';
    batch->text_len = text_need;
}

void group_add_or_refuse(struct group *group, struct http_call *call, const struct ballot *ballots, size_t n,
                         group_answer answer, void *arg)
{
    struct batch *batch = group->last;

    for (size_t i = 0; i < n; i++) {
        const char *fault = wire_find_ballot_fault(&ballots[i]);
        if (fault != NULL) { /* the worker would reject the whole batch, after all its ballots were acknowledged */
            refuse_unreadable(call, "ballot", ballots[i].poll, fault);
            return;
        }
    }
    if (batch == NULL || batch->content.n_ballots + n > group->limits.batch_ballots || batch->text_len > BATCH_TEXT_MAX)
        batch = open_batch(group);
    GROW(batch->waiters, batch->waiters_room, batch->n_waiters + 1);
    batch->waiters[batch->n_waiters++] = (struct waiter){http_call_wait(call), answer, arg, batch->content.n_ballots,
                                                         n};
    for (size_t i = 0; i < n; i++)
        add_ballot(batch, &ballots[i]);
    group->ballots += n;
    /* One turn may bring thousands of requests, so the first batches leave before it ends. */
    if (group->first->content.n_ballots >= group->limits.batch_ballots / EARLY_FRACTION)
        group_turn_end(group);
}

bool group_is_full(const struct group *group)
{
    return group->ballots >= GROUP_BATCHES_MAX * group->limits.batch_ballots;
}

/* --- answering */

static void answer_waiters(struct batch *batch)
{
    struct group_result result = {.status = batch->publication.status,
                                  .reason = batch->publication.err.text,
                                  .sequence = batch->publication.sequence};

    memcpy(result.batch, batch->publication.id, BATCH_ID);
    for (size_t i = 0; i < batch->n_waiters; i++) {
        const struct waiter *waiter = &batch->waiters[i];
        result.ballots = batch->content.ballots + waiter->first;
        result.n = waiter->n;
        result.first_index = (unsigned)waiter->first;
        metric_add(result.status == ST_OK ? metrics.acknowledged : metrics.not_recorded, waiter->n);
        if (waiter->ticket->call != NULL)
            waiter->answer(waiter->ticket->call, waiter->arg, &result);
        http_ticket_free(waiter->ticket);
    }
}

static void on_batch_done(void *arg)
{
    struct batch *batch = arg;
    struct group *group = batch->group;

    group->in_flight--;
    group->ballots -= batch->content.n_ballots;
    group_turn_end(group); /* first, so that the broker works while these requests are answered */
    free(batch->publication.data.data);
    answer_waiters(batch);
    batch->next = group->spare;
    group->spare = batch;
}

/* On the publisher's or a NATS thread. */
static void on_publication_done(struct publication *publication)
{
    struct batch *batch = H2O_STRUCT_FROM_MEMBER(struct batch, publication, publication);

    http_loop_post(batch->group->loop, on_batch_done, batch);
}

/* --- handing over */

static void hand_over_first(struct group *group)
{
    struct batch *batch = group->first;
    struct publication *publication = &batch->publication;
    const char *text = batch->text;

    group->first = batch->next;
    if (group->first == NULL)
        group->last = NULL;
    for (size_t i = 0; i < batch->content.n_ballots; i++) {
        batch->content.ballots[i].choices = text;
        text += batch->content.ballots[i].choices_len + 1;
    }
    random_bytes(batch->content.id, BATCH_ID);
    *publication = (struct publication){
        .subject = BUS_SUBJECT_BALLOTS, .deadline_ms = batch->deadline_ms, .on_done = on_publication_done};
    _Static_assert(BATCH_ID == BUS_MESSAGE_ID, "a batch's id is its message's id");
    memcpy(publication->id, batch->content.id, BATCH_ID);
    wire_encode_batch(&batch->content, &publication->data);
    group->in_flight++;
    publisher_submit(group->publisher, publication);
}

void group_turn_end(struct group *group)
{
    while (group_may_leave(group->in_flight, group->limits.batches_in_flight,
                           group->first != NULL ? group->first->content.n_ballots : 0,
                           group->limits.batch_ballots / EARLY_FRACTION))
        hand_over_first(group);
}
