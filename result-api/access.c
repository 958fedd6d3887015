/* access - reads manage tokens and receipts, and refuses.
 * SPDX-License-Identifier: MIT */
#include "access.h"

#include "ballot/keys.h"
#include "base/clock.h"
#include "result_api.h"
#include <string.h>

static bool is_receipt_of(const struct keyring *keyring, h2o_iovec_t text, const struct poll *poll)
{
    struct receipt receipt;

    return text.len > 0 && receipt_read(keyring, text.base, text.len, &receipt) && strcmp(receipt.poll, poll->id) == 0;
}

struct viewer access_read_viewer(const struct http_call *call, const struct poll *poll)
{
    const struct result_api *api = call->service;
    h2o_iovec_t token = http_bearer(call);

    return (struct viewer){
        .is_manager = poll->has_manager && token.base != NULL &&
                      secret_token_matches(token.base, token.len, poll->manage_hash),
        .has_voted = is_receipt_of(api->keyring, http_header(call, ACCESS_RECEIPT_HEADER), poll) ||
                     is_receipt_of(api->keyring, http_query(call, "receipt"), poll),
    };
}

/* Says why the results are hidden, and when or how the sender can see them. */
static void refuse_hidden_results(struct http_call *call, const struct poll *poll, int64_t now_ms)
{
    json_t *members = json_pack("{s:s}", "visibility", poll_visibility_name(poll->visibility));
    const char *how =
        poll->visibility == VISIBILITY_AFTER_VOTE
            ? "Vote, then send your receipt as ?receipt= or Scrutin-Receipt. Everybody can see the results"
            : "Everybody can see the results";
    char when[CLOCK_TEXT + 64] = "when somebody closes the poll", seconds[24];

    if (poll->closes_at_ms != 0) {
        int at = snprintf(when, sizeof(when), "when the poll closes, at ");
        clock_format_ms(poll->closes_at_ms, when + at);
        json_object_set_new(members, "visible_at", json_string(when + at));
        snprintf(seconds, sizeof(seconds), "%lld", (long long)((poll->closes_at_ms - now_ms + 999) / 1000));
        http_add_header(call, "retry-after", seconds);
    }
    http_problem_with(call, PROBLEM_RESULTS_HIDDEN, members,
                      "%s %s. To see them now, send the poll's manage token as Authorization: Bearer.", how, when);
}

/* A shared cache may keep public results if it asks again each time. If the poll can hide its results, the answer
 * depends on the token and the receipt too. */
static void set_caching(struct http_call *call, const struct poll *poll, bool is_public)
{
    http_set_header(call, "cache-control", is_public ? "no-cache" : "private, no-store");
    if (poll->visibility != VISIBILITY_ALWAYS)
        http_set_header(call, "vary", "Authorization, Scrutin-Receipt");
}

static struct poll *find_poll_or_refuse(struct http_call *call)
{
    const struct result_api *api = call->service;
    struct poll *poll = directory_find(api->watch.polls, call->params[0].base, call->params[0].len);

    if (poll != NULL && !poll->deleted)
        return poll;
    if (poll == NULL && !atomic_load(&api->watch.is_known))
        http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                     "This server is still reading the list of polls. Try again in a second.");
    else
        http_problem(call, PROBLEM_POLL_NOT_FOUND, NULL, "Check the poll's id. GET /v1/polls lists the open polls.");
    poll_release(poll);
    return NULL;
}

struct poll *access_find_poll_or_refuse(struct http_call *call)
{
    struct poll *poll = find_poll_or_refuse(call);

    if (poll == NULL)
        return NULL;
    int64_t now = clock_wall_ms();
    bool is_public = visibility_is_public(poll, now);
    set_caching(call, poll, is_public);
    if (is_public) /* reading tokens and receipts costs cryptography */
        return poll;
    const struct viewer viewer = access_read_viewer(call, poll);
    if (visibility_allows(&viewer, poll, false))
        return poll;
    refuse_hidden_results(call, poll, now);
    poll_release(poll);
    return NULL;
}

struct poll *access_find_managed_poll_or_refuse(struct http_call *call)
{
    struct poll *poll = find_poll_or_refuse(call);

    if (poll == NULL)
        return NULL;
    http_set_header(call, "cache-control", "private, no-store");
    if (access_read_viewer(call, poll).is_manager)
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
