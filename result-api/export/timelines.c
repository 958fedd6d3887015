/* timelines - reads the step, has an query_thread read the poll's timeline, or takes the one that was just read, and
 * folds it. SPDX-License-Identifier: MIT */
#include "export/timelines.h"

#include "access.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "export/timeline.h"
#include "read/query_thread.h"
#include "result_api.h"
#include "results.h"
#include "tally/csv.h"
#include <stdio.h>

#define ANSWER_MS 10000 /* of the database; a timeline of a million rows takes 0.7 s */
#define KEPT 64         /* polls */
#define FRESH_MS 1000   /* so old may a timeline be: a chart on many screens costs one look a second … */
#define FRESH_TIMES 8   /* … and never more than a ninth of the query_thread's time */

/* $1 poll, $2 most buckets. Rows: kind, time or step in seconds, numbers. The step is the smallest of a ladder that
 * makes few enough buckets, so that every step that somebody asks for can be made of the answer. One statement is one
 * moment of the database, so the buckets add up to the ledger. */
static const char sql_timeline[] =
    "WITH wanted AS MATERIALIZED (SELECT key, revisable FROM polls WHERE id = $1::text COLLATE \"C\"),"
    " kept AS MATERIALIZED ("
    "  SELECT extract(epoch FROM bucket)::bigint AS at, sum(received)::bigint AS received, sum(counted)::bigint AS "
    "counted"
    "  FROM timeline WHERE poll = (SELECT key FROM wanted) GROUP BY bucket"
    "  HAVING sum(received) <> 0 OR sum(counted) <> 0),"
    " span AS (SELECT coalesce(min(at), 0) AS low, coalesce(max(at), 0) AS high FROM kept),"
    " ladder AS (SELECT unnest(ARRAY[5::bigint, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600,"
    "  43200, 86400, 172800, 432000, 864000, 2592000, 7776000, 31536000, 3153600000, 315360000000]) AS s),"
    " step AS MATERIALIZED (SELECT min(s) AS s FROM ladder, span"
    "  WHERE floor(high::float8 / s) - floor(low::float8 / s) < $2::bigint)"
    " SELECT 'a' AS kind, s AS at, NULL::bigint, NULL::bigint FROM step"
    " UNION ALL (SELECT 'b', (floor(at::float8 / s) * s)::bigint AS start, sum(received)::bigint, sum(counted)::bigint"
    "  FROM kept, step GROUP BY start)"
    " UNION ALL (SELECT 'p', at, received, NULL FROM kept ORDER BY received DESC, at LIMIT 1)"
    " UNION ALL SELECT 'r', 0, sum(superseded)::bigint, NULL FROM wanted JOIN ledger ON poll = key AND revisable"
    " ORDER BY kind, at";

enum format { FORMAT_JSON, FORMAT_CSV };

/* A request that waits for its timeline. */
struct question {
    struct query_job job;
    struct timelines *timelines;
    struct http_ticket *ticket;
    char poll[POLL_ID_MAX + 1];
    int64_t step_s, buckets_max;
    enum format format;
    char *text; /* the answer; NULL: there is none */
    size_t len;
};

/* A poll's timeline as the database has it; what is answered is folded from it, so that no step that a client thinks of
 * costs another look. */
struct kept {
    char poll[POLL_ID_MAX + 1]; /* "": free */
    int64_t until_ms;           /* fresh, monotonic */
    struct timeline timeline;
};

/* The query_thread's thread alone touches kept. */
struct timelines {
    struct query_thread *query_thread;
    struct kept kept[KEPT];
};

static struct metric *reads;

/* --- on the query_thread's thread */

static void read_rows(const struct store_rows *rows, struct timeline *timeline)
{
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        int64_t at = store_rows_number(rows, i, 1), n = store_rows_number(rows, i, 2);
        switch (store_rows_text(rows, i, 0)[0]) {
        case 'a':
            timeline->step_s = at;
            break;
        case 'p':
            timeline->peak_s = at;
            timeline->peak_received = n;
            break;
        case 'r':
            timeline->revisions = n;
            break;
        default: /* by time */
            timeline_add(timeline, at, n, store_rows_number(rows, i, 3));
        }
    }
}

static bool read_timeline(const struct question *question, struct store *store, struct timeline *timeline)
{
    char most[24];
    const char *const values[] = {question->poll, most};
    struct store_rows *rows;
    struct errmsg err;

    snprintf(most, sizeof(most), "%d", TIMELINES_BUCKETS_READ);
    *timeline = (struct timeline){.step_s = TIMELINE_BUCKET_S};
    if (store == NULL)
        return false;
    metric_add(reads, 1);
    if (store_query(store, "read a timeline", sql_timeline, values, 2, &rows, &err) != ST_OK) {
        log_warn("no timeline", LOG_S("error", err.text));
        return false;
    }
    read_rows(rows, timeline);
    store_rows_free(rows);
    return true;
}

/* The poll's timeline, or else the one that has been kept for the longest. */
static struct kept *find_kept(struct timelines *timelines, const char *poll)
{
    struct kept *oldest = timelines->kept;

    for (struct kept *kept = timelines->kept; kept < timelines->kept + KEPT; kept++) {
        if (strcmp(kept->poll, poll) == 0)
            return kept;
        if (kept->until_ms < oldest->until_ms)
            oldest = kept;
    }
    return oldest;
}

static const struct timeline *look(struct question *question, struct store *store)
{
    struct kept *kept = find_kept(question->timelines, question->poll);
    struct timeline timeline;
    int64_t began = clock_mono_ms();

    if (strcmp(kept->poll, question->poll) == 0 && began < kept->until_ms)
        return &kept->timeline;
    if (!read_timeline(question, store, &timeline))
        return NULL;
    int64_t now = clock_mono_ms(), rest = FRESH_TIMES * (now - began);
    timeline_fini(&kept->timeline);
    *kept = (struct kept){.until_ms = now + (rest > FRESH_MS ? rest : FRESH_MS), .timeline = timeline};
    memcpy(kept->poll, question->poll, sizeof(kept->poll));
    return &kept->timeline;
}

static void run(struct query_job *job, struct store *store)
{
    struct question *question = (struct question *)job;
    const struct timeline *timeline = look(question, store);
    struct timeline folded;

    if (timeline == NULL)
        return;
    timeline_fold(timeline, question->step_s, question->buckets_max, &folded);
    question->text = question->format == FORMAT_JSON ? timeline_render_json(&folded, question->poll, &question->len)
                                                     : timeline_render_csv(&folded, &question->len);
    timeline_fini(&folded);
}

/* --- on the loop */

static void answer(struct http_call *call, const struct question *question)
{
    if (question->text == NULL) {
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The timeline cannot be read now; try again in a few seconds.");
        return;
    }
    struct poll *poll = access_find_poll(call); /* again: it may have been edited meanwhile */
    if (poll == NULL)
        return;
    poll_release(poll);
    if (question->format == FORMAT_CSV)
        results_add_file_name(call, question->poll, "timeline.csv");
    http_reply(call, 200, question->format == FORMAT_CSV ? CSV_TYPE : "application/json", question->text,
               question->len);
}

static void on_done(void *arg)
{
    struct question *question = arg;
    struct http_call *call = question->ticket->call;

    http_ticket_free(question->ticket);
    if (call != NULL)
        answer(call, question);
    free(question->text);
    free(question);
}

/* Reads ?step=; false: the request is answered. */
static bool read_step(struct http_call *call, int64_t *step_s, int64_t *buckets_max)
{
    h2o_iovec_t text = http_query(call, "step");
    size_t step = text.base == NULL ? TIMELINE_BUCKET_S : h2o_strtosize(text.base, text.len);

    *step_s = (int64_t)step;
    *buckets_max = text.base == NULL ? TIMELINE_BUCKETS : TIMELINE_BUCKETS_MAX;
    if (step >= TIMELINE_BUCKET_S && step <= TIMELINE_STEP_MAX_S && step % TIMELINE_BUCKET_S == 0)
        return true;
    http_problem(call, PROBLEM_INVALID_PARAMETER, "step", "step is a number of seconds: a multiple of %d, up to %d.",
                 TIMELINE_BUCKET_S, TIMELINE_STEP_MAX_S);
    return false;
}

static void ask(struct http_call *call, const struct poll *poll, enum format format)
{
    const struct result_api *api = call->service;
    struct question *question = alloc_items(1, sizeof(*question));

    if (!read_step(call, &question->step_s, &question->buckets_max)) {
        free(question);
        return;
    }
    const struct address client = http_client_address(call);
    question->job = (struct query_job){
        .item = {.of = address_network(&client)}, .run = run, .loop = call->loop, .done = on_done};
    question->timelines = api->timelines;
    question->format = format;
    memcpy(question->poll, poll->id, sizeof(question->poll));
    question->ticket = http_call_wait(call);
    if (query_thread_add(api->timelines->query_thread, &question->job, TIMELINES_WAITING_MAX, TIMELINES_WAITING_OF_ONE))
        return;
    http_ticket_free(question->ticket);
    free(question);
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
}

static void handle(struct http_call *call, enum format format)
{
    struct poll *poll = access_find_poll(call);

    if (poll != NULL)
        ask(call, poll, format);
    poll_release(poll);
}

void timelines_handle_json(struct http_call *call)
{
    handle(call, FORMAT_JSON);
}

void timelines_handle_csv(struct http_call *call)
{
    handle(call, FORMAT_CSV);
}

/* --- life */

enum status timelines_open(const char *database_url, struct timelines **out, struct errmsg *err)
{
    *out = alloc_items(1, sizeof(**out));
    reads = metric_counter("result_timelines_read_total", "", "Timelines of polls read from the database.");
    return query_thread_open(database_url, "result-api timelines", ANSWER_MS, &(*out)->query_thread, err);
}

/* They stay themselves: the process ends. */
void timelines_close(struct timelines *timelines)
{
    query_thread_close(timelines->query_thread);
}
