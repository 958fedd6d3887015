/* classic - POST / as the well-known demo voting systems have it, on the default poll.
 * SPDX-License-Identifier: MIT
 *
 * Form `vote=a` with the cookie voter_id, or JSON {"vote":"a","voter_id":"..."}; both answer {"hostname","voter_id"}
 * once the ballot is durable. */
#ifndef VOTE_API_CLASSIC_H
#define VOTE_API_CLASSIC_H

#include "http/http.h"

void classic_handle_post(struct http_call *call);

#endif
