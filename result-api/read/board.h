/* board - what the loops and the bus want of the refresher: polls to read again, receipts to look up.
 * SPDX-License-Identifier: MIT
 *
 * Thread-safe: anybody pins, the refresher alone waits and takes. Only polls that some loop wants are on the board;
 * what is said about others is dropped at once. */
#ifndef SCRUTIN_BOARD_H
#define SCRUTIN_BOARD_H

#include "ballot/keys.h"
#include "ballot/poll_definition.h"
#include "ballot/receipt_fate.h"
#include "http/http.h"

struct board;

enum board_urgency {
    BOARD_SOON, /* within BOARD_SOON_MS: ballots came into the stream; their doorbell will most likely ring before */
    BOARD_NOW,  /* with the next look */
};
#define BOARD_SOON_MS 100

#define RECEIPT_UNANSWERED RECEIPT_FATES /* the database is away */

/* A receipt to look up; the asker's until board_ask, and again in done(). */
struct receipt_question {
    struct receipt_question *next;
    struct receipt receipt; /* zeroed where it is forged: asked about all the same */
    bool authentic;
    enum receipt_fate fate;
    struct http_loop *loop;
    void (*done)(void *question); /* called on the loop */
    void *arg;
};

struct board *board_new(size_t max_questions);

/* A loop begins or ceases to hold the poll. Beginning also asks for its snapshot to be published once more. */
void board_want(struct board *board, const char *id);
void board_unwant(struct board *board, const char *id);
/* Something about the poll changed, or may have. */
void board_touch(struct board *board, const char *id, enum board_urgency urgency);
void board_touch_all(struct board *board, enum board_urgency urgency);
/* A subscriber has seen this version: the next one must be above. */
void board_touch_above(struct board *board, const char *id, int64_t version);
/* False: too many wait already, the question stays the caller's. */
bool board_ask(struct board *board, struct receipt_question *question);
/* Wakes the refresher for good. */
void board_stop(struct board *board);

/* --- the refresher's side */

/* What was pinned about one poll since the last time. */
struct board_note {
    char id[POLL_ID_MAX + 1];
    bool wanted;   /* false: no loop holds it any more */
    bool asked;    /* publish even what has not changed */
    int64_t above; /* 0, or the version that the next one must be above */
};

/* Waits until there is a question, or the board was stopped, or `until_ms` (monotonic) has come, or something is to be
 * read and `not_before_ms` has come. Returns whether something is to be read now. */
bool board_wait(struct board *board, int64_t not_before_ms, int64_t until_ms);
bool board_is_stopped(struct board *board);
/* All notes, also those that could wait; the caller frees the array. */
struct board_note *board_take_notes(struct board *board, size_t *n);
/* All questions, as a list. */
struct receipt_question *board_take_questions(struct board *board);
size_t board_count_notes(struct board *board);

#endif
