/* poll_cache - looks at the loop's own copies first, then in the directory.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_cache.h"

#include "vote_api.h"
#include <string.h>

/* A copy is worth its cost only if several requests use it. When all places are taken, one miss in this number
 * replaces a copy. */
#define MISSES_PER_COPY 64

static void keep_copy(struct poll_cache *cache, const struct poll *poll)
{
    size_t place = cache->n;

    if (place < POLL_CACHE_MAX)
        cache->n++;
    else if (++cache->misses % MISSES_PER_COPY == 0)
        place = cache->misses / MISSES_PER_COPY % POLL_CACHE_MAX;
    else
        return;
    poll_release(cache->polls[place]);
    cache->polls[place] = poll_copy(poll);
}

static struct poll *find_cached(struct poll_cache *cache, struct directory *directory, h2o_iovec_t id)
{
    uint64_t version = directory_version(directory);

    if (cache->version != version) /* any of the copies may be outdated */
        for (; cache->n > 0; cache->polls[cache->n] = NULL)
            poll_release(cache->polls[--cache->n]);
    cache->version = version;
    for (size_t i = 0; i < cache->n; i++)
        if (h2o_memis(id.base, id.len, cache->polls[i]->id, strlen(cache->polls[i]->id)))
            return poll_retain(cache->polls[i]);
    struct poll *poll = directory_find(directory, id.base, id.len);
    if (poll != NULL)
        keep_copy(cache, poll);
    return poll;
}

struct poll *find_poll_or_refuse(struct http_call *call, h2o_iovec_t id)
{
    const struct vote_api *api = call->service;
    struct poll *poll = find_cached(&vote_api_loop(call)->cache, api->watch.polls, id);

    if (poll != NULL && !poll->deleted)
        return poll;
    poll_release(poll);
    if (atomic_load(&api->watch.is_known))
        http_problem(call, PROBLEM_POLL_NOT_FOUND, NULL, "Check the poll's id. GET /v1/polls lists the open polls.");
    else
        http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                     "This server is still reading the list of polls. Try again in a second.");
    return NULL;
}
