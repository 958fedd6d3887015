/* voter - identifies voters, takes their ballots from quotas, and hands out tokens.
 * SPDX-License-Identifier: MIT */
#include "ballots/voter.h"

#include "request_limits.h"
#include "vote_api.h"
#include <string.h>

/* The classic contract gives the cookie its name. Another program on the same domain may use that name too; then
 * browsers send both cookies, in any order. */
#define COOKIES_TRIED 4

/* --- who votes */

static bool read_cookie(const struct http_call *call, const struct keyring *keyring, uint8_t id[VOTER_ID])
{
    for (size_t i = 0; i < COOKIES_TRIED; i++) {
        h2o_iovec_t token = http_cookie(call, VOTER_COOKIE_NAME, i);
        if (token.base == NULL)
            return false;
        if (voter_token_read(keyring, token.base, token.len, id))
            return true;
    }
    return false;
}

bool voter_admit_or_refuse(struct http_call *call, const void *voter, size_t len)
{
    uint32_t left;

    if (limit_voter_ballots.rate == NULL)
        return true;
    if (!http_limit_admit_key(call, &limit_voter_ballots, http_limit_key(voter, len), &left))
        return false;
    return limit_voter_ballots.quota.quota - left <= LIMIT_OWN_BALLOTS || http_limit_admit(call, &limit_revisions);
}

bool voter_identify_or_refuse(struct http_call *call, const struct keyring *keyring, struct http_limit *limit_of_new,
                              struct voter *voter)
{
    h2o_iovec_t token = http_bearer(call);

    voter->is_new = false;
    if (voter_token_read(keyring, token.base, token.len, voter->id) || read_cookie(call, keyring, voter->id))
        return voter_admit_or_refuse(call, voter->id, VOTER_ID);
    voter_id_random(voter->id);
    voter->is_new = true;
    return http_limit_admit(call, limit_of_new);
}

/* --- tokens */

/* age_s: seconds as text; "0" removes the cookie. */
static void add_set_cookie(struct http_call *call, const char *token, const char *age_s)
{
    h2o_mem_pool_t *pool = &call->req->pool;
    char *cookie = h2o_mem_alloc_pool(pool, VOTER_TOKEN_SIZE + 96), *end = stpcpy(cookie, VOTER_COOKIE_NAME "=");

    end = stpcpy(stpcpy(stpcpy(end, token), "; Path=/; Max-Age="), age_s);
    end = stpcpy(end, "; HttpOnly; SameSite=Lax");
    if (http_is_tls(call))
        end = stpcpy(end, "; Secure");
    h2o_add_header(pool, &call->req->res.headers, H2O_TOKEN_SET_COOKIE, NULL, cookie, (size_t)(end - cookie));
}

void voter_set_cookie(struct http_call *call, const struct keyring *keyring, const uint8_t id[VOTER_ID])
{
    char token[VOTER_TOKEN_SIZE];

    voter_token_make(keyring, id, token);
    add_set_cookie(call, token, VOTER_COOKIE_AGE_S);
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
    add_set_cookie(call, "", "0");
    http_add_header(call, "cache-control", "no-store");
    http_reply(call, 204, NULL, "", 0);
}
