/* ballot_files - the life of a download: the query thread fills a page, the loop sends it, and so on.
 * SPDX-License-Identifier: MIT
 *
 *     wait for the first page ──▶ send ──(the client took it)──▶ wait for the next page ──▶ … ──▶ end
 *
 * When a later page fails, the connection or the HTTP/2 stream is broken off, so that nobody takes a part of the file
 * for the whole. While the query thread has the file (busy), the loop touches no member of it but req. */
#include "export/ballot_files.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/log.h"
#include "export/attachment.h"
#include "export/ballot_row.h"
#include "export/downloads.h"
#include "read/query_thread.h"
#include "tally/csv.h"
#include <stdio.h>
#include <sys/socket.h>

#define ANSWER_MS 120000       /* of the database: grouping a hundred million ballots takes a minute */
#define PAGE_SIZE (128 * 1024) /* bytes sent at once */
#define FETCH "500"            /* rows fetched at once; each row is a different ballot with its number */
#define NO_LIMIT SIZE_MAX      /* of jobs: there are no more jobs than downloads */

struct ballot_files {
    struct ballot_files_options options;
    struct query_thread *query_thread;
    struct downloads *downloads;
    atomic_ullong last_number;
};

struct ballot_file {
    struct query_job job;
    struct download download;
    struct ballot_files *files;
    const struct poll *poll; /* a reference */

    /* The query thread's while the file is busy. */
    struct option_index options;
    unsigned long long number; /* names the cursor */
    unsigned session;          /* the connection that has the cursor; 0: there is none */
    bool began, failed, ended;
    struct pg_rows *rows;
    size_t row;
    char *line; /* of the present row */
    size_t line_len;
    int64_t repeats; /* how often the line must still be written */
    char *page;
    size_t page_len, room;

    /* The loop's. */
    bool busy;
    struct http_ticket *ticket; /* until the first page is there */
    h2o_generator_t generator;
    h2o_req_t *req; /* after the first page; NULL: the client has left */
    h2o_timeout_entry_t watch;
    int64_t sent_ms; /* monotonic: when the last page was sent */
};

/* --- on the query thread */

/* Runs the statement `before CURSOR after`, where CURSOR is the name of the file's cursor. */
static enum status run_with_cursor(struct ballot_file *file, struct result_db *db, const char *before,
                                   const char *after, const struct pg_args *args, struct pg_rows **out,
                                   struct errmsg *err)
{
    char sql[400];

    snprintf(sql, sizeof(sql), "%s ballots_%llu %s", before, file->number, after);
    return result_db_query(db, "exporting ballots", sql, args, out, err);
}

static enum status open_cursor(struct ballot_file *file, struct result_db *db, struct errmsg *err)
{
    struct pg_args args = {0};
    struct pg_rows *rows;

    pg_args_add_text(&args, file->poll->id);
    enum status st = run_with_cursor(file, db, "DECLARE",
                                     "NO SCROLL CURSOR WITH HOLD FOR SELECT choices, count(*) FROM ballots"
                                     " WHERE poll = (SELECT key FROM polls WHERE id = $1::text COLLATE \"C\")"
                                     " GROUP BY choices ORDER BY choices",
                                     &args, &rows, err);

    if (st != ST_OK)
        return st;
    pg_rows_free(rows);
    file->session = result_db_session(db);
    return ST_OK;
}

static void close_cursor(struct ballot_file *file, struct result_db *db)
{
    struct pg_rows *rows;
    struct errmsg err;

    if (db == NULL || file->session == 0 || file->session != result_db_session(db))
        return;
    file->session = 0;
    if (run_with_cursor(file, db, "CLOSE", "", NULL, &rows, &err) == ST_OK)
        pg_rows_free(rows);
}

static void append_to_page(struct ballot_file *file, const char *text, size_t len)
{
    GROW(file->page, file->room, file->page_len + len);
    memcpy(file->page + file->page_len, text, len);
    file->page_len += len;
}

static void make_line(struct ballot_file *file)
{
    free(file->line);
    FILE *to = alloc_stream(&file->line, &file->line_len);
    ballot_row_write(&file->options, pg_rows_bytes(file->rows, file->row, 0, NULL), to);
    alloc_stream_close(to);
    file->repeats = pg_rows_number(file->rows, file->row, 1);
    file->row++;
}

/* Goes to the next row and makes its line, or sets `ended` if there is no row left. */
static enum status read_next_row(struct ballot_file *file, struct result_db *db, struct errmsg *err)
{
    if (file->rows == NULL || file->row == pg_rows_count(file->rows)) {
        pg_rows_free(file->rows);
        file->row = 0;
        enum status st = run_with_cursor(file, db, "FETCH " FETCH " FROM", "", NULL, &file->rows, err);
        if (st != ST_OK)
            return st;
    }
    file->ended = pg_rows_count(file->rows) == 0;
    if (!file->ended)
        make_line(file);
    return ST_OK;
}

static enum status fill_page(struct ballot_file *file, struct result_db *db, struct errmsg *err)
{
    enum status st = ST_OK;

    while (st == ST_OK && !file->ended && file->page_len < PAGE_SIZE) {
        for (; file->repeats > 0 && file->page_len < PAGE_SIZE; file->repeats--)
            append_to_page(file, file->line, file->line_len);
        if (file->repeats == 0)
            st = read_next_row(file, db, err);
    }
    return st;
}

static enum status begin_file(struct ballot_file *file, struct result_db *db, struct errmsg *err)
{
    char *header;
    size_t len;
    FILE *to = alloc_stream(&header, &len);

    ballot_row_write_header(file->poll, to);
    alloc_stream_close(to);
    append_to_page(file, header, len);
    free(header);
    file->began = true;
    return open_cursor(file, db, err);
}

static void run_page(struct query_job *job, struct result_db *db)
{
    struct ballot_file *file = H2O_STRUCT_FROM_MEMBER(struct ballot_file, job, job);
    struct errmsg err = {"no connection to the database"};
    enum status st = ST_DB_DOWN;

    file->page_len = 0;
    if (db != NULL && !file->began)
        st = begin_file(file, db, &err);
    else if (db != NULL && file->session == result_db_session(db)) /* a new connection has no cursor */
        st = ST_OK;
    if (st == ST_OK)
        st = fill_page(file, db, &err);
    if (st == ST_OK && file->ended)
        close_cursor(file, db);
    file->failed = st != ST_OK;
    if (file->failed)
        log_warn("ballots not read for a download", LOG_S("poll", file->poll->id), LOG_S("error", err.text));
}

static void run_close(struct query_job *job, struct result_db *db)
{
    close_cursor(H2O_STRUCT_FROM_MEMBER(struct ballot_file, job, job), db);
}

/* --- on the loop */

static void on_closed(void *job)
{
    struct ballot_file *file = H2O_STRUCT_FROM_MEMBER(struct ballot_file, job, (struct query_job *)job);

    option_index_fini(&file->options);
    poll_release(file->poll);
    pg_rows_free(file->rows);
    free(file->line);
    free(file->page);
    free(file);
}

/* Ends the download and closes its cursor. No request may belong to the file, and it must not be busy. */
static void end_download(struct ballot_file *file)
{
    if (h2o_timeout_is_linked(&file->watch))
        h2o_timeout_unlink(&file->watch);
    downloads_finish(file->files->downloads, &file->download);
    file->job.run = run_close;
    file->job.done = on_closed;
    if (file->session == 0 || !query_thread_add(file->files->query_thread, &file->job, NO_LIMIT, NO_LIMIT))
        on_closed(&file->job);
}

static void start_watch(struct ballot_file *file)
{
    h2o_context_t *context = http_loop_context(file->job.loop);

    h2o_timeout_link(context->loop, &context->one_sec_timeout, &file->watch);
}

static void on_watch(h2o_timeout_entry_t *entry)
{
    struct ballot_file *file = H2O_STRUCT_FROM_MEMBER(struct ballot_file, watch, entry);
    const struct ballot_files_options *options = &file->files->options;
    h2o_conn_t *conn = file->req->conn;
    int64_t unread_ms = clock_mono_ms() - file->sent_ms;

    /* A client that reads slowly gives way to one that was refused. */
    if (unread_ms < options->deadline_ms &&
        (unread_ms < options->patience_ms || !downloads_take_refusal(file->files->downloads)))
        start_watch(file);
    else
        shutdown(h2o_socket_get_fd(conn->callbacks->get_socket(conn)), SHUT_RDWR); /* then libh2o calls on_stop */
}

static void send_page(struct ballot_file *file)
{
    h2o_iovec_t page = h2o_iovec_init(file->page, file->page_len);

    file->sent_ms = clock_mono_ms();
    start_watch(file);
    h2o_send(file->req, &page, 1, H2O_SEND_STATE_IN_PROGRESS);
}

/* Ends the response. libh2o calls no function of the generator after that. */
static void end_response(struct ballot_file *file, h2o_send_state_t how)
{
    h2o_req_t *req = file->req;

    file->req = NULL;
    if (how == H2O_SEND_STATE_ERROR)
        req->http1_is_persistent = 0;
    h2o_send(req, NULL, 0, how);
    end_download(file);
}

static void ask_for_page(struct ballot_file *file)
{
    file->busy = query_thread_add(file->files->query_thread, &file->job, NO_LIMIT, NO_LIMIT);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct ballot_file *file = H2O_STRUCT_FROM_MEMBER(struct ballot_file, generator, generator);

    h2o_timeout_unlink(&file->watch);
    if (file->ended)
        end_response(file, H2O_SEND_STATE_FINAL);
    else
        ask_for_page(file);
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    struct ballot_file *file = H2O_STRUCT_FROM_MEMBER(struct ballot_file, generator, generator);

    file->req = NULL;
    if (h2o_timeout_is_linked(&file->watch))
        h2o_timeout_unlink(&file->watch);
    if (!file->busy)
        end_download(file);
}

static void begin_response(struct http_call *call, struct ballot_file *file)
{
    call->req->res.status = 200;
    call->req->res.reason = "OK";
    http_add_header(call, "content-type", CSV_TYPE);
    http_add_header(call, "x-content-type-options", "nosniff");
    attachment_add_header(call, file->poll->id, "ballots.csv");
    http_call_start_stream(call); /* on_watch limits how long it may take */
    file->req = call->req;
    h2o_start_response(call->req, &file->generator);
}

static void on_first_page(struct ballot_file *file)
{
    struct http_call *call = file->ticket->call;

    http_ticket_free(file->ticket);
    file->ticket = NULL;
    if (call == NULL || file->failed) {
        if (call != NULL)
            http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The ballots cannot be read now. Try again later.");
        end_download(file);
        return;
    }
    begin_response(call, file);
    send_page(file);
}

static void on_page(void *job)
{
    struct ballot_file *file = H2O_STRUCT_FROM_MEMBER(struct ballot_file, job, (struct query_job *)job);

    file->busy = false;
    if (file->ticket != NULL)
        on_first_page(file);
    else if (file->req == NULL)
        end_download(file);
    else if (file->failed)
        end_response(file, H2O_SEND_STATE_ERROR);
    else
        send_page(file);
}

static void refuse_download(struct http_call *call, const struct ballot_files *files, enum downloads_answer why)
{
    char seconds[24];

    if (why == DOWNLOADS_POLL_HAS_ONE) {
        http_problem(call, PROBLEM_OVERLOADED, NULL,
                     "This address is already downloading the ballots of this poll. Try again when that has ended.");
    } else if (why == DOWNLOADS_ADDRESS_HAS_HALF) {
        http_problem(call, PROBLEM_OVERLOADED, NULL,
                     "This address is already downloading the ballots of many polls. Try again when one has ended.");
    } else {
        snprintf(seconds, sizeof(seconds), "%lld", (long long)(files->options.patience_ms + 999) / 1000);
        http_add_header(call, "retry-after", seconds);
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Too many clients are downloading ballots. Try again in %s s.",
                     seconds);
    }
}

void ballot_files_answer(struct ballot_files *files, struct http_call *call, const struct poll *poll)
{
    struct ballot_file *file = alloc_items(1, sizeof(*file));
    const struct address client = http_client_address(call);
    enum downloads_answer answer = downloads_start(files->downloads, &file->download, &client, poll->id);

    if (answer != DOWNLOADS_STARTED) {
        free(file);
        refuse_download(call, files, answer);
        return;
    }
    file->job = (struct query_job){
        .item = {.of = file->download.of}, .run = run_page, .loop = call->loop, .done = on_page};
    file->files = files;
    file->poll = poll_retain(poll);
    file->number = atomic_fetch_add(&files->last_number, 1) + 1;
    option_index_init(&file->options, file->poll);
    file->generator = (h2o_generator_t){on_proceed, on_stop};
    file->watch.cb = on_watch;
    file->ticket = http_call_wait(call);
    ask_for_page(file);
}

/* --- life */

enum status ballot_files_open(const struct ballot_files_options *options, struct ballot_files **out, struct errmsg *err)
{
    *out = alloc_items(1, sizeof(**out));
    (*out)->options = *options;
    (*out)->downloads = downloads_new((size_t)options->max);
    return query_thread_open(options->database_url, "result-api ballots", ANSWER_MS, &(*out)->query_thread, err);
}

/* Does not free the files: the process ends. */
void ballot_files_close(struct ballot_files *files)
{
    query_thread_close(files->query_thread);
}
