/* voter - identifies voters and hands out tokens.
 * SPDX-License-Identifier: MIT */
#include "ballots/voter.h"

#include "request_limits.h"
#include "vote_api.h"
#include <string.h>

/* The name is the classic one, so another program of the same domain may have set a cookie of its own, which browsers
 * then send as well, and perhaps first. */
#define COOKIES_TRIED 4

static bool read_cookie(const struct http_call *call, const struct keyring *ring, uint8_t id[VOTER_ID])
{
    for (size_t i = 0; i < COOKIES_TRIED; i++) {
        h2o_iovec_t token = http_cookie(call, VOTER_COOKIE_NAME, i);
        if (token.base == NULL)
            return false;
        if (voter_token_read(ring, token.base, token.len, id))
            return true;
    }
    return false;
}

struct voter voter_identify(const struct http_call *call, const struct keyring *ring)
{
    struct voter voter = {.is_new = false};
    h2o_iovec_t token = http_bearer(call);

    if (voter_token_read(ring, token.base, token.len, voter.id) || read_cookie(call, ring, voter.id))
        return voter;
    voter_id_random(voter.id);
    voter.is_new = true;
    return voter;
}

bool voter_admit(struct http_call *call, const struct voter *voter, struct http_limit *of_new)
{
    return voter->is_new ? http_limit_admit(call, of_new) : limits_admit_voter(call, voter->id, VOTER_ID);
}

/* age_s: 0 removes it. */
static void set_cookie(struct http_call *call, const char *token, const char *age_s)
{
    h2o_mem_pool_t *pool = &call->req->pool;
    char *cookie = h2o_mem_alloc_pool(pool, VOTER_TOKEN_SIZE + 96), *end = stpcpy(cookie, VOTER_COOKIE_NAME "=");

    end = stpcpy(stpcpy(stpcpy(end, token), "; Path=/; Max-Age="), age_s);
    end = stpcpy(end, "; HttpOnly; SameSite=Lax");
    if (http_is_tls(call))
        end = stpcpy(end, "; Secure");
    h2o_add_header(pool, &call->req->res.headers, H2O_TOKEN_SET_COOKIE, NULL, cookie, (size_t)(end - cookie));
}

void voter_set_cookie(struct http_call *call, const struct keyring *ring, const uint8_t id[VOTER_ID])
{
    char token[VOTER_TOKEN_SIZE];

    voter_token_make(ring, id, token);
    set_cookie(call, token, VOTER_COOKIE_AGE_S);
}

void voter_handle_create(struct http_call *call)
{
    const struct vote_api *api = call->service;
    uint8_t id[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];

    voter_id_random(id);
    voter_token_make(api->keyring, id, token);
    http_add_header(call, "cache-control", "no-store");
    http_reply_json(call, 201, json_pack("{s:s}", "token", token));
}

void voter_handle_forget(struct http_call *call)
{
    set_cookie(call, "", "0");
    http_add_header(call, "cache-control", "no-store");
    http_reply(call, 204, NULL, "", 0);
}
