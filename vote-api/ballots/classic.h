/* classic - POST / on the default poll, as the well-known demo voting systems have it.
 * SPDX-License-Identifier: MIT
 *
 * The request is the form `vote=a` with the cookie voter_id, or JSON {"vote":"a","voter_id":"..."}. The answer comes
 * when the ballot is durable: {"hostname","voter_id"}. */
#ifndef VOTE_API_CLASSIC_H
#define VOTE_API_CLASSIC_H

#include "http/http.h"

void classic_handle_post(struct http_call *call);

#endif
