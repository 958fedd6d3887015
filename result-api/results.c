/* results - finds the poll, asks whether the sender may see, answers from the newest snapshot.
 * SPDX-License-Identifier: MIT */
#include "results.h"

#include "access.h"
#include "clock.h"
#include "csv.h"
#include "etag.h"
#include "result_api.h"
#include "stream.h"

/* The poll of the request, where the sender may see its results; otherwise the request is answered. The caller
 * releases it. */
static struct poll *find_poll(struct http_call *call)
{
    const struct result_api *api = call->service;
    struct poll *poll = directory_find(api->watch.polls, call->params[0].base, call->params[0].len);

    if (poll != NULL && !poll->deleted && access_check(call, poll, clock_wall_ms()))
        return poll;
    if (poll == NULL && !atomic_load(&api->watch.is_known))
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The polls are still being read; try again in a second.");
    else if (poll == NULL || poll->deleted)
        http_problem(call, PROBLEM_POLL_NOT_FOUND, NULL, "Check the poll's code; GET /v1/polls lists the open ones.");
    poll_release(poll);
    return NULL;
}

/* Headers of what is made from a snapshot; true: the client has it already, and was told so. */
static bool begin_answer(struct http_call *call, const struct snapshot *snapshot)
{
    h2o_iovec_t known = http_header(call, "if-none-match");

    http_add_header(call, "etag", snapshot->etag);
    http_add_header(call, "cache-control", "no-cache");
    if (!etag_list_has(known.base, known.len, snapshot->etag))
        return false;
    http_reply(call, 304, NULL, "", 0);
    return true;
}

static void answer_json(struct http_call *call, struct snapshot *snapshot)
{
    if (!begin_answer(call, snapshot))
        http_reply(call, 200, "application/json", snapshot->body, snapshot->body_len);
}

/* So that a browser keeps the file instead of showing it. */
static void add_file_name(struct http_call *call, const struct poll *poll, const char *kind)
{
    char text[sizeof("attachment; filename=\"-results.json\"") + POLL_ID_MAX];

    snprintf(text, sizeof(text), "attachment; filename=\"%s-results.%s\"", poll->id, kind);
    http_add_header(call, "content-disposition", text);
}

static void answer_json_file(struct http_call *call, struct snapshot *snapshot)
{
    if (begin_answer(call, snapshot))
        return;
    add_file_name(call, snapshot->poll, "json");
    http_reply(call, 200, "application/json", snapshot->body, snapshot->body_len);
}

static void answer_csv(struct http_call *call, struct snapshot *snapshot)
{
    size_t len;

    if (begin_answer(call, snapshot))
        return;
    char *text = snapshot_render_csv(snapshot, &len);
    add_file_name(call, snapshot->poll, "csv");
    http_reply(call, 200, CSV_TYPE, text, len);
    free(text);
}

static void answer_with(struct http_call *call, void (*answer)(struct http_call *call, struct snapshot *snapshot))
{
    struct poll *poll = find_poll(call);

    if (poll != NULL)
        feed_with_snapshot(call, poll->id, answer);
    poll_release(poll);
}

void results_handle_json(struct http_call *call)
{
    answer_with(call, answer_json);
}

void results_handle_json_file(struct http_call *call)
{
    answer_with(call, answer_json_file);
}

void results_handle_csv(struct http_call *call)
{
    answer_with(call, answer_csv);
}

void results_handle_stream(struct http_call *call)
{
    struct poll *poll = find_poll(call);

    if (poll == NULL)
        return;
    if (h2o_memis(call->req->method.base, call->req->method.len, H2O_STRLIT("HEAD"))) {
        http_add_header(call, "cache-control", "no-store");
        http_reply(call, 200, "text/event-stream", "", 0);
    } else {
        stream_open(call, poll->id, access_is_manager(call, poll));
    }
    poll_release(poll);
}
