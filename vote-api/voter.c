/* voter - identifies voters and hands out tokens.
 * SPDX-License-Identifier: MIT */
#include "voter.h"

#include "vote_api.h"
#include <stdio.h>
#include <string.h>

struct voter voter_identify(const struct http_call *call, const struct keyring *ring)
{
    struct voter voter = {.is_new = false};
    h2o_iovec_t token = http_bearer(call);

    if (voter_token_read(ring, token.base, token.len, voter.id))
        return voter;
    token = http_cookie(call, VOTER_COOKIE_NAME);
    if (voter_token_read(ring, token.base, token.len, voter.id))
        return voter;
    voter_id_random(voter.id);
    voter.is_new = true;
    return voter;
}

void voter_set_cookie(struct http_call *call, const struct keyring *ring, const uint8_t id[VOTER_ID])
{
    char token[VOTER_TOKEN_SIZE], cookie[VOTER_TOKEN_SIZE + 96];

    voter_token_make(ring, id, token);
    snprintf(cookie, sizeof(cookie), VOTER_COOKIE_NAME "=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s", token,
             VOTER_COOKIE_AGE_S, http_is_tls(call) ? "; Secure" : "");
    http_add_header(call, "set-cookie", cookie);
}

void voter_handle_create(struct http_call *call)
{
    const struct vote_api *api = call->service;
    uint8_t id[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];

    voter_id_random(id);
    voter_token_make(api->ring, id, token);
    http_add_header(call, "cache-control", "no-store");
    http_reply_json(call, 201, json_pack("{s:s}", "token", token));
}
