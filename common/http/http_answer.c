/* http_answer - answers and problems.
 * SPDX-License-Identifier: MIT */
#include "http_answer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http_request.h"
#include <stdarg.h>

static struct {
    struct metric *by_class[6]; /* [2] counts 2xx */
    struct metric *duration;
} metrics;

void http_answers_init(void)
{
    static const char *const classes[] = {NULL, NULL, "code=\"2xx\"", "code=\"3xx\"", "code=\"4xx\"", "code=\"5xx\""};

    for (int i = 2; i <= 5; i++)
        metrics.by_class[i] = metric_counter("http_requests_total", classes[i], "Requests answered, by class of code.");
    metrics.duration = metric_histogram_seconds("http_request_duration_seconds", "",
                                                "Time from the complete request to its answer, in the server.");
}

static const char *reason_phrase(int code)
{
    switch (code) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 303:
        return "See Other";
    case 304:
        return "Not Modified";
    default:
        return code < 500 ? "Request Refused" : "Service Unavailable";
    }
}

static void count_answer(struct http_call *call, int code)
{
    int class = code / 100;

    if (class >= 2 && class <= 5)
        metric_add(metrics.by_class[class], 1);
    metric_observe_ns(metrics.duration, clock_mono_ns() - call->began_ns);
}

void http_add_header(struct http_call *call, const char *name, const char *value)
{
    h2o_mem_pool_t *pool = &call->req->pool;
    h2o_iovec_t copy = h2o_strdup(pool, value, SIZE_MAX);

    h2o_add_header_by_str(pool, &call->req->res.headers, name, strlen(name), 1, NULL, copy.base, copy.len);
}

void http_set_header(struct http_call *call, const char *name, const char *value)
{
    h2o_mem_pool_t *pool = &call->req->pool;
    h2o_iovec_t copy = h2o_strdup(pool, value, SIZE_MAX);

    h2o_set_header_by_str(pool, &call->req->res.headers, name, strlen(name), 1, copy.base, copy.len, 1);
}

static void start_answer(struct http_call *call, int code)
{
    call->req->res.status = code;
    call->req->res.reason = reason_phrase(code);
    count_answer(call, code);
}

void http_reply(struct http_call *call, int code, const char *content_type, const char *body, size_t len)
{
    h2o_req_t *req = call->req;

    start_answer(call, code);
    if (content_type != NULL)
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, content_type, strlen(content_type));
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-content-type-options"), 0, NULL,
                          H2O_STRLIT("nosniff"));
    const bool has_length = code != 304 && code != 204; /* 204 must not have it, 304 need not (RFC 9110, 8.6) */
    if (has_length)
        req->res.content_length = len;
    if (call->request != NULL) /* NULL: libh2o refuses a request by itself */
        http_request_answered(call->request, has_length ? len : 0);
    h2o_send_inline(req, body, len);
}

void http_reply_json(struct http_call *call, int code, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    http_reply(call, code, "application/json", text, strlen(text));
    free(text);
}

static char *render_problem(enum problem problem, const char *request_id, const char *pointer, json_t *members,
                            const char *detail)
{
    char type[96];

    snprintf(type, sizeof(type), "/problems/%s", problem_slug(problem));
    json_t *body = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", problem_title(problem), "status",
                             problem_code(problem), "detail", detail, "request_id", request_id);
    if (pointer != NULL)
        json_object_set_new(body, "pointer", json_string(pointer));
    if (members != NULL)
        json_object_update(body, members);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* Without the address of the client: an outage would fill the log with the addresses of all voters. */
static void log_failure(const char *request_id, enum problem problem, const char *detail)
{
    log_warn("request failed", LOG_S("request_id", request_id), LOG_S("problem", problem_slug(problem)),
             LOG_S("detail", detail));
}

static bool has_retry_after(const struct http_call *call)
{
    return h2o_find_header_by_str(&call->req->res.headers, H2O_STRLIT("retry-after"), -1) >= 0;
}

/* Borrows members, which may be NULL. */
static void send_problem(struct http_call *call, enum problem problem, const char *pointer, json_t *members,
                         const char *detail)
{
    char request_id[17];
    snprintf(request_id, sizeof(request_id), "%016llx", (unsigned long long)call->id);
    char *body = render_problem(problem, request_id, pointer, members, detail);
    int code = problem_code(problem);

    if ((code == 503 || code == 429) && !has_retry_after(call))
        http_add_header(call, "retry-after", "1");
    if (code >= 500)
        log_failure(request_id, problem, detail);
    http_reply(call, code, "application/problem+json", body, strlen(body));
    free(body);
}

void http_problem(struct http_call *call, enum problem problem, const char *pointer, const char *detail, ...)
{
    char text[512];
    va_list args;

    va_start(args, detail);
    vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    send_problem(call, problem, pointer, NULL, text);
}

void http_problem_with(struct http_call *call, enum problem problem, json_t *members, const char *detail, ...)
{
    char text[512];
    va_list args;

    va_start(args, detail);
    vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    send_problem(call, problem, NULL, members, text);
    json_decref(members);
}

void http_problem_json(struct http_call *call, enum problem problem, const struct json_error *err)
{
    send_problem(call, problem, err->pointer, NULL, err->text);
}

/* libh2o calls this when it refuses a request by itself: for a malformed header, or a body above the limit. This
 * definition in the executable replaces the one in the library, so that these answers are problems like all others. */
void h2o_send_error_generic(h2o_req_t *req, int status, const char *reason, const char *body, int flags)
{
    enum problem problem = status == 413   ? PROBLEM_PAYLOAD_TOO_LARGE
                           : status >= 500 ? PROBLEM_INTERNAL
                                           : PROBLEM_BAD_REQUEST;
    struct http_call call = {.req = req, .id = http_next_id(http_loop_of(req)), .began_ns = clock_mono_ns()};

    if (req->pathconf == NULL) {
        h2o_hostconf_t *host = req->conn->hosts[0];
        h2o_req_bind_conf(req, host, &host->fallback_path);
    }
    if ((flags & H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION) != 0)
        req->http1_is_persistent = 0;
    if ((flags & H2O_SEND_ERROR_KEEP_HEADERS) == 0)
        memset(&req->res.headers, 0, sizeof(req->res.headers));
    send_problem(&call, problem, NULL, NULL, body);
}
