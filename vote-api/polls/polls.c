/* polls - reads come from the directory. Changes wait for the jobs' thread, which writes to the bucket.
 * SPDX-License-Identifier: MIT */
#include "polls/polls.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "jobs.h"
#include "polls/poll_change.h"
#include "polls/poll_form.h"
#include "refusals.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 20
#define LIST_MAX 100

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

/* The number of ?limit=, or -1 after it answered. */
static int read_limit_or_refuse(struct http_call *call)
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
    int limit = read_limit_or_refuse(call);

    if (limit < 0)
        return;
    if (cursor.base != NULL && !poll_id_is_valid(cursor.base, cursor.len)) {
        http_problem(call, PROBLEM_INVALID_PARAMETER, NULL, "Send the next_cursor of the page before as cursor.");
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

struct poll_job {
    struct job job;
    const struct vote_api *api;
    struct http_ticket *ticket;
    char manage_token[SECRET_TOKEN_SIZE]; /* of a new poll */
    struct poll_change change;
};

static void refuse_full_server(struct http_call *call)
{
    http_problem(call, PROBLEM_OVERLOADED, NULL,
                 "This server holds as many polls as POLLS_MAX allows. The last quarter is for holders of an API key.");
}

/* On the jobs' thread. */
static void run_poll_job(struct job *job)
{
    struct poll_job *poll_job = H2O_STRUCT_FROM_MEMBER(struct poll_job, job, job);

    poll_change_run(poll_job->api, &poll_job->change);
}

static void answer_changed(struct http_call *call, const struct poll_job *job)
{
    const struct poll *poll = job->change.poll;
    char location[POLL_ID_MAX + 16];

    if (job->change.kind == POLL_DELETE) {
        http_reply(call, 204, NULL, "", 0);
        return;
    }
    json_t *json = poll_form_write(poll, clock_wall_ms());
    http_add_header(call, "cache-control", "no-store");
    if (job->change.kind == POLL_CREATE) {
        snprintf(location, sizeof(location), "/v1/polls/%s", poll->id);
        http_add_header(call, "location", location);
        json_object_set_new(json, "manage_token", json_string(job->manage_token));
    }
    http_reply_json(call, job->change.kind == POLL_CREATE ? 201 : 200, json);
}

static void on_poll_job_done(struct job *job)
{
    struct poll_job *poll_job = H2O_STRUCT_FROM_MEMBER(struct poll_job, job, job);
    struct poll_change *change = &poll_job->change;
    struct http_call *call = poll_job->ticket->call;

    if (call != NULL && job->is_late)
        jobs_refuse(call);
    else if (call != NULL && change->status == ST_OK)
        answer_changed(call, poll_job);
    else if (call != NULL && change->has_no_room)
        refuse_full_server(call);
    else if (call != NULL && change->status == ST_INVALID)
        http_problem_json(call, change->problem, &change->json_err);
    else if (call != NULL && change->status == ST_CONFLICT)
        http_problem(call, PROBLEM_POLL_CHANGED, NULL, "Read the poll again and repeat the change.");
    else if (call != NULL && change->status == ST_DECODE)
        refuse_unreadable(call, "poll", change->poll->id, change->err.text);
    else if (call != NULL)
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The poll was not stored: %s. Try again.",
                     status_text(change->status));
    http_ticket_free(poll_job->ticket);
    poll_release(change->poll);
    json_decref(change->body);
    free(poll_job);
}

/* Takes over poll and body. */
static void submit_change(struct http_call *call, enum poll_change_kind kind, struct poll *poll, json_t *body)
{
    const struct vote_api *api = call->service;
    struct poll_job *job = alloc_bytes(sizeof(*job));

    *job = (struct poll_job){.job = {.run = run_poll_job, .done = on_poll_job_done, .loop = call->loop},
                             .api = api,
                             .change = {.kind = kind, .poll = poll, .body = body}};
    if (kind == POLL_CREATE) {
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
        http_problem(call, PROBLEM_UNAUTHORIZED, NULL,
                     "Send an API key as Authorization: Bearer. Only holders of an API key may make polls here.");
        return;
    }
    if (!poll_change_has_room(api, has_key)) { /* an early answer; poll_change_run checks again */
        refuse_full_server(call);
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
    submit_change(call, POLL_CREATE, poll, NULL);
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
    submit_change(call, POLL_PATCH, poll, body);
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
    submit_change(call, POLL_DELETE, poll, NULL);
}
