/* refresh_queue - a table of followed polls and a list of questions, under one lock.
 * SPDX-License-Identifier: MIT */
#include "read/refresh_queue.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/map.h"
#include <pthread.h>

struct followed_poll {
    unsigned loops; /* that follow it */
    bool is_dirty;  /* it is in the queue's array of dirty polls */
    struct dirty_poll poll;
};

struct refresh_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct map followed; /* by id */
    struct followed_poll **dirty;
    size_t n_dirty, room;
    int64_t due_ms; /* monotonic: when the most urgent dirty poll must be read; INT64_MAX: there is none */
    struct receipt_question *questions, **last_question;
    size_t n_questions, max_questions;
    bool stopped;
};

struct refresh_queue *refresh_queue_new(size_t max_questions)
{
    struct refresh_queue *queue = alloc_items(1, sizeof(*queue));
    pthread_condattr_t attr;

    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &attr);
    pthread_condattr_destroy(&attr);
    queue->due_ms = INT64_MAX;
    queue->last_question = &queue->questions;
    queue->max_questions = max_questions;
    return queue;
}

/* --- adding */

/* The caller holds the lock. */
static void mark_dirty(struct refresh_queue *queue, struct followed_poll *followed, enum refresh_urgency urgency)
{
    int64_t due = urgency == REFRESH_NOW ? 0 : clock_mono_ms() + REFRESH_SOON_MS;

    if (!followed->is_dirty) {
        GROW(queue->dirty, queue->room, queue->n_dirty + 1);
        queue->dirty[queue->n_dirty++] = followed;
        followed->is_dirty = true;
    }
    if (due < queue->due_ms) {
        queue->due_ms = due;
        pthread_cond_signal(&queue->changed);
    }
}

void refresh_queue_follow(struct refresh_queue *queue, const char *id)
{
    pthread_mutex_lock(&queue->lock);
    struct followed_poll *followed = map_get_text(&queue->followed, id);
    if (followed == NULL) {
        followed = alloc_items(1, sizeof(*followed));
        memcpy(followed->poll.id, id, strlen(id) + 1);
        map_put_text(&queue->followed, followed->poll.id, followed);
    }
    followed->loops++;
    followed->poll.must_publish = true;
    mark_dirty(queue, followed, REFRESH_NOW);
    pthread_mutex_unlock(&queue->lock);
}

void refresh_queue_unfollow(struct refresh_queue *queue, const char *id)
{
    pthread_mutex_lock(&queue->lock);
    struct followed_poll *followed = map_get_text(&queue->followed, id);
    if (followed != NULL && --followed->loops == 0)
        mark_dirty(queue, followed, REFRESH_SOON);
    pthread_mutex_unlock(&queue->lock);
}

void refresh_queue_mark(struct refresh_queue *queue, const char *id, enum refresh_urgency urgency)
{
    pthread_mutex_lock(&queue->lock);
    struct followed_poll *followed = map_get_text(&queue->followed, id);
    if (followed != NULL)
        mark_dirty(queue, followed, urgency);
    pthread_mutex_unlock(&queue->lock);
}

void refresh_queue_mark_all(struct refresh_queue *queue, enum refresh_urgency urgency)
{
    size_t cursor = 0;

    pthread_mutex_lock(&queue->lock);
    for (struct followed_poll *followed; (followed = map_next(&queue->followed, &cursor)) != NULL;)
        mark_dirty(queue, followed, urgency);
    pthread_mutex_unlock(&queue->lock);
}

void refresh_queue_mark_above(struct refresh_queue *queue, const char *id, int64_t version)
{
    pthread_mutex_lock(&queue->lock);
    struct followed_poll *followed = map_get_text(&queue->followed, id);
    if (followed != NULL) {
        if (followed->poll.above < version)
            followed->poll.above = version;
        mark_dirty(queue, followed, REFRESH_NOW);
    }
    pthread_mutex_unlock(&queue->lock);
}

bool refresh_queue_add_question(struct refresh_queue *queue, struct receipt_question *question)
{
    pthread_mutex_lock(&queue->lock);
    bool room = queue->n_questions < queue->max_questions && !queue->stopped;
    if (room) {
        question->next = NULL;
        *queue->last_question = question;
        queue->last_question = &question->next;
        queue->n_questions++;
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return room;
}

void refresh_queue_stop(struct refresh_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* --- taking */

bool refresh_queue_wait(struct refresh_queue *queue, int64_t not_before_ms, int64_t until_ms)
{
    bool due;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        int64_t now = clock_mono_ms();
        int64_t read_at = queue->due_ms > not_before_ms ? queue->due_ms : not_before_ms;
        due = queue->due_ms != INT64_MAX && now >= read_at;
        int64_t wake = queue->due_ms != INT64_MAX && read_at < until_ms ? read_at : until_ms;
        if (due || queue->questions != NULL || queue->stopped || now >= wake)
            break;
        struct timespec at = {.tv_sec = wake / 1000, .tv_nsec = wake % 1000 * 1000000};
        pthread_cond_timedwait(&queue->changed, &queue->lock, &at);
    }
    pthread_mutex_unlock(&queue->lock);
    return due;
}

bool refresh_queue_is_stopped(struct refresh_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool stopped = queue->stopped;
    pthread_mutex_unlock(&queue->lock);
    return stopped;
}

struct dirty_poll *refresh_queue_take_polls(struct refresh_queue *queue, size_t *n)
{
    pthread_mutex_lock(&queue->lock);
    struct dirty_poll *polls = alloc_items(queue->n_dirty, sizeof(*polls));
    *n = queue->n_dirty;
    for (size_t i = 0; i < queue->n_dirty; i++) {
        struct followed_poll *followed = queue->dirty[i];
        polls[i] = followed->poll;
        polls[i].is_followed = followed->loops > 0;
        followed->is_dirty = followed->poll.must_publish = false;
        followed->poll.above = 0;
        if (followed->loops == 0)
            free(map_remove_text(&queue->followed, followed->poll.id));
    }
    queue->n_dirty = 0;
    queue->due_ms = INT64_MAX;
    pthread_mutex_unlock(&queue->lock);
    return polls;
}

struct receipt_question *refresh_queue_take_questions(struct refresh_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct receipt_question *questions = queue->questions;
    queue->questions = NULL;
    queue->last_question = &queue->questions;
    queue->n_questions = 0;
    pthread_mutex_unlock(&queue->lock);
    return questions;
}

size_t refresh_queue_count_polls(struct refresh_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t n = queue->n_dirty;
    pthread_mutex_unlock(&queue->lock);
    return n;
}
