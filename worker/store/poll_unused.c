/* poll_unused - decides from age and state.
 * SPDX-License-Identifier: MIT */
#include "store/poll_unused.h"

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t poll_unused_since(const struct poll *poll)
{
    if (poll->made_with_key || !poll->has_manager)
        return POLL_UNUSED_KEPT;
    return poll->expiring ? 0 : later_of(poll->updated_at_ms, later_of(poll->opens_at_ms, poll->closes_at_ms));
}

struct poll *poll_unused_step(const struct poll *poll, bool is_free, int64_t now_ms, int64_t unused_ms)
{
    int64_t since = poll_unused_since(poll);
    bool is_reopening = poll->opening_term > poll->term;
    struct poll *next;

    if (poll->deleted || is_reopening || since == POLL_UNUSED_KEPT || since + unused_ms > now_ms)
        return NULL;
    switch (poll_state_at(poll, now_ms)) {
    case POLL_OPEN:
        if (poll->closes_at_ms != 0)
            return NULL; /* it closes without us */
        next = poll_copy(poll);
        next->expiring = true;
        next->closes_at_ms = now_ms + POLL_UNUSED_GRACE_MS;
        break;
    case POLL_CLOSED:
        if (!is_free)
            return NULL;
        next = poll_copy(poll);
        next->deleted = true;
        break;
    case POLL_DRAFT: /* it never took a ballot */
        next = poll_copy(poll);
        next->deleted = true;
        break;
    default: /* it opens without us */
        return NULL;
    }
    next->updated_at_ms = later_of(now_ms, poll->updated_at_ms + 1);
    return next;
}
