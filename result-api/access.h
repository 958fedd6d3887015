/* access - who may see the results of a poll. The one place where that is decided.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ACCESS_H
#define SCRUTIN_ACCESS_H

#include "http.h"
#include "poll.h"

/* Whether everybody may see them at this time: always where the poll says so, else from its end on. */
bool access_is_public(const struct poll *poll, int64_t now_ms);
/* Whether the sender of the request holds the poll's manage token, with which one sees them at any time. */
bool access_is_manager(const struct http_call *call, const struct poll *poll);
/* Whether the sender may see them; otherwise the request is answered. */
bool access_check(struct http_call *call, const struct poll *poll, int64_t now_ms);

#endif
