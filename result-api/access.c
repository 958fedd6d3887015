/* access - visibility of results, and the manage token.
 * SPDX-License-Identifier: MIT */
#include "access.h"

#include "keys.h"

bool access_is_public(const struct poll *poll, int64_t now_ms)
{
    return poll->visibility == VISIBILITY_ALWAYS || poll_state_at(poll, now_ms) == POLL_CLOSED;
}

bool access_is_manager(const struct http_call *call, const struct poll *poll)
{
    h2o_iovec_t token = http_bearer(call);

    return poll->has_manager && token.base != NULL && secret_token_matches(token.base, token.len, poll->manage_hash);
}

bool access_check(struct http_call *call, const struct poll *poll, int64_t now_ms)
{
    if (access_is_public(poll, now_ms) || access_is_manager(call, poll))
        return true;
    http_problem(call, PROBLEM_RESULTS_HIDDEN, NULL,
                 "Come back when the poll is closed; who manages it sees them now, with Authorization: Bearer.");
    return false;
}
