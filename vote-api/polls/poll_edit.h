/* poll_edit - what PATCH may do to a poll, and in which state. Pure.
 * SPDX-License-Identifier: MIT
 *
 *   draft ──open──▶ open ──closed──▶ closed        (counting, then final, in result-api)
 *     │  scheduled ──┘  ◀──── open ────┘  if reopenable
 *     └──▶ scheduled, which opens by itself at opens_at
 *
 * Until a poll opens, every field may change. From then on, the options and the rules of the vote are fixed. Title,
 * description, visibility and closing time may still change. */
#ifndef VOTE_API_POLL_EDIT_H
#define VOTE_API_POLL_EDIT_H

#include "ballot/poll_definition.h"
#include "base/json.h"
#include "http/problem.h"

/* Applies the body of PATCH to a copy of the poll and returns the copy, a new reference. If the poll is opened again,
 * the copy has the next term. NULL with *problem and *err:
 *
 * INVALID_FIELD        the value does not fit the field
 * POLL_HAS_OPENED      the field is fixed since the opening, or the poll can no longer have this state
 * POLL_NOT_REOPENABLE  the poll has closed and cannot open again
 * POLL_CLOSED          a closing time for a poll that has closed
 * POLL_NOT_OPEN        a draft cannot be closed */
struct poll *poll_edit(const struct poll *old, const json_t *body, int64_t now_ms, enum problem *problem,
                       struct json_error *err);

/* Sets updated_at to now, or later if the clock was set back: a directory drops definitions that are not newer. */
static inline void poll_edit_touch(struct poll *poll, int64_t now_ms)
{
    poll->updated_at_ms = now_ms > poll->updated_at_ms ? now_ms : poll->updated_at_ms + 1;
}

#endif
