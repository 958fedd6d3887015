/* board - a table of wanted polls and a list of questions, under one lock.
 * SPDX-License-Identifier: MIT */
#include "read/board.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include <pthread.h>

struct wanted {
    unsigned loops; /* that hold the poll */
    bool pinned;    /* in `pinned` of the board */
    struct board_note note;
};

struct board {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct map wanted;
    struct wanted **pinned;
    size_t n_pinned, room;
    int64_t due_ms; /* monotonic, when the most urgent note wants to be read; INT64_MAX: none */
    struct receipt_question *questions, **last_question;
    size_t n_questions, max_questions;
    bool stopped;
};

struct board *board_new(size_t max_questions)
{
    struct board *board = alloc_items(1, sizeof(*board));
    pthread_condattr_t attr;

    pthread_mutex_init(&board->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&board->changed, &attr);
    pthread_condattr_destroy(&attr);
    board->due_ms = INT64_MAX;
    board->last_question = &board->questions;
    board->max_questions = max_questions;
    return board;
}

/* --- pinning, under the lock */

static void pin(struct board *board, struct wanted *wanted, enum board_urgency urgency)
{
    int64_t due = urgency == BOARD_NOW ? 0 : clock_mono_ms() + BOARD_SOON_MS;

    if (!wanted->pinned) {
        if (board->n_pinned == board->room) {
            board->room = board->room == 0 ? 64 : board->room * 2;
            board->pinned = alloc_resize(board->pinned, board->room, sizeof(struct wanted *));
        }
        board->pinned[board->n_pinned++] = wanted;
        wanted->pinned = true;
    }
    if (due < board->due_ms) {
        board->due_ms = due;
        pthread_cond_signal(&board->changed);
    }
}

void board_want(struct board *board, const char *id)
{
    pthread_mutex_lock(&board->lock);
    struct wanted *wanted = map_get_text(&board->wanted, id);
    if (wanted == NULL) {
        wanted = alloc_items(1, sizeof(*wanted));
        memcpy(wanted->note.id, id, strlen(id) + 1);
        map_put_text(&board->wanted, wanted->note.id, wanted);
    }
    wanted->loops++;
    wanted->note.asked = true;
    pin(board, wanted, BOARD_NOW);
    pthread_mutex_unlock(&board->lock);
}

void board_unwant(struct board *board, const char *id)
{
    pthread_mutex_lock(&board->lock);
    struct wanted *wanted = map_get_text(&board->wanted, id);
    if (wanted != NULL && --wanted->loops == 0)
        pin(board, wanted, BOARD_SOON);
    pthread_mutex_unlock(&board->lock);
}

void board_touch(struct board *board, const char *id, enum board_urgency urgency)
{
    pthread_mutex_lock(&board->lock);
    struct wanted *wanted = map_get_text(&board->wanted, id);
    if (wanted != NULL)
        pin(board, wanted, urgency);
    pthread_mutex_unlock(&board->lock);
}

void board_touch_all(struct board *board, enum board_urgency urgency)
{
    size_t cursor = 0;

    pthread_mutex_lock(&board->lock);
    for (struct wanted *wanted; (wanted = map_next(&board->wanted, &cursor)) != NULL;)
        pin(board, wanted, urgency);
    pthread_mutex_unlock(&board->lock);
}

void board_touch_above(struct board *board, const char *id, int64_t version)
{
    pthread_mutex_lock(&board->lock);
    struct wanted *wanted = map_get_text(&board->wanted, id);
    if (wanted != NULL) {
        if (wanted->note.above < version)
            wanted->note.above = version;
        pin(board, wanted, BOARD_NOW);
    }
    pthread_mutex_unlock(&board->lock);
}

bool board_ask(struct board *board, struct receipt_question *question)
{
    pthread_mutex_lock(&board->lock);
    bool room = board->n_questions < board->max_questions && !board->stopped;
    if (room) {
        question->next = NULL;
        *board->last_question = question;
        board->last_question = &question->next;
        board->n_questions++;
        pthread_cond_signal(&board->changed);
    }
    pthread_mutex_unlock(&board->lock);
    return room;
}

void board_stop(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    board->stopped = true;
    pthread_cond_signal(&board->changed);
    pthread_mutex_unlock(&board->lock);
}

/* --- taking */

bool board_wait(struct board *board, int64_t not_before_ms, int64_t until_ms)
{
    bool due;

    pthread_mutex_lock(&board->lock);
    for (;;) {
        int64_t now = clock_mono_ms();
        int64_t read_at = board->due_ms > not_before_ms ? board->due_ms : not_before_ms;
        due = board->due_ms != INT64_MAX && now >= read_at;
        int64_t wake = board->due_ms != INT64_MAX && read_at < until_ms ? read_at : until_ms;
        if (due || board->questions != NULL || board->stopped || now >= wake)
            break;
        struct timespec at = {.tv_sec = wake / 1000, .tv_nsec = wake % 1000 * 1000000};
        pthread_cond_timedwait(&board->changed, &board->lock, &at);
    }
    pthread_mutex_unlock(&board->lock);
    return due;
}

bool board_is_stopped(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    bool stopped = board->stopped;
    pthread_mutex_unlock(&board->lock);
    return stopped;
}

struct board_note *board_take_notes(struct board *board, size_t *n)
{
    pthread_mutex_lock(&board->lock);
    struct board_note *notes = alloc_items(board->n_pinned, sizeof(*notes));
    *n = board->n_pinned;
    for (size_t i = 0; i < board->n_pinned; i++) {
        struct wanted *wanted = board->pinned[i];
        notes[i] = wanted->note;
        notes[i].wanted = wanted->loops > 0;
        wanted->pinned = wanted->note.asked = false;
        wanted->note.above = 0;
        if (wanted->loops == 0)
            free(map_remove_text(&board->wanted, wanted->note.id));
    }
    board->n_pinned = 0;
    board->due_ms = INT64_MAX;
    pthread_mutex_unlock(&board->lock);
    return notes;
}

struct receipt_question *board_take_questions(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    struct receipt_question *questions = board->questions;
    board->questions = NULL;
    board->last_question = &board->questions;
    board->n_questions = 0;
    pthread_mutex_unlock(&board->lock);
    return questions;
}

size_t board_count_notes(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    size_t n = board->n_pinned;
    pthread_mutex_unlock(&board->lock);
    return n;
}
