/* vote_api - what the handlers of this service share; made by main, lives as long as the process.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_H
#define VOTE_API_H

#include "ballot/keys.h"
#include "ballot/poll_watch.h"
#include "bus/bus.h"
#include "http/http.h"

struct vote_api {
    struct bus *bus;
    struct poll_watch watch; /* the directory of polls */
    struct code_watch *codes;
    struct keyring *ring;
    struct api_keys *api_keys;
    struct address_list *trusted_proxies;
    struct publisher *publisher;
    struct jobs *jobs;
};

#define VOTE_LOOP_POLLS 8 /* that are voted in at the same time */

/* What each event loop has of its own; http_loop_data() of a loop. */
struct vote_loop {
    struct group *group;
    /* Some that were asked for lately, copies: reference counts that loops share cost more than the search. */
    struct poll *polls[VOTE_LOOP_POLLS];
    size_t n_polls;
    unsigned misses; /* since there are so many */
    uint64_t polls_version;
};

/* The poll that a path names, with a reference, or NULL after answering 404 (503 while the polls are not known). */
struct poll *vote_api_find_poll(struct http_call *call, h2o_iovec_t id);
/* Answers 503: SECRET_KEYS lacks the key that hashes this poll's voters. */
void vote_api_refuse_key(struct http_call *call);
/* Logs and answers 500: what was to be stored for this poll could not be read back, or what the bucket has of it. */
void vote_api_refuse_unreadable(struct http_call *call, const char *what, const char *poll, const char *reason);

/* Where the ballots of this request's loop gather. */
static inline struct group *vote_api_group(const struct http_call *call)
{
    const struct vote_loop *loop = http_loop_data(call->loop);

    return loop->group;
}

#endif
