/* polls - polls are read from memory and written to the bucket by the jobs' thread.
 * SPDX-License-Identifier: MIT */
#include "polls/polls.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "codes/code_watch.h"
#include "jobs.h"
#include "polls/poll_edit.h"
#include "polls/poll_form.h"
#include "polls/poll_marks.h"
#include "polls/poll_store.h"
#include "refusals.h"
#include "request_limits.h"
#include "settings.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_LENGTH 8 /* 31^8: no guessing, and people can still type it */
#define ID_TRIES 5
#define CHANGE_TRIES 6 /* opening again takes two, and somebody may come between */
#define LIST_DEFAULT 20
#define LIST_MAX 100

static const char id_alphabet[] = "23456789abcdefghijkmnpqrstuvwxyz"; /* no 0 o... look-alikes: no 0, 1, l */

/* --- reading */

void polls_handle_get(struct http_call *call)
{
    struct poll *poll = find_poll_or_refuse(call, call->params[0]);

    if (poll == NULL)
        return;
    http_add_header(call, "cache-control", "no-cache");
    http_reply_json(call, 200, poll_form_write(poll, clock_wall_ms()));
    poll_release(poll);
}

/* The number of ?limit=, or -1 after answering. */
static int read_limit(struct http_call *call)
{
    h2o_iovec_t text = http_query(call, "limit");
    char *end;

    if (text.base == NULL)
        return LIST_DEFAULT;
    long limit = strtol(text.base, &end, 10);
    if (text.len > 0 && end == text.base + text.len && limit >= 1 && limit <= LIST_MAX)
        return (int)limit;
    http_problem(call, PROBLEM_INVALID_PARAMETER, NULL, "limit is a number from 1 to %d.", LIST_MAX);
    return -1;
}

void polls_handle_list(struct http_call *call)
{
    const struct vote_api *api = call->service;
    struct poll *polls[LIST_MAX + 1];
    h2o_iovec_t cursor = http_query(call, "cursor");
    int limit = read_limit(call);

    if (limit < 0)
        return;
    if (cursor.base != NULL && !poll_id_is_valid(cursor.base, cursor.len)) {
        http_problem(call, PROBLEM_INVALID_PARAMETER, NULL, "cursor is the next_cursor of the page before.");
        return;
    }
    size_t n = directory_list(api->watch.polls, cursor.base != NULL ? cursor.base : "", polls, (size_t)limit + 1);
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < (size_t)limit; i++)
        json_array_append_new(list, poll_form_write(polls[i], clock_wall_ms()));
    json_t *next = n > (size_t)limit ? json_string(polls[limit - 1]->id) : json_null();
    for (size_t i = 0; i < n; i++)
        poll_release(polls[i]);
    http_add_header(call, "cache-control", "no-cache");
    http_reply_json(call, 200, json_pack("{s:o, s:o}", "polls", list, "next_cursor", next));
}

/* --- writing */

enum change { CHANGE_CREATE, CHANGE_PATCH, CHANGE_DELETE };

struct poll_job {
    struct job job;
    const struct vote_api *api;
    struct http_ticket *ticket;
    enum change change;
    struct poll *poll; /* to store; when patching or deleting, as the directory had it until run() */
    json_t *body;      /* of a patch */
    char manage_token[SECRET_TOKEN_SIZE];
    enum status status;
    bool has_no_room; /* with ST_INVALID, of a new poll */
    struct errmsg err;
    enum problem problem; /* with ST_INVALID */
    struct json_error json_err;
};

static bool polls_have_room(const struct vote_api *api, bool with_key)
{
    return directory_count(api->watch.polls) < limits_share(settings.polls_max, with_key);
}

static void refuse_room(struct http_call *call)
{
    http_problem(call, PROBLEM_OVERLOADED, NULL,
                 "This server holds as many polls as POLLS_MAX allows; the last quarter is for holders of an API key.");
}

static void make_id(struct poll *poll)
{
    for (int i = 0; i < ID_LENGTH; i++)
        poll->id[i] = id_alphabet[randombytes_uniform(sizeof(id_alphabet) - 1)];
    poll->id[ID_LENGTH] = '\0';
}

/* The limit counts here, on the one thread that makes polls: many requests may have found room at once. What other
 * instances have made since the watch last heard of them is not known: with n of them there can be n - 1 polls more. */
static void run_create(struct poll_job *job)
{
    job->has_no_room = !polls_have_room(job->api, job->poll->made_with_key);
    job->status = job->has_no_room ? ST_INVALID : ST_CONFLICT;
    for (int i = 0; i < ID_TRIES && job->status == ST_CONFLICT; i++) {
        make_id(job->poll);
        job->status = poll_store_put(job->api, job->poll, 0, &job->err);
    }
}

/* The poll as the job wants it; NULL with *problem and the error. */
static struct poll *make_change(struct poll_job *job, const struct poll *current)
{
    int64_t now = clock_wall_ms();

    if (job->change == CHANGE_PATCH)
        return poll_edit(current, job->body, now, &job->problem, &job->json_err);
    struct poll *deleted = poll_copy(current);
    deleted->deleted = true;
    deleted->updated_at_ms = now > current->updated_at_ms ? now : current->updated_at_ms + 1;
    return deleted;
}

/* Says in the definition that the poll is about to be opened again: should this process die before it is, the closer of
 * another one sees to it that the gate, which may be in the stream by then, does not keep the poll open. */
static enum status announce(const struct poll_job *job, const struct poll *current, unsigned term, uint64_t revision,
                            struct errmsg *err)
{
    struct poll *announced = poll_copy(current);
    int64_t now = clock_wall_ms();

    announced->opening_term = term;
    announced->updated_at_ms = now > current->updated_at_ms ? now : current->updated_at_ms + 1;
    enum status st = poll_store_put(job->api, announced, revision, err);
    poll_release(announced);
    return st;
}

/* Stores the change of the definition that the bucket has in this revision. *again: it is to be read anew. */
static enum status store_change(struct poll_job *job, const struct poll *current, const struct poll *changed,
                                uint64_t revision, bool *again)
{
    enum status st;

    *again = false;
    if (changed->term == current->term)
        return poll_store_put(job->api, changed, revision, &job->err);
    if (current->opening_term != changed->term) {
        st = announce(job, current, changed->term, revision, &job->err);
        *again = st == ST_OK || st == ST_CONFLICT;
        return st;
    }
    /* The gate first: a ballot that is taken by the new definition must be behind it. */
    st = poll_marks_publish_gate(job->api->bus, changed->id, changed->term, &job->err);
    if (st == ST_OK)
        st = poll_store_put(job->api, changed, revision, &job->err);
    *again = st == ST_CONFLICT;
    return st;
}

/* Changes the bucket's definition, which may be newer than the one this process has seen. True: try again. */
static bool try_change(struct poll_job *job)
{
    struct bus_value value;
    struct poll *current = NULL, *changed = NULL;
    bool again = false;

    job->status = bus_bucket_get(job->api->bus, BUS_BUCKET_POLLS, job->poll->id, &value, &job->err);
    if (job->status == ST_OK)
        job->status = wire_decode_poll(value.bytes.data, value.bytes.len, &current, &job->err);
    if (job->status == ST_OK && (changed = make_change(job, current)) == NULL)
        job->status = ST_INVALID;
    if (job->status == ST_OK)
        job->status = store_change(job, current, changed, value.revision, &again);
    if (changed != NULL && !again) {
        poll_release(job->poll);
        job->poll = changed;
        changed = NULL;
    }
    poll_release(changed);
    poll_release(current);
    free(value.bytes.data);
    return again;
}

static void run_change(struct poll_job *job)
{
    bool again = true;

    for (int i = 0; i < CHANGE_TRIES && again; i++)
        again = try_change(job);
    if (again)
        job->status = ST_CONFLICT;
    if (job->status == ST_OK && job->change == CHANGE_DELETE && job->poll->voting_codes > 0)
        code_watch_purge(job->api->codes, job->poll->id);
}

static void run_poll_job(struct job *job)
{
    struct poll_job *poll_job = H2O_STRUCT_FROM_MEMBER(struct poll_job, job, job);

    if (poll_job->change == CHANGE_CREATE)
        run_create(poll_job);
    else
        run_change(poll_job);
}

static void reply_changed(struct http_call *call, const struct poll_job *job)
{
    json_t *json = poll_form_write(job->poll, clock_wall_ms());
    char location[POLL_ID_MAX + 16];

    if (job->change == CHANGE_DELETE) {
        json_decref(json);
        http_reply(call, 204, NULL, "", 0);
        return;
    }
    http_add_header(call, "cache-control", "no-store");
    if (job->change == CHANGE_CREATE) {
        snprintf(location, sizeof(location), "/v1/polls/%s", job->poll->id);
        http_add_header(call, "location", location);
        json_object_set_new(json, "manage_token", json_string(job->manage_token));
    }
    http_reply_json(call, job->change == CHANGE_CREATE ? 201 : 200, json);
}

static void on_poll_job_done(struct job *job)
{
    struct poll_job *poll_job = H2O_STRUCT_FROM_MEMBER(struct poll_job, job, job);
    struct http_call *call = poll_job->ticket->call;

    if (call != NULL && job->is_late)
        jobs_refuse(call);
    else if (call != NULL && poll_job->status == ST_OK)
        reply_changed(call, poll_job);
    else if (call != NULL && poll_job->has_no_room)
        refuse_room(call);
    else if (call != NULL && poll_job->status == ST_INVALID)
        http_problem_json(call, poll_job->problem, &poll_job->json_err);
    else if (call != NULL && poll_job->status == ST_CONFLICT)
        http_problem(call, PROBLEM_POLL_CHANGED, NULL, "Read the poll again and repeat the change.");
    else if (call != NULL && poll_job->status == ST_DECODE)
        refuse_unreadable(call, "poll", poll_job->poll->id, poll_job->err.text);
    else if (call != NULL)
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The poll was not stored: %s. Try again.",
                     status_text(poll_job->status));
    http_ticket_free(poll_job->ticket);
    poll_release(poll_job->poll);
    json_decref(poll_job->body);
    free(poll_job);
}

/* Takes over poll and body. */
static void submit(struct http_call *call, enum change change, struct poll *poll, json_t *body)
{
    const struct vote_api *api = call->service;
    struct poll_job *job = alloc_bytes(sizeof(*job));

    *job = (struct poll_job){.job = {.run = run_poll_job, .done = on_poll_job_done, .loop = call->loop},
                             .api = api,
                             .change = change,
                             .poll = poll,
                             .body = body};
    if (change == CHANGE_CREATE) {
        secret_token_make(job->manage_token);
        secret_token_hash(job->manage_token, strlen(job->manage_token), poll->manage_hash);
        poll->has_manager = true;
    }
    job->ticket = http_call_wait(call);
    if (!jobs_submit(api->jobs, &job->job)) {
        jobs_refuse(call);
        http_ticket_free(job->ticket);
        poll_release(poll);
        json_decref(body);
        free(job);
    }
}

void polls_handle_create(struct http_call *call)
{
    const struct vote_api *api = call->service;
    h2o_iovec_t token = http_bearer(call);
    bool has_key = api_keys_find(api->api_keys, token.base, token.len) != NULL;
    struct json_error err;

    if (!has_key && !http_limit_admit(call, &limit_polls))
        return;
    if (settings.create_needs_key && !has_key) {
        http_add_header(call, "www-authenticate", "Bearer");
        http_problem(call, PROBLEM_UNAUTHORIZED, NULL, "Creating polls needs an API key as Authorization: Bearer.");
        return;
    }
    if (!polls_have_room(api, has_key)) { /* so that nobody waits for nothing; the job decides */
        refuse_room(call);
        return;
    }
    json_t *body = http_read_json(call);
    if (body == NULL)
        return;
    struct poll *poll = poll_form_create(body, clock_wall_ms(), &err);
    json_decref(body);
    if (poll == NULL) {
        http_problem_json(call, PROBLEM_INVALID_FIELD, &err);
        return;
    }
    snprintf(poll->key_id, sizeof(poll->key_id), "%s", keyring_newest(api->keyring));
    poll->made_with_key = has_key;
    submit(call, CHANGE_CREATE, poll, NULL);
}

void polls_handle_patch(struct http_call *call)
{
    struct poll *poll = find_poll_or_refuse(call, call->params[0]);
    json_t *body = NULL;

    if (poll == NULL)
        return;
    if (refuse_unless_manager(call, poll) || (body = http_read_json(call)) == NULL) {
        poll_release(poll);
        return;
    }
    submit(call, CHANGE_PATCH, poll, body);
}

void polls_handle_delete(struct http_call *call)
{
    struct poll *poll = find_poll_or_refuse(call, call->params[0]);

    if (poll == NULL)
        return;
    if (refuse_unless_manager(call, poll)) {
        poll_release(poll);
        return;
    }
    submit(call, CHANGE_DELETE, poll, NULL);
}
