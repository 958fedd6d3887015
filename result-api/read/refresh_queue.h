/* refresh_queue - what the loops and the bus ask of the refresher: polls to read again, receipts to look up.
 * SPDX-License-Identifier: MIT
 *
 * Thread-safe. Any thread may add to the queue; only the refresher waits and takes from it. The queue holds only polls
 * that some loop follows. It ignores what it is told about other polls. */
#ifndef SCRUTIN_REFRESH_QUEUE_H
#define SCRUTIN_REFRESH_QUEUE_H

#include "ballot/keys.h"
#include "ballot/poll_definition.h"
#include "ballot/receipt_fate.h"
#include "http/http.h"

struct refresh_queue;

enum refresh_urgency {
    REFRESH_SOON, /* within REFRESH_SOON_MS: the stream has new ballots, and a doorbell will most likely ring before */
    REFRESH_NOW,  /* with the next refresh */
};
#define REFRESH_SOON_MS 100

#define RECEIPT_UNANSWERED RECEIPT_FATES /* the database cannot be asked */

/* A receipt to look up. It belongs to the asker before refresh_queue_add_question and again in done(). */
struct receipt_question {
    struct receipt_question *next;
    struct receipt receipt; /* zeroed if the receipt is forged: it is looked up all the same */
    bool authentic;
    enum receipt_fate fate;
    struct http_loop *loop;
    void (*done)(void *question); /* called on the loop */
    void *arg;
};

struct refresh_queue *refresh_queue_new(size_t max_questions);

/* A loop begins or ends to follow the poll. A loop that begins gets the present snapshot, even if it is not new. */
void refresh_queue_follow(struct refresh_queue *queue, const char *id);
void refresh_queue_unfollow(struct refresh_queue *queue, const char *id);
/* The poll must be read again, because something about it has or may have changed. */
void refresh_queue_mark(struct refresh_queue *queue, const char *id, enum refresh_urgency urgency);
void refresh_queue_mark_all(struct refresh_queue *queue, enum refresh_urgency urgency);
/* A subscriber has seen this version, so the next version must be higher. */
void refresh_queue_mark_above(struct refresh_queue *queue, const char *id, int64_t version);
/* False: too many questions wait already, and this one stays the caller's. */
bool refresh_queue_add_question(struct refresh_queue *queue, struct receipt_question *question);
/* Wakes the refresher, and lets it never wait again. */
void refresh_queue_stop(struct refresh_queue *queue);

/* --- for the refresher */

/* A poll to read again. */
struct dirty_poll {
    char id[POLL_ID_MAX + 1];
    bool is_followed;  /* false: no loop follows it any more, so it need not be read */
    bool must_publish; /* also if nothing has changed */
    int64_t above;     /* the next version must be higher; 0: any will do */
};

/* Waits until there is a question, or the queue is stopped, or until_ms has come, or a poll must be read again and
 * not_before_ms has come. Both times are monotonic. Says whether a poll must be read now. */
bool refresh_queue_wait(struct refresh_queue *queue, int64_t not_before_ms, int64_t until_ms);
bool refresh_queue_is_stopped(struct refresh_queue *queue);
/* Takes all polls, also those that could wait. The caller frees the array. */
struct dirty_poll *refresh_queue_take_polls(struct refresh_queue *queue, size_t *n);
/* Takes all questions, as a list. */
struct receipt_question *refresh_queue_take_questions(struct refresh_queue *queue);
/* How many polls must be read again. */
size_t refresh_queue_count_polls(struct refresh_queue *queue);

#endif
