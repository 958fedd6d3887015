/* poll_change - makes, edits and deletes a poll's definition in the bucket `polls`.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLL_CHANGE_H
#define VOTE_API_POLL_CHANGE_H

#include "base/json.h"
#include "http/problem.h"
#include "vote_api.h"

enum poll_change_kind { POLL_CREATE, POLL_PATCH, POLL_DELETE };

struct poll_change {
    enum poll_change_kind kind;
    /* The caller's reference. Before: the poll to store (POLL_CREATE), else the poll as the directory has it. After:
     * the changed poll, if the change got that far. */
    struct poll *poll;
    json_t *body; /* of POLL_PATCH; the caller's */

    /* Filled by poll_change_run:
     *
     * ST_OK        stored
     * ST_INVALID   no room for another poll (has_no_room), or refused by poll_edit (problem, json_err)
     * ST_CONFLICT  other requests changed the poll each time
     * ST_DECODE    the definition cannot be read; nothing was stored
     * other        the broker: as bus_bucket_get and bus_bucket_put */
    enum status status;
    bool has_no_room;
    enum problem problem;
    struct json_error json_err;
    struct errmsg err;
};

/* Whether another poll may be made. has_key: with an API key. Any thread. */
bool poll_change_has_room(const struct vote_api *api, bool has_key);

/* Carries the change out. Blocks, so it runs on the jobs' thread. */
void poll_change_run(const struct vote_api *api, struct poll_change *change);

#endif
