/* poll_change - tries again when another request was faster.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_change.h"

#include "base/clock.h"
#include "codes/code_watch.h"
#include "polls/poll_edit.h"
#include "polls/poll_marks.h"
#include "polls/poll_store.h"
#include "request_limits.h"
#include "settings.h"
#include <sodium.h>
#include <stdlib.h>

#define ID_LENGTH 8 /* 31^8 ids: too many to guess one, and few enough characters to type */
#define ID_TRIES 5
#define CHANGE_TRIES 6 /* a reopening takes two, and other requests may come between */

static const char id_alphabet[] = "23456789abcdefghijkmnpqrstuvwxyz"; /* without 0, 1, l and o, which look alike */

/* --- a new poll */

bool poll_change_has_room(const struct vote_api *api, bool has_key)
{
    return directory_count(api->watch.polls) < limits_share(settings.polls_max, has_key);
}

static void set_random_id(struct poll *poll)
{
    for (int i = 0; i < ID_LENGTH; i++)
        poll->id[i] = id_alphabet[randombytes_uniform(sizeof(id_alphabet) - 1)];
    poll->id[ID_LENGTH] = '\0';
}

/* The limit is checked here again, on the only thread that makes polls, because many requests may have found room at
 * the same time. Polls that other vote-apis make at this moment are not known yet, so n vote-apis can exceed the limit
 * by n - 1 polls. */
static void create_poll(const struct vote_api *api, struct poll_change *change)
{
    change->has_no_room = !poll_change_has_room(api, change->poll->made_with_key);
    change->status = change->has_no_room ? ST_INVALID : ST_CONFLICT;
    for (int i = 0; i < ID_TRIES && change->status == ST_CONFLICT; i++) {
        set_random_id(change->poll);
        change->status = poll_store_put(api, change->poll, 0, &change->err);
    }
}

/* --- a poll that exists */

/* The changed copy of the current definition; NULL with the problem. */
static struct poll *make_changed_copy(struct poll_change *change, const struct poll *current)
{
    if (change->kind == POLL_PATCH)
        return poll_edit(current, change->body, clock_wall_ms(), &change->problem, &change->json_err);
    struct poll *deleted = poll_copy(current);
    deleted->deleted = true;
    poll_edit_touch(deleted, clock_wall_ms());
    return deleted;
}

/* Writes into the definition that the poll is about to be opened again. If this process dies before it is done, the
 * gate may be in the stream already. Then the closer of another vote-api closes the announced term. */
static enum status announce_reopening(const struct vote_api *api, const struct poll *current, unsigned term,
                                      uint64_t revision, struct errmsg *err)
{
    struct poll *announced = poll_copy(current);

    announced->opening_term = term;
    poll_edit_touch(announced, clock_wall_ms());
    enum status st = poll_store_put(api, announced, revision, err);
    poll_release(announced);
    return st;
}

/* Stores the changed definition in place of the current one, which has this revision. *again: the definition has to be
 * read and changed once more. */
static enum status store_changed(const struct vote_api *api, const struct poll *current, const struct poll *changed,
                                 uint64_t revision, bool *again, struct errmsg *err)
{
    enum status st;

    *again = false;
    if (changed->term == current->term)
        return poll_store_put(api, changed, revision, err);
    if (current->opening_term != changed->term) {
        st = announce_reopening(api, current, changed->term, revision, err);
        *again = st == ST_OK || st == ST_CONFLICT;
        return st;
    }
    /* The gate comes first: ballots of the new term must be behind it in the stream. */
    st = poll_marks_publish_gate(api->bus, changed->id, changed->term, err);
    if (st == ST_OK)
        st = poll_store_put(api, changed, revision, err);
    *again = st == ST_CONFLICT;
    return st;
}

/* Changes the definition in the bucket, which may be newer than the one in the directory. Returns whether to try
 * again. */
static bool try_change(const struct vote_api *api, struct poll_change *change)
{
    struct bus_value value;
    struct poll *current = NULL, *changed = NULL;
    bool again = false;

    change->status = bus_bucket_get(api->bus, BUS_BUCKET_POLLS, change->poll->id, &value, &change->err);
    if (change->status == ST_OK)
        change->status = wire_decode_poll(value.bytes.data, value.bytes.len, &current, &change->err);
    if (change->status == ST_OK && (changed = make_changed_copy(change, current)) == NULL)
        change->status = ST_INVALID;
    if (change->status == ST_OK)
        change->status = store_changed(api, current, changed, value.revision, &again, &change->err);
    if (changed != NULL && !again) {
        poll_release(change->poll);
        change->poll = changed;
        changed = NULL;
    }
    poll_release(changed);
    poll_release(current);
    free(value.bytes.data);
    return again;
}

void poll_change_run(const struct vote_api *api, struct poll_change *change)
{
    bool again = true;

    if (change->kind == POLL_CREATE) {
        create_poll(api, change);
        return;
    }
    for (int i = 0; i < CHANGE_TRIES && again; i++)
        again = try_change(api, change);
    if (again)
        change->status = ST_CONFLICT;
    if (change->status == ST_OK && change->kind == POLL_DELETE && change->poll->voting_codes > 0)
        code_watch_purge(api->codes, change->poll->id);
}
