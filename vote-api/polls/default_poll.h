/* default_poll - the poll that the classic `POST /` votes in, from the settings DEFAULT_POLL, OPTION_A and OPTION_B.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_DEFAULT_POLL_H
#define VOTE_API_DEFAULT_POLL_H

#include "vote_api.h"

/* ST_CONFIG: one of the three settings is not valid; the error names it. */
MUST_CHECK enum status default_poll_check_settings(struct errmsg *err);
/* Makes the default poll unless there is one already. bucket_size: polls in the bucket, as poll_watch.on_synced has it.
 * Blocks; runs on the watch's thread. */
void default_poll_ensure(const struct vote_api *api, size_t bucket_size);

#endif
