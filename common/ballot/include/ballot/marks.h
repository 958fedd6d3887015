/* marks - the fences and gates of all polls: they say at which ordinals a poll takes ballots.
 * SPDX-License-Identifier: MIT
 *
 *   ballots ──fence 0──  none  ──gate 1──  ballots  ──fence 1──  none
 *
 * In the order of the stream, the first fence of the current term closes the poll, and a gate of a higher term opens it
 * again. All other marks change nothing. They are common: every vote-api publishes its own fence, and a late fence of
 * an earlier term may come behind the gate.
 *
 * A ballot names the term in which it was cast. If that term is higher than the term of the marks before it, the stream
 * was created again and has lost the gate. Such a ballot counts.
 *
 * Marks may be added in any order, and twice. So every worker that knows the marks up to an ordinal decides the same
 * about it. Pure. Not thread-safe. */
#ifndef SCRUTIN_MARKS_H
#define SCRUTIN_MARKS_H

#include "ballot/wire.h"

struct mark {
    int64_t ordinal; /* of its message */
    unsigned term;
    bool opens; /* a gate; otherwise a fence */
};

struct marked_poll;

/* A zeroed book is empty. Every poll is then open. */
struct marks {
    struct marked_poll **polls; /* by id */
    size_t n, room;
};

void marks_fini(struct marks *marks);

void marks_add(struct marks *marks, const char *poll, const struct mark *mark);
/* Reads a batch as a mark. Returns the id of its poll, or NULL when the batch is not a mark. */
const char *marks_read_batch(const struct ballot_batch *batch, int64_t ordinal, struct mark *out);
/* Adds the batch if it is a mark that changes anything. The book must have every mark before it. */
void marks_add_batch(struct marks *marks, const struct ballot_batch *batch, int64_t ordinal);
/* Whether the book has the mark with this ordinal. */
bool marks_has(const struct marks *marks, const char *poll, int64_t ordinal);
/* Whether a ballot with this ordinal and term counts. The book must have every mark before it. */
bool marks_is_open(const struct marks *marks, const char *poll, int64_t ordinal, unsigned term);

/* The state of a poll after all its marks. */
struct marks_state {
    int64_t fence; /* ordinal of the fence that closed it; 0: it is open */
    unsigned term;
    int64_t newest; /* ordinal of the last mark that changed anything; 0: no mark did */
};
struct marks_state marks_state(const struct marks *marks, const char *poll);

#endif
