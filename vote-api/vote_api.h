/* vote_api - what the handlers of this service share; made by main, lives as long as the process.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_H
#define VOTE_API_H

#include "bus.h"
#include "http.h"
#include "keys.h"
#include "poll_watch.h"

struct vote_api {
    struct bus *bus;
    struct poll_watch watch; /* the directory of polls */
    struct keyring *ring;
    struct api_keys *api_keys;
    struct publisher *publisher;
    struct jobs *jobs;
};

/* The poll that a path names, with a reference, or NULL after answering 404 (503 while the polls are not known). */
struct poll *vote_api_find_poll(struct http_call *call, h2o_iovec_t id);

#endif
