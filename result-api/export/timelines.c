/* timelines - takes the poll's timeline from the database or from the kept ones, and folds it to the step asked for.
 * SPDX-License-Identifier: MIT */
#include "export/timelines.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "read/query_thread.h"
#include <stdio.h>

#define ANSWER_MS 10000 /* of the database; a timeline of a million rows takes 0.7 s */
#define KEPT_MAX 64     /* polls */
#define FRESH_MS 1000   /* a kept timeline may be so old: a chart on many screens costs one read a second … */
#define FRESH_TIMES 8   /* … and at most a ninth of the thread's time */

/* $1 poll, $2 largest number of buckets. Rows: kind, time or step in seconds, numbers. The step is the smallest one of
 * the ladder that gives few enough buckets, so the answer can be folded to every step that a client asks for. One
 * statement sees one state of the database, so the buckets add up to the ledger. */
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

/* A request that waits for its timeline. */
struct timeline_question {
    struct query_job job; /* the first member */
    struct timelines *timelines;
    struct http_ticket *ticket;
    struct timeline_request request;
    void (*reply)(struct http_call *call, const struct timeline_request *request, const char *text, size_t len);
    char *text; /* NULL: the database cannot be read */
    size_t len;
};

/* The timeline of a poll as the database has it. Answers are folded from it, so a client cannot cause more reads by
 * asking for other steps. */
struct kept_timeline {
    char poll[POLL_ID_MAX + 1]; /* "": this entry is free */
    int64_t until_ms;           /* monotonic: fresh until then */
    struct timeline timeline;
};

struct timelines {
    struct query_thread *query_thread;
    struct kept_timeline kept[KEPT_MAX]; /* the query thread's alone */
};

static struct metric *reads;

/* --- on the query thread */

static void read_rows(const struct pg_rows *rows, struct timeline *timeline)
{
    for (size_t i = 0; i < pg_rows_count(rows); i++) {
        int64_t at = pg_rows_number(rows, i, 1), n = pg_rows_number(rows, i, 2);
        switch (pg_rows_bytes(rows, i, 0, NULL)[0]) {
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
            timeline_add(timeline, at, n, pg_rows_number(rows, i, 3));
        }
    }
}

static bool read_timeline(const char *poll, struct result_db *db, struct timeline *timeline)
{
    struct pg_args args = {0};
    struct pg_rows *rows;
    struct errmsg err;

    pg_args_add_text(&args, poll);
    pg_args_add_int8(&args, TIMELINES_BUCKETS_READ);
    *timeline = (struct timeline){.step_s = TIMELINE_BUCKET_S};
    if (db == NULL)
        return false;
    metric_add(reads, 1);
    if (result_db_query(db, "reading a timeline", sql_timeline, &args, &rows, &err) != ST_OK) {
        log_warn("timeline not read", LOG_S("error", err.text));
        return false;
    }
    read_rows(rows, timeline);
    pg_rows_free(rows);
    return true;
}

/* Returns the entry of the poll, or else the entry that was read the longest ago. */
static struct kept_timeline *find_kept(struct timelines *timelines, const char *poll)
{
    struct kept_timeline *oldest = timelines->kept;

    for (struct kept_timeline *kept = timelines->kept; kept < timelines->kept + KEPT_MAX; kept++) {
        if (strcmp(kept->poll, poll) == 0)
            return kept;
        if (kept->until_ms < oldest->until_ms)
            oldest = kept;
    }
    return oldest;
}

/* Returns the timeline, or NULL if the database cannot be read. */
static const struct timeline *find_fresh_timeline(struct timelines *timelines, const char *poll, struct result_db *db)
{
    struct kept_timeline *kept = find_kept(timelines, poll);
    struct timeline timeline;
    int64_t began = clock_mono_ms();

    if (strcmp(kept->poll, poll) == 0 && began < kept->until_ms)
        return &kept->timeline;
    if (!read_timeline(poll, db, &timeline))
        return NULL;
    int64_t now = clock_mono_ms(), rest = FRESH_TIMES * (now - began);
    timeline_fini(&kept->timeline);
    *kept = (struct kept_timeline){.until_ms = now + (rest > FRESH_MS ? rest : FRESH_MS), .timeline = timeline};
    memcpy(kept->poll, poll, strlen(poll) + 1);
    return &kept->timeline;
}

static void run_question(struct query_job *job, struct result_db *db)
{
    struct timeline_question *question = (struct timeline_question *)job;
    const struct timeline_request *request = &question->request;
    const struct timeline *timeline = find_fresh_timeline(question->timelines, request->poll, db);
    struct timeline folded;

    if (timeline == NULL)
        return;
    timeline_fold(timeline, request->step_s, request->buckets_max, &folded);
    question->text = request->format == TIMELINE_JSON ? timeline_render_json(&folded, request->poll, &question->len)
                                                      : timeline_render_csv(&folded, &question->len);
    timeline_fini(&folded);
}

/* --- on the loop */

static void on_question_done(void *arg)
{
    struct timeline_question *question = arg;
    struct http_call *call = question->ticket->call;

    http_ticket_free(question->ticket);
    if (call != NULL)
        question->reply(call, &question->request, question->text, question->len);
    free(question->text);
    free(question);
}

void timelines_answer(struct timelines *timelines, struct http_call *call, const struct timeline_request *request,
                      void (*reply)(struct http_call *call, const struct timeline_request *request, const char *text,
                                    size_t len))
{
    const struct address client = http_client_address(call);
    struct timeline_question *question = alloc_items(1, sizeof(*question));

    question->job = (struct query_job){
        .item = {.of = address_of_client(&client)}, .run = run_question, .loop = call->loop, .done = on_question_done};
    question->timelines = timelines;
    question->request = *request;
    question->reply = reply;
    question->ticket = http_call_wait(call);
    if (query_thread_add(timelines->query_thread, &question->job, TIMELINES_WAITING_MAX, TIMELINES_WAITING_OF_ONE))
        return;
    http_ticket_free(question->ticket);
    free(question);
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
}

/* --- life */

enum status timelines_open(const char *database_url, struct timelines **out, struct errmsg *err)
{
    *out = alloc_items(1, sizeof(**out));
    reads = metric_counter("result_timelines_read_total", "", "Timelines of polls read from the database.");
    return query_thread_open(database_url, "result-api timelines", ANSWER_MS, &(*out)->query_thread, err);
}

/* Does not free the timelines: the process ends. */
void timelines_close(struct timelines *timelines)
{
    query_thread_close(timelines->query_thread);
}
