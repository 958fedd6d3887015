/* answer_window - answers that come in another order than their questions, put in order. Pure.
 * SPDX-License-Identifier: MIT
 *
 * A broker of a cluster that passes questions on to the leader answers them with several threads. Questions have
 * numbers from 0, and at most ANSWER_WINDOW of them are under way. */
#ifndef SCRUTIN_ANSWER_WINDOW_H
#define SCRUTIN_ANSWER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_WINDOW 16 /* an answer has up to 1.4 MB */

struct answer_window {
    void *kept[ANSWER_WINDOW]; /* by number modulo the size; NULL: not here yet */
    uint64_t asked, taken;     /* numbers below these */
};

static inline bool answer_window_is_full(const struct answer_window *window)
{
    return window->asked - window->taken == ANSWER_WINDOW;
}

/* False: nobody asked that, or it was answered before; the answer stays the caller's. */
static inline bool answer_window_keep(struct answer_window *window, uint64_t number, void *answer)
{
    if (number < window->taken || number >= window->asked || window->kept[number % ANSWER_WINDOW] != NULL)
        return false;
    window->kept[number % ANSWER_WINDOW] = answer;
    return true;
}

/* The answer to the oldest question under way, the caller's now; NULL: it is not here yet. */
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
