/* refusals - each says what the client can do about it.
 * SPDX-License-Identifier: MIT */
#include "refusals.h"

#include "ballot/keys.h"
#include "base/log.h"

bool refuse_unless_manager(struct http_call *call, const struct poll *poll)
{
    h2o_iovec_t token = http_bearer(call);

    if (token.base == NULL) {
        http_add_header(call, "www-authenticate", "Bearer");
        http_problem(call, PROBLEM_UNAUTHORIZED, NULL, "Send the poll's manage token as Authorization: Bearer.");
        return true;
    }
    if (!poll->has_manager || !secret_token_matches(token.base, token.len, poll->manage_hash)) {
        http_problem(call, PROBLEM_FORBIDDEN, NULL,
                     "This is not the poll's manage token. Send the token that the answer to POST /v1/polls had.");
        return true;
    }
    return false;
}

void refuse_missing_key(struct http_call *call)
{
    http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                 "This server lacks the key of this poll. Tell the operator to add it to SECRET_KEYS.");
}

void refuse_unreadable(struct http_call *call, const char *what, const char *poll, const char *reason)
{
    log_error("not stored, because it could not be read back", LOG_S("what", what), LOG_S("poll", poll),
              LOG_S("error", reason));
    http_problem(call, PROBLEM_INTERNAL, NULL,
                 "Nothing was stored, because this server could not have read it back. Tell the operator.");
}
