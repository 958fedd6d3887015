/* results - finds the poll where the sender may see its results, answers from the newest snapshot.
 * SPDX-License-Identifier: MIT */
#include "results.h"

#include "access.h"
#include "etag.h"
#include "live/subscriber.h"
#include "result_api.h"
#include "tally/csv.h"

/* Headers of what is made from a snapshot; true: the client has it already, and was told so, or may not see it any
 * more: it had to wait for the snapshot, and the poll may have been edited meanwhile. */
static bool begin_answer(struct http_call *call, const struct snapshot *snapshot)
{
    h2o_iovec_t known = http_header(call, "if-none-match");
    struct poll *poll = access_find_poll(call);

    if (poll == NULL)
        return true;
    poll_release(poll);
    http_add_header(call, "etag", snapshot->etag);
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

void results_add_file_name(struct http_call *call, const char *poll, const char *name)
{
    char text[100];

    snprintf(text, sizeof(text), "attachment; filename=\"%s-%s\"", poll, name);
    http_add_header(call, "content-disposition", text);
}

static void answer_json_file(struct http_call *call, struct snapshot *snapshot)
{
    if (begin_answer(call, snapshot))
        return;
    results_add_file_name(call, snapshot->poll->id, "results.json");
    http_reply(call, 200, "application/json", snapshot->body, snapshot->body_len);
}

static void answer_csv(struct http_call *call, struct snapshot *snapshot)
{
    size_t len;

    if (begin_answer(call, snapshot))
        return;
    char *text = snapshot_render_csv(snapshot, &len);
    results_add_file_name(call, snapshot->poll->id, "results.csv");
    http_reply(call, 200, CSV_TYPE, text, len);
    free(text);
}

static void answer_with(struct http_call *call, void (*answer)(struct http_call *call, struct snapshot *snapshot))
{
    struct poll *poll = access_find_poll(call);

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
    struct poll *poll = access_find_poll(call);

    if (poll == NULL)
        return;
    http_set_header(call, "cache-control", "private, no-store");
    if (h2o_memis(call->req->method.base, call->req->method.len, H2O_STRLIT("HEAD"))) {
        http_reply(call, 200, "text/event-stream", "", 0);
    } else {
        const struct access access = access_of(call, poll);
        stream_open(call, poll->id, &access);
    }
    poll_release(poll);
}
