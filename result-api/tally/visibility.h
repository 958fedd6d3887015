/* visibility - decides who may see the results of a poll. Pure.
 * SPDX-License-Identifier: MIT
 *
 * Everybody may see the results of a poll with the visibility `always`, and the results of any poll while it is closed.
 * At other times the holder of the manage token may see them. With `after_vote`, a client that sends a receipt of the
 * poll may see them too. */
#ifndef SCRUTIN_VISIBILITY_H
#define SCRUTIN_VISIBILITY_H

#include "ballot/poll_definition.h"

/* What a client has proved about itself. */
struct viewer {
    bool is_manager; /* it sent the poll's manage token */
    bool has_voted;  /* it sent a receipt of the poll */
};

/* Says whether everybody may see the results at this time, in milliseconds since 1970. */
bool visibility_is_public(const struct poll *poll, int64_t now_ms);
/* Says whether this viewer may see them. is_public is the answer of visibility_is_public. */
bool visibility_allows(const struct viewer *viewer, const struct poll *poll, bool is_public);

#endif
