/* access - visibility, the manage token, receipts.
 * SPDX-License-Identifier: MIT */
#include "access.h"

#include "ballot/keys.h"
#include "base/clock.h"
#include "result_api.h"
#include <string.h>

/* --- decisions */

bool access_is_public(const struct poll *poll, int64_t now_ms)
{
    return poll->visibility == VISIBILITY_ALWAYS || poll_state_at(poll, now_ms) == POLL_CLOSED;
}

bool access_may_see(const struct access *access, const struct poll *poll, bool is_public)
{
    return is_public || access->is_manager || (access->has_voted && poll->visibility == VISIBILITY_AFTER_VOTE);
}

static bool is_receipt_of(const struct keyring *ring, h2o_iovec_t text, const struct poll *poll)
{
    struct receipt receipt;

    return text.len > 0 && receipt_read(ring, text.base, text.len, &receipt) && strcmp(receipt.poll, poll->id) == 0;
}

struct access access_of(const struct http_call *call, const struct poll *poll)
{
    const struct result_api *api = call->service;
    h2o_iovec_t token = http_bearer(call);

    return (struct access){
        .is_manager = poll->has_manager && token.base != NULL &&
                      secret_token_matches(token.base, token.len, poll->manage_hash),
        .has_voted = is_receipt_of(api->ring, http_header(call, ACCESS_RECEIPT_HEADER), poll) ||
                     is_receipt_of(api->ring, http_query(call, "receipt"), poll),
    };
}

/* --- answers */

/* What hides the results now, and what will show them. */
static void refuse(struct http_call *call, const struct poll *poll, int64_t now_ms)
{
    json_t *members = json_pack("{s:s}", "visibility", poll_visibility_name(poll->visibility));
    const char *how = poll->visibility == VISIBILITY_AFTER_VOTE
                          ? "Vote, and send the receipt as ?receipt= or Scrutin-Receipt; everybody sees the results"
                          : "The results show";
    char when[CLOCK_TEXT + 64] = "when somebody closes the poll", seconds[24];

    if (poll->closes_at_ms != 0) {
        int at = snprintf(when, sizeof(when), "when the poll has closed, at ");
        clock_format_ms(poll->closes_at_ms, when + at);
        json_object_set_new(members, "visible_at", json_string(when + at));
        snprintf(seconds, sizeof(seconds), "%lld", (long long)((poll->closes_at_ms - now_ms + 999) / 1000));
        http_add_header(call, "retry-after", seconds);
    }
    http_problem_with(call, PROBLEM_RESULTS_HIDDEN, members,
                      "%s %s. Who manages the poll sees them now, with its manage token as Authorization: Bearer.", how,
                      when);
}

/* A shared cache may keep what everybody may see, if it asks each time; of a poll that hides its results at other
 * times the answer also depends on what the sender shows. */
static void set_caching(struct http_call *call, const struct poll *poll, bool is_public)
{
    http_set_header(call, "cache-control", is_public ? "no-cache" : "private, no-store");
    if (poll->visibility != VISIBILITY_ALWAYS)
        http_set_header(call, "vary", "Authorization, Scrutin-Receipt");
}

static bool check(struct http_call *call, const struct poll *poll)
{
    int64_t now = clock_wall_ms();
    bool is_public = access_is_public(poll, now);

    set_caching(call, poll, is_public);
    if (is_public)
        return true;
    const struct access access = access_of(call, poll);
    if (access_may_see(&access, poll, false))
        return true;
    refuse(call, poll, now);
    return false;
}

/* The poll that the path names, or NULL after answering. */
static struct poll *find(struct http_call *call)
{
    const struct result_api *api = call->service;
    struct poll *poll = directory_find(api->watch.polls, call->params[0].base, call->params[0].len);

    if (poll != NULL && !poll->deleted)
        return poll;
    if (poll == NULL && !atomic_load(&api->watch.is_known))
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The polls are still being read; try again in a second.");
    else
        http_problem(call, PROBLEM_POLL_NOT_FOUND, NULL, "Check the poll's code; GET /v1/polls lists the open ones.");
    poll_release(poll);
    return NULL;
}

struct poll *access_find_poll(struct http_call *call)
{
    struct poll *poll = find(call);

    if (poll == NULL || check(call, poll))
        return poll;
    poll_release(poll);
    return NULL;
}

struct poll *access_find_managed_poll(struct http_call *call)
{
    struct poll *poll = find(call);

    if (poll == NULL)
        return NULL;
    http_set_header(call, "cache-control", "private, no-store");
    if (access_of(call, poll).is_manager)
        return poll;
    if (http_bearer(call).base == NULL) {
        http_add_header(call, "www-authenticate", "Bearer");
        http_problem(call, PROBLEM_UNAUTHORIZED, NULL, "Send the poll's manage token as Authorization: Bearer.");
    } else {
        http_problem(call, PROBLEM_FORBIDDEN, NULL, "This is not the poll's manage token.");
    }
    poll_release(poll);
    return NULL;
}
