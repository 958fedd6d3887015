/* vote_api - what the handlers of this service share. main makes it; it lives as long as the process.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_H
#define VOTE_API_H

#include "ballot/keys.h"
#include "ballot/poll_watch.h"
#include "bus/bus.h"
#include "http/http.h"
#include "polls/poll_cache.h"

struct vote_api {
    struct bus *bus;
    struct poll_watch watch; /* the directory of polls */
    struct code_watch *codes;
    struct keyring *keyring;
    struct api_keys *api_keys;
    struct jobs *jobs;
};

/* What each event loop has of its own. */
struct vote_loop {
    struct group *group; /* where the ballots of this loop gather */
    struct poll_cache cache;
};

/* The own data of this request's loop. */
static inline struct vote_loop *vote_api_loop(const struct http_call *call)
{
    return http_loop_data(call->loop);
}

#endif
