/* visibility - the two rules.
 * SPDX-License-Identifier: MIT */
#include "tally/visibility.h"

bool visibility_is_public(const struct poll *poll, int64_t now_ms)
{
    return poll->visibility == VISIBILITY_ALWAYS || poll_state_at(poll, now_ms) == POLL_CLOSED;
}

bool visibility_allows(const struct viewer *viewer, const struct poll *poll, bool is_public)
{
    return is_public || viewer->is_manager || (viewer->has_voted && poll->visibility == VISIBILITY_AFTER_VOTE);
}
