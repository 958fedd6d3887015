/* results - answers from the newest snapshot of the poll.
 * SPDX-License-Identifier: MIT */
#include "results.h"

#include "access.h"
#include "etag.h"
#include "export/attachment.h"
#include "live/feed.h"
#include "live/subscribers.h"
#include "tally/csv.h"

/* Answers 304 if the client has this snapshot already. Checks the access again, because the request may have waited for
 * the snapshot, and the poll may have been edited meanwhile. False: the request has been answered. */
static bool begin_or_finish(struct http_call *call, const struct snapshot *snapshot)
{
    h2o_iovec_t known = http_header(call, "if-none-match");
    struct poll *poll = access_find_poll_or_refuse(call);

    if (poll == NULL)
        return false;
    poll_release(poll);
    http_add_header(call, "etag", snapshot->etag);
    if (!etag_list_has(known.base, known.len, snapshot->etag))
        return true;
    http_reply(call, 304, NULL, "", 0);
    return false;
}

static void reply_json(struct http_call *call, struct snapshot *snapshot)
{
    if (begin_or_finish(call, snapshot))
        http_reply(call, 200, "application/json", snapshot->body, snapshot->body_len);
}

static void reply_json_file(struct http_call *call, struct snapshot *snapshot)
{
    if (!begin_or_finish(call, snapshot))
        return;
    attachment_add_header(call, snapshot->poll->id, "results.json");
    http_reply(call, 200, "application/json", snapshot->body, snapshot->body_len);
}

static void reply_csv(struct http_call *call, struct snapshot *snapshot)
{
    size_t len;

    if (!begin_or_finish(call, snapshot))
        return;
    char *text = snapshot_render_csv(snapshot, &len);
    attachment_add_header(call, snapshot->poll->id, "results.csv");
    http_reply(call, 200, CSV_TYPE, text, len);
    free(text);
}

static void answer_with_snapshot(struct http_call *call,
                                 void (*reply)(struct http_call *call, struct snapshot *snapshot))
{
    struct poll *poll = access_find_poll_or_refuse(call);

    if (poll != NULL)
        feed_answer_with_snapshot(call, poll->id, reply);
    poll_release(poll);
}

void results_answer_json(struct http_call *call)
{
    answer_with_snapshot(call, reply_json);
}

void results_answer_json_file(struct http_call *call)
{
    answer_with_snapshot(call, reply_json_file);
}

void results_answer_csv(struct http_call *call)
{
    answer_with_snapshot(call, reply_csv);
}

void results_answer_stream(struct http_call *call)
{
    struct poll *poll = access_find_poll_or_refuse(call);

    if (poll == NULL)
        return;
    http_set_header(call, "cache-control", "private, no-store");
    if (h2o_memis(call->req->method.base, call->req->method.len, H2O_STRLIT("HEAD"))) {
        http_reply(call, 200, "text/event-stream", "", 0);
    } else {
        const struct viewer viewer = access_read_viewer(call, poll);
        subscribers_answer_stream(call, poll->id, &viewer);
    }
    poll_release(poll);
}
