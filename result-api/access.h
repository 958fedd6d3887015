/* access - who may see the results of a poll, and who may keep what was seen. The one place where that is decided.
 * SPDX-License-Identifier: MIT
 *
 * Everybody sees them where the poll says `always`, and of every poll from its closing on (until it is opened again).
 * Before that `after_vote` shows them to who sends a receipt of this poll, and the manage token shows them always. */
#ifndef SCRUTIN_ACCESS_H
#define SCRUTIN_ACCESS_H

#include "ballot/poll_definition.h"
#include "http/http.h"

#define ACCESS_RECEIPT_HEADER "scrutin-receipt"

/* What the sender of a request has shown of himself. */
struct access {
    bool is_manager; /* the poll's manage token, as Authorization: Bearer */
    bool has_voted;  /* a receipt of the poll, as ?receipt= or Scrutin-Receipt */
};

/* The poll that the path names (its first parameter), with a reference for the caller, where the sender may see what
 * people voted; NULL: the request is answered, with 403 and the reason, 404 or 503. Every route that shows anything of
 * that begins with this. It sets Cache-Control and Vary as the answer needs them; etags and the like are the caller's.
 */
struct poll *access_find_poll(struct http_call *call);

/* The same where only the manage token will do: 401 without a token, 403 with another. */
struct poll *access_find_managed_poll(struct http_call *call);

/* What the sender has shown, for what goes on after the request: streams. */
struct access access_of(const struct http_call *call, const struct poll *poll);
/* Whether somebody who has shown that may see a poll's results. */
bool access_may_see(const struct access *access, const struct poll *poll, bool is_public);
/* Whether everybody may at this time. */
bool access_is_public(const struct poll *poll, int64_t now_ms);

#endif
