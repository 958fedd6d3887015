/* closer - publishes a fence behind the last ballot of every poll that closed.
 * SPDX-License-Identifier: MIT
 *
 * vote-api accepts a ballot only before its poll closes. The acknowledgement comes at most ACK_TIMEOUT_MS and the
 * broker's write deadline later, or never. The fence leaves CLOSER_MARGIN_MS after that, so every acknowledged ballot
 * of the poll is before the fence, as long as the clocks of all vote-api processes differ by less than the margin. Each
 * process publishes its own fence. The first one counts. */
#ifndef VOTE_API_CLOSER_H
#define VOTE_API_CLOSER_H

#include "vote_api.h"

#define CLOSER_MARGIN_MS 1000

/* Starts the thread, which runs as long as the process. ack_timeout_ms: as above. ST_IO: no thread. */
MUST_CHECK enum status closer_start(const struct vote_api *api, int64_t ack_timeout_ms, struct errmsg *err);

#endif
