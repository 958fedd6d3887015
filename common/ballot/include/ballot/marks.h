/* marks - the book of fences and gates: at which ordinals a poll takes ballots.
 * SPDX-License-Identifier: MIT
 *
 *   ballots ──fence 0──  none  ──gate 1──  ballots  ──fence 1──  none
 *
 * In the order of the stream the first fence of the current term closes the poll, and a gate of a higher term opens it
 * again. All others change nothing: every vote-api publishes a fence of its own, and late ones of a term that is over
 * come behind the gate. A ballot says in which term it was cast: one of a higher term than the marks before it know
 * was taken behind a gate that the stream has lost (it was made anew), and counts. The order in which marks are added
 * does not matter, nor does adding one twice: so every worker that knows the marks up to an ordinal says the same of
 * it. Pure; not thread-safe. */
#ifndef SCRUTIN_MARKS_H
#define SCRUTIN_MARKS_H

#include "ballot/wire.h"

struct mark {
    int64_t ordinal; /* of its message */
    unsigned term;
    bool opens; /* a gate; otherwise a fence */
};

struct marked_poll;

/* A zeroed book is empty: every poll is open. */
struct marks {
    struct marked_poll **polls; /* by id */
    size_t n, room;
};

void marks_fini(struct marks *marks);

void marks_add(struct marks *marks, const char *poll, const struct mark *mark);
/* The mark that a batch is, or NULL as the poll's id where it is none. */
const char *marks_read_batch(const struct ballot_batch *batch, int64_t ordinal, struct mark *out);
/* Adds the mark that a batch is, if it is one and changes anything. The book must have every mark before it. */
void marks_add_batch(struct marks *marks, const struct ballot_batch *batch, int64_t ordinal);
/* Whether the book has the mark of this ordinal. */
bool marks_has(const struct marks *marks, const char *poll, int64_t ordinal);
/* Whether a ballot of this ordinal and term counts, as far as the marks before it are in the book. */
bool marks_is_open(const struct marks *marks, const char *poll, int64_t ordinal, unsigned term);

/* How all marks of a poll leave it. */
struct marks_state {
    int64_t fence; /* ordinal of the fence that closed it; 0: it is open */
    unsigned term;
    int64_t newest; /* ordinal of the last mark that changed anything; 0: none did */
};
struct marks_state marks_state(const struct marks *marks, const char *poll);

#endif
