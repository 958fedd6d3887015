/* marks - keeps the marks of each poll in order, and goes through them from the first.
 * SPDX-License-Identifier: MIT */
#include "ballot/marks.h"

#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

struct marked_poll {
    char id[POLL_ID_MAX + 1];
    struct mark *marks; /* by ordinal */
    size_t n, room;
};

void marks_fini(struct marks *marks)
{
    for (size_t i = 0; i < marks->n; i++) {
        free(marks->polls[i]->marks);
        free(marks->polls[i]);
    }
    free(marks->polls);
    *marks = (struct marks){0};
}

/* Index of the first poll whose id is at least this one. */
static size_t find_place(const struct marks *marks, const char *id)
{
    size_t low = 0, high = marks->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(marks->polls[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct marked_poll *find_poll(const struct marks *marks, const char *id)
{
    size_t place = find_place(marks, id);
    return place < marks->n && strcmp(marks->polls[place]->id, id) == 0 ? marks->polls[place] : NULL;
}

static struct marked_poll *get_poll(struct marks *marks, const char *id)
{
    size_t place = find_place(marks, id);
    if (place < marks->n && strcmp(marks->polls[place]->id, id) == 0)
        return marks->polls[place];
    struct marked_poll *poll = alloc_items(1, sizeof(*poll));
    strncpy(poll->id, id, POLL_ID_MAX);
    GROW(marks->polls, marks->room, marks->n + 1);
    struct marked_poll **at = marks->polls + place;
    memmove(at + 1, at, (marks->n - place) * sizeof(*at));
    *at = poll;
    marks->n++;
    return poll;
}

void marks_add(struct marks *marks, const char *id, const struct mark *mark)
{
    struct marked_poll *poll = get_poll(marks, id);
    size_t place = poll->n; /* most marks come in order */
    while (place > 0 && poll->marks[place - 1].ordinal >= mark->ordinal)
        place--;
    if (place < poll->n && poll->marks[place].ordinal == mark->ordinal)
        return;
    GROW(poll->marks, poll->room, poll->n + 1);
    struct mark *at = poll->marks + place;
    memmove(at + 1, at, (poll->n - place) * sizeof(*at));
    *at = *mark;
    poll->n++;
}

const char *marks_read_batch(const struct ballot_batch *batch, int64_t ordinal, struct mark *out)
{
    *out = (struct mark){.ordinal = ordinal, .term = batch->term, .opens = batch->gate_poll[0] != '\0'};
    const char *poll = out->opens ? batch->gate_poll : batch->fence_poll;
    return poll[0] == '\0' ? NULL : poll;
}

/* A fence of a higher term than the gates before it means that the stream has lost a gate, because the gate is recorded
 * before the fence. Ballots of that term were counted up to here, and the fence closes the term. */
static void apply_mark(struct marks_state *state, const struct mark *mark)
{
    if (mark->opens ? mark->term <= state->term : mark->term < state->term)
        return;
    if (mark->term == state->term && state->fence != 0)
        return;
    state->fence = mark->opens ? 0 : mark->ordinal;
    state->term = mark->term;
    state->newest = mark->ordinal;
}

/* The state after all marks up to this ordinal. */
static struct marks_state state_at(const struct marks *marks, const char *id, int64_t ordinal)
{
    struct marks_state state = {0};
    const struct marked_poll *poll = find_poll(marks, id);
    for (size_t i = 0; poll != NULL && i < poll->n && poll->marks[i].ordinal <= ordinal; i++)
        apply_mark(&state, &poll->marks[i]);
    return state;
}

bool marks_is_open(const struct marks *marks, const char *poll, int64_t ordinal, unsigned term)
{
    struct marks_state state = state_at(marks, poll, ordinal);
    return state.fence == 0 || state.term < term;
}

struct marks_state marks_state(const struct marks *marks, const char *poll)
{
    return state_at(marks, poll, INT64_MAX);
}

/* All marks before this one are known, so a mark that changes nothing now never will. Every vote-api fences every
 * closed poll again when it starts, and the book must not grow with that. */
void marks_add_batch(struct marks *marks, const struct ballot_batch *batch, int64_t ordinal)
{
    struct mark mark;
    const char *poll = marks_read_batch(batch, ordinal, &mark);
    if (poll == NULL)
        return;
    struct marks_state state = state_at(marks, poll, ordinal - 1);
    apply_mark(&state, &mark);
    if (state.newest == ordinal)
        marks_add(marks, poll, &mark);
}

bool marks_has(const struct marks *marks, const char *id, int64_t ordinal)
{
    const struct marked_poll *poll = find_poll(marks, id);
    for (size_t i = poll == NULL ? 0 : poll->n; i > 0 && poll->marks[i - 1].ordinal >= ordinal; i--)
        if (poll->marks[i - 1].ordinal == ordinal)
            return true;
    return false;
}
