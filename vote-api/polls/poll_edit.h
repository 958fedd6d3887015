/* poll_edit - what PATCH may do to a poll, and in which state. Pure.
 * SPDX-License-Identifier: MIT
 *
 *   draft ──open──▶ open ──closed──▶ closed        (counting, then final, in result-api)
 *     │  scheduled ──┘  ◀──── open ────┘  where `reopenable`
 *     └──▶ scheduled, which opens by itself at opens_at
 *
 * Until a poll opens everything may be edited. From then on what people voted on, and by which rules, is fixed; title,
 * description, visibility and closing time are not. */
#ifndef VOTE_API_POLL_EDIT_H
#define VOTE_API_POLL_EDIT_H

#include "ballot/poll_definition.h"
#include "base/json.h"
#include "http/problem.h"

/* Applies the body of PATCH to a copy of the poll, which has a higher term where it is opened again. NULL with *problem
 * and *err:
 *
 * INVALID_FIELD        not a value of this field
 * POLL_HAS_OPENED      fixed since the opening, or the state is no longer to be had
 * POLL_NOT_REOPENABLE  it closed, and its rules do not let it open again
 * POLL_CLOSED          a closing time for a poll that closed
 * POLL_NOT_OPEN        closing a draft */
struct poll *poll_edit(const struct poll *old, const json_t *body, int64_t now_ms, enum problem *problem,
                       struct json_error *err);

#endif
