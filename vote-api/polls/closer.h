/* closer - publishes a fence behind the last ballot of every poll that closed.
 * SPDX-License-Identifier: MIT
 *
 * A ballot is accepted before its poll closes and acknowledged at most ACK_TIMEOUT_MS and the write deadline later, or
 * never. So a fence that leaves CLOSER_MARGIN_MS after that has every acknowledged ballot of the poll before it, as
 * long as the clocks of the vote-api instances differ by less than the margin. Each instance publishes its own fence;
 * the first one counts. */
#ifndef VOTE_API_CLOSER_H
#define VOTE_API_CLOSER_H

#include "vote_api.h"

#define CLOSER_MARGIN_MS 1000

MUST_CHECK enum status closer_start(const struct vote_api *api, int64_t ack_timeout_ms, struct errmsg *err);

#endif
