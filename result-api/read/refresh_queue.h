/* queue - what the loops and the bus want of the refresher: polls to read again, receipts to look up.
 * SPDX-License-Identifier: MIT
 *
 * Thread-safe: anybody pins, the refresher alone waits and takes. Only polls that some loop wants are on the queue;
 * what is said about others is dropped at once. */
#ifndef SCRUTIN_REFRESH_QUEUE_H
#define SCRUTIN_REFRESH_QUEUE_H

#include "ballot/keys.h"
#include "ballot/poll_definition.h"
#include "ballot/receipt_fate.h"
#include "http/http.h"

struct refresh_queue;

enum refresh_urgency {
    REFRESH_SOON, /* within REFRESH_SOON_MS: ballots came into the stream; their doorbell will most likely ring before
                   */
    REFRESH_NOW,  /* with the next look */
};
#define REFRESH_SOON_MS 100

#define RECEIPT_UNANSWERED RECEIPT_FATES /* the database is away */

/* A receipt to look up; the asker's until refresh_queue_add_question, and again in done(). */
struct receipt_question {
    struct receipt_question *next;
    struct receipt receipt; /* zeroed where it is forged: asked about all the same */
    bool authentic;
    enum receipt_fate fate;
    struct http_loop *loop;
    void (*done)(void *question); /* called on the loop */
    void *arg;
};

struct refresh_queue *refresh_queue_new(size_t max_questions);

/* A loop begins or ceases to hold the poll. Beginning also asks for its snapshot to be published once more. */
void refresh_queue_follow(struct refresh_queue *queue, const char *id);
void refresh_queue_unfollow(struct refresh_queue *queue, const char *id);
/* Something about the poll changed, or may have. */
void refresh_queue_mark(struct refresh_queue *queue, const char *id, enum refresh_urgency urgency);
void refresh_queue_mark_all(struct refresh_queue *queue, enum refresh_urgency urgency);
/* A subscriber has seen this version: the next one must be above. */
void refresh_queue_mark_above(struct refresh_queue *queue, const char *id, int64_t version);
/* False: too many wait already, the question stays the caller's. */
bool refresh_queue_add_question(struct refresh_queue *queue, struct receipt_question *question);
/* Wakes the refresher for good. */
void refresh_queue_stop(struct refresh_queue *queue);

/* --- the refresher's side */

/* What was pinned about one poll since the last time. */
struct dirty_poll {
    char id[POLL_ID_MAX + 1];
    bool wanted;   /* false: no loop holds it any more */
    bool asked;    /* publish even what has not changed */
    int64_t above; /* 0, or the version that the next one must be above */
};

/* Waits until there is a question, or the queue was stopped, or `until_ms` (monotonic) has come, or something is to be
 * read and `not_before_ms` has come. Returns whether something is to be read now. */
bool refresh_queue_wait(struct refresh_queue *queue, int64_t not_before_ms, int64_t until_ms);
bool refresh_queue_is_stopped(struct refresh_queue *queue);
/* All notes, also those that could wait; the caller frees the array. */
struct dirty_poll *refresh_queue_take_polls(struct refresh_queue *queue, size_t *n);
/* All questions, as a list. */
struct receipt_question *refresh_queue_take_questions(struct refresh_queue *queue);
size_t refresh_queue_count_polls(struct refresh_queue *queue);

#endif
