/* exports - reads the request, checks the access, and lets export/ do the work.
 * SPDX-License-Identifier: MIT */
#include "exports.h"

#include "access.h"
#include "export/attachment.h"
#include "export/ballot_files.h"
#include "export/timelines.h"
#include "live/feed.h"
#include "result_api.h"
#include "tally/csv.h"

/* --- timelines */

/* Reads ?step=. False: it is not valid, and the request has been answered. */
static bool read_step_or_refuse(struct http_call *call, struct timeline_request *request)
{
    h2o_iovec_t text = http_query(call, "step");
    size_t step = text.base == NULL ? TIMELINE_BUCKET_S : h2o_strtosize(text.base, text.len);

    request->step_s = (int64_t)step;
    request->buckets_max = text.base == NULL ? TIMELINE_BUCKETS : TIMELINE_BUCKETS_MAX;
    if (step >= TIMELINE_BUCKET_S && step <= TIMELINE_STEP_MAX_S && step % TIMELINE_BUCKET_S == 0)
        return true;
    http_problem(call, PROBLEM_INVALID_PARAMETER, "step",
                 "Send step as a number of seconds: a multiple of %d, at most %d.", TIMELINE_BUCKET_S,
                 TIMELINE_STEP_MAX_S);
    return false;
}

static void reply_timeline(struct http_call *call, const struct timeline_request *request, const char *text, size_t len)
{
    bool is_csv = request->format == TIMELINE_CSV;

    if (text == NULL) {
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The timeline cannot be read now. Try again in a few seconds.");
        return;
    }
    struct poll *poll = access_find_poll_or_refuse(call); /* again, because the poll may have been edited meanwhile */
    if (poll == NULL)
        return;
    poll_release(poll);
    if (is_csv)
        attachment_add_header(call, request->poll, "timeline.csv");
    http_reply(call, 200, is_csv ? CSV_TYPE : "application/json", text, len);
}

static void answer_timeline(struct http_call *call, enum timeline_format format)
{
    const struct result_api *api = call->service;
    struct timeline_request request = {.format = format};
    struct poll *poll = access_find_poll_or_refuse(call);

    if (poll == NULL)
        return;
    memcpy(request.poll, poll->id, sizeof(request.poll));
    poll_release(poll);
    if (read_step_or_refuse(call, &request))
        timelines_answer(api->timelines, call, &request, reply_timeline);
}

void exports_answer_timeline_json(struct http_call *call)
{
    answer_timeline(call, TIMELINE_JSON);
}

void exports_answer_timeline_csv(struct http_call *call)
{
    answer_timeline(call, TIMELINE_CSV);
}

/* --- ballots */

static void answer_ballots_if_final(struct http_call *call, struct snapshot *snapshot)
{
    const struct result_api *api = call->service;

    if (snapshot->state != RESULT_FINAL)
        http_problem(call, PROBLEM_POLL_NOT_FINAL, NULL,
                     "The poll is %s. Ask for its ballots when it is closed and all of them are counted.",
                     result_state_name(snapshot->state));
    else if (h2o_memis(call->req->method.base, call->req->method.len, H2O_STRLIT("HEAD")))
        http_reply(call, 200, CSV_TYPE, "", 0);
    else
        ballot_files_answer(api->ballot_files, call, snapshot->poll);
}

void exports_answer_ballots(struct http_call *call)
{
    struct poll *poll = access_find_managed_poll_or_refuse(call);

    if (poll != NULL)
        feed_answer_with_snapshot(call, poll->id, answer_ballots_if_final);
    poll_release(poll);
}
