/* answer_window - puts answers into the order of their questions. Pure. Not thread-safe.
 * SPDX-License-Identifier: MIT
 *
 * In a cluster, the broker that we are connected to passes questions on to the leader, and several threads answer them.
 * So the answers may come in any order. Questions are numbered from 0, and at most ANSWER_WINDOW wait for an answer. */
#ifndef SCRUTIN_ANSWER_WINDOW_H
#define SCRUTIN_ANSWER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_WINDOW 16 /* questions; an answer has up to 1.4 MB */

struct answer_window {
    void *kept[ANSWER_WINDOW]; /* by number modulo the size; NULL: the answer has not come yet */
    uint64_t asked, taken;     /* how many questions were asked, and how many answers were taken */
};

static inline bool answer_window_is_full(const struct answer_window *window)
{
    return window->asked - window->taken == ANSWER_WINDOW;
}

/* Takes over the answer. False: no such question waits, and the caller keeps the answer. */
static inline bool answer_window_keep(struct answer_window *window, uint64_t number, void *answer)
{
    if (number < window->taken || number >= window->asked || window->kept[number % ANSWER_WINDOW] != NULL)
        return false;
    window->kept[number % ANSWER_WINDOW] = answer;
    return true;
}

/* The answer to the oldest question that waits; the caller owns it. NULL: it has not come yet. */
static inline void *answer_window_take(struct answer_window *window)
{
    void *answer = window->kept[window->taken % ANSWER_WINDOW];

    if (answer != NULL) {
        window->kept[window->taken % ANSWER_WINDOW] = NULL;
        window->taken++;
    }
    return answer;
}

#endif
