/* watched_poll - keeps what was read, and says what may happen next.
 * SPDX-License-Identifier: MIT */
#include "read/watched_poll.h"

#include "base/alloc.h"

struct watched_poll *watched_poll_new(const char *id)
{
    struct watched_poll *watched = alloc_items(1, sizeof(*watched));

    memcpy(watched->id, id, strlen(id) + 1);
    return watched;
}

void watched_poll_free(struct watched_poll *watched)
{
    tally_fini(&watched->tally);
    ranked_fini(&watched->ranked);
    snapshot_release(watched->last);
    free(watched);
}

void watched_poll_keep_tally(struct watched_poll *watched, struct tally *tally, const struct backlog_point *point)
{
    if (tally->is_large) {
        watched->large = true;
        return;
    }
    tally_fini(&watched->tally);
    watched->tally = *tally;
    watched->fence_passed = backlog_has_passed(point, tally->fence);
    watched->loaded = true;
}

void watched_poll_keep_count(struct watched_poll *watched, struct large_count *count)
{
    tally_fini(&watched->tally);
    watched->tally = count->tally;
    watched->fence_passed = count->fence_passed;
    watched->loaded = true;
    if (count->unchanged)
        return;
    ranked_fini(&watched->ranked);
    watched->ranked = count->ranked;
    watched->is_ranked = true;
    count->ranked.rounds = NULL; /* they belong to the watched poll now */
}

int64_t watched_poll_next_change_ms(const struct watched_poll *watched)
{
    const struct snapshot *last = watched->last;

    if (last != NULL && last->state == RESULT_SCHEDULED)
        return last->poll->opens_at_ms;
    if (last != NULL && last->state == RESULT_OPEN && last->poll->closes_at_ms != 0)
        return last->poll->closes_at_ms;
    return INT64_MAX;
}

bool watched_poll_is_unsettled(const struct watched_poll *watched)
{
    const struct snapshot *last = watched->last;

    return last != NULL && (last->pending > 0 || last->state == RESULT_COUNTING);
}
