/* http - one request: routing, reading, answering, waiting.
 * SPDX-License-Identifier: MIT */
#include "http_internal.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include <stdarg.h>

static struct {
    struct metric *by_class[6]; /* [2] counts 2xx */
    struct metric *duration;
    struct metric *abandoned;
} metrics;

static double read_connections(void *arg)
{
    return atomic_load(&((struct http_server *)arg)->connections);
}

static double read_waiting(void *arg)
{
    return atomic_load(&((struct http_server *)arg)->waiting);
}

void http_metrics_init(struct http_server *server)
{
    static const char *const classes[] = {NULL, NULL, "code=\"2xx\"", "code=\"3xx\"", "code=\"4xx\"", "code=\"5xx\""};

    for (int i = 2; i <= 5; i++)
        metrics.by_class[i] = metric_counter("http_requests_total", classes[i], "Requests answered, by class of code.");
    metrics.duration = metric_histogram_seconds("http_request_duration_seconds", "",
                                                "From the request being whole to its answer being made.");
    metrics.abandoned = metric_counter("http_requests_abandoned_total", "",
                                       "Requests whose client left before the answer.");
    metric_gauge_from("http_connections", "", "Open connections.", read_connections, server);
    metric_gauge_from("http_requests_waiting", "", "Requests that wait for an acknowledgement or for data.",
                      read_waiting, server);
}

/* --- answering */

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
    if (code != 304)
        req->res.content_length = len;
    h2o_send_inline(req, body, len);
}

void http_reply_json(struct http_call *call, int code, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    http_reply(call, code, "application/json", text, strlen(text));
    free(text);
}

static char *render_problem(enum problem problem, const char *request_id, const char *pointer, const char *detail)
{
    char type[96];

    snprintf(type, sizeof(type), "/problems/%s", problem_slug(problem));
    json_t *body = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", problem_title(problem), "status",
                             problem_code(problem), "detail", detail, "request_id", request_id);
    if (pointer != NULL)
        json_object_set_new(body, "pointer", json_string(pointer));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

static void send_problem(struct http_call *call, enum problem problem, const char *pointer, const char *detail)
{
    char request_id[17];
    snprintf(request_id, sizeof(request_id), "%016llx", (unsigned long long)call->id);
    char *body = render_problem(problem, request_id, pointer, detail);
    int code = problem_code(problem);

    if (code == 503 || code == 429)
        http_add_header(call, "retry-after", "1");
    if (code >= 500)
        log_warn("request failed", LOG_S("request_id", request_id), LOG_S("problem", problem_slug(problem)),
                 LOG_S("detail", detail));
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
    send_problem(call, problem, pointer, text);
}

void http_problem_json(struct http_call *call, enum problem problem, const struct json_error *err)
{
    send_problem(call, problem, err->pointer, err->text);
}

/* Unique in this process, and by its random start most likely among all. */
static uint64_t next_request_id(h2o_req_t *req)
{
    struct http_loop *loop = H2O_STRUCT_FROM_MEMBER(struct http_loop, context, req->conn->ctx);

    return loop->id_start + loop->id_count++;
}

/* libh2o calls this for what it refuses by itself (a broken header, a body over the limit). Defined by the executable,
 * it takes the place of the library's own, so that these errors are problem+json like all others. */
void h2o_send_error_generic(h2o_req_t *req, int status, const char *reason, const char *body, int flags)
{
    enum problem problem = status == 413   ? PROBLEM_PAYLOAD_TOO_LARGE
                           : status >= 500 ? PROBLEM_INTERNAL
                                           : PROBLEM_BAD_REQUEST;
    struct http_call call = {.req = req, .id = next_request_id(req), .began_ns = clock_mono_ns()};

    if (req->pathconf == NULL) {
        h2o_hostconf_t *host = req->conn->hosts[0];
        h2o_req_bind_conf(req, host, &host->fallback_path);
    }
    if ((flags & H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION) != 0)
        req->http1_is_persistent = 0;
    if ((flags & H2O_SEND_ERROR_KEEP_HEADERS) == 0)
        memset(&req->res.headers, 0, sizeof(req->res.headers));
    send_problem(&call, problem, NULL, body);
}

/* --- reading */

h2o_iovec_t http_header(const struct http_call *call, const char *name)
{
    const h2o_headers_t *headers = &call->req->headers;
    ssize_t at = h2o_find_header_by_str(headers, name, strlen(name), -1);

    return at < 0 ? (h2o_iovec_t){NULL, 0} : headers->entries[at].value;
}

h2o_iovec_t http_bearer(const struct http_call *call)
{
    const h2o_headers_t *headers = &call->req->headers;
    ssize_t at = h2o_find_header(headers, H2O_TOKEN_AUTHORIZATION, -1);

    if (at < 0)
        return (h2o_iovec_t){NULL, 0};
    h2o_iovec_t value = headers->entries[at].value;
    if (value.len <= 7 || strncasecmp(value.base, "Bearer ", 7) != 0)
        return (h2o_iovec_t){NULL, 0};
    return h2o_iovec_init(value.base + 7, value.len - 7);
}

h2o_iovec_t http_cookie(const struct http_call *call, const char *name)
{
    const h2o_headers_t *headers = &call->req->headers;
    size_t name_len = strlen(name);

    /* HTTP/2 may send several cookie headers (RFC 9113, 8.2.3). */
    for (ssize_t at = h2o_find_header(headers, H2O_TOKEN_COOKIE, -1); at >= 0;
         at = h2o_find_header(headers, H2O_TOKEN_COOKIE, at)) {
        const char *p = headers->entries[at].value.base, *end = p + headers->entries[at].value.len;
        while (p < end) {
            while (p < end && (*p == ' ' || *p == ';'))
                p++;
            const char *stop = memchr(p, ';', (size_t)(end - p));
            if (stop == NULL)
                stop = end;
            if ((size_t)(stop - p) > name_len && memcmp(p, name, name_len) == 0 && p[name_len] == '=')
                return h2o_iovec_init(p + name_len + 1, (size_t)(stop - p) - name_len - 1);
            p = stop;
        }
    }
    return (h2o_iovec_t){NULL, 0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static h2o_iovec_t decode_percent(h2o_mem_pool_t *pool, const char *text, size_t len)
{
    h2o_iovec_t out = h2o_iovec_init(h2o_mem_alloc_pool(pool, len + 1), 0);

    for (size_t i = 0; i < len; i++) {
        int high, low;
        if (text[i] == '%' && i + 2 < len && (high = hex_digit(text[i + 1])) >= 0 &&
            (low = hex_digit(text[i + 2])) >= 0) {
            out.base[out.len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out.base[out.len++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    out.base[out.len] = '\0';
    return out;
}

h2o_iovec_t http_form_value(h2o_mem_pool_t *pool, h2o_iovec_t form, const char *name)
{
    const char *p = form.base, *end = form.base + form.len;
    size_t name_len = strlen(name);

    while (p < end) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        if ((size_t)(stop - p) > name_len && memcmp(p, name, name_len) == 0 && p[name_len] == '=')
            return decode_percent(pool, p + name_len + 1, (size_t)(stop - p) - name_len - 1);
        p = stop + 1;
    }
    return (h2o_iovec_t){NULL, 0};
}

h2o_iovec_t http_query(const struct http_call *call, const char *name)
{
    return http_form_value(&call->req->pool, call->query, name);
}

bool http_is_tls(const struct http_call *call)
{
    h2o_iovec_t proto = http_header(call, "x-forwarded-proto");

    if (proto.base != NULL)
        return h2o_memis(proto.base, proto.len, H2O_STRLIT("https"));
    return call->req->input.scheme == &H2O_URL_SCHEME_HTTPS;
}

bool http_content_is(const struct http_call *call, const char *type)
{
    const h2o_headers_t *headers = &call->req->headers;
    ssize_t at = h2o_find_header(headers, H2O_TOKEN_CONTENT_TYPE, -1);
    size_t len = strlen(type);

    if (at < 0 || headers->entries[at].value.len < len)
        return false;
    h2o_iovec_t value = headers->entries[at].value;
    return strncasecmp(value.base, type, len) == 0 &&
           (value.len == len || value.base[len] == ';' || value.base[len] == ' ');
}

json_t *http_read_json(struct http_call *call)
{
    struct json_error err;

    if (!http_content_is(call, "application/json")) {
        http_problem(call, PROBLEM_UNSUPPORTED_MEDIA_TYPE, NULL, "Send the body as Content-Type: application/json.");
        return NULL;
    }
    json_t *json = json_parse_object(call->req->entity.base, call->req->entity.len, &err);
    if (json == NULL)
        http_problem_json(call, PROBLEM_INVALID_JSON, &err);
    return json;
}

/* --- waiting */

struct http_ticket_token {
    struct http_ticket *ticket; /* NULL once the waiting is over */
    struct http_loop *loop;
    struct http_connection *connection;
};

/* The request's pool is being freed: nobody may touch the request again. */
static void on_request_gone(void *memory)
{
    struct http_ticket_token *token = memory;

    if (token->ticket != NULL) {
        token->ticket->call = NULL;
        token->ticket->token = NULL;
        if (token->connection != NULL)
            token->connection->waiting--;
        metric_add(metrics.abandoned, 1);
    }
}

struct http_ticket *http_call_wait(struct http_call *call)
{
    struct http_ticket *ticket = h2o_mem_alloc_recycle(&call->loop->tickets, sizeof(*ticket));
    struct http_ticket_token *token = h2o_mem_alloc_shared(&call->req->pool, sizeof(*token), on_request_gone);

    *token = (struct http_ticket_token){ticket, call->loop, http_connection_of(call->req)};
    *ticket = (struct http_ticket){call, call->loop, token};
    if (token->connection != NULL)
        token->connection->waiting++;
    call->loop->waiting++;
    atomic_fetch_add_explicit(&call->loop->server->waiting, 1, memory_order_relaxed);
    return ticket;
}

void http_ticket_free(struct http_ticket *ticket)
{
    if (ticket->token != NULL) {
        ticket->token->ticket = NULL;
        if (ticket->token->connection != NULL)
            ticket->token->connection->waiting--;
    }
    ticket->loop->waiting--;
    atomic_fetch_sub_explicit(&ticket->loop->server->waiting, 1, memory_order_relaxed);
    h2o_mem_free_recycle(&ticket->loop->tickets, ticket);
}

void http_call_is_stream(struct http_call *call)
{
    struct http_connection *connection = http_connection_of(call->req);

    if (connection != NULL)
        connection->carries_stream = true;
}

/* --- routing */

/* Whether path fits pattern; fills params. */
static bool match_path(const char *pattern, h2o_iovec_t path, h2o_iovec_t params[HTTP_PARAMS_MAX])
{
    const char *p = path.base, *end = path.base + path.len;
    int n = 0;

    while (*pattern != '\0') {
        if (*pattern == '{') {
            const char *start = p;
            while (p < end && *p != '/')
                p++;
            if (p == start || n == HTTP_PARAMS_MAX)
                return false;
            params[n++] = h2o_iovec_init(start, (size_t)(p - start));
            pattern = strchr(pattern, '}') + 1;
        } else if (p < end && *p == *pattern) {
            p++;
            pattern++;
        } else {
            return false;
        }
    }
    return p == end;
}

static bool match_method(const char *method, h2o_iovec_t got)
{
    return h2o_memis(got.base, got.len, method, strlen(method)) ||
           (strcmp(method, "GET") == 0 && h2o_memis(got.base, got.len, H2O_STRLIT("HEAD")));
}

static void handle_livez(struct http_call *call)
{
    http_reply(call, 200, "application/json", H2O_STRLIT("{\"live\":true}"));
}

static void handle_readyz(struct http_call *call)
{
    const struct http_options *options = &call->loop->server->options;
    bool ready = !http_loop_is_draining(call->loop);
    json_t *checks = json_object();

    for (size_t i = 0; i < options->n_checks; i++) {
        char detail[128] = "ok";
        if (!options->checks[i].is_ready(options->checks[i].arg, detail))
            ready = false;
        json_object_set_new(checks, options->checks[i].name, json_string(detail));
    }
    if (http_loop_is_draining(call->loop))
        json_object_set_new(checks, "draining", json_true());
    http_reply_json(call, ready ? 200 : 503, json_pack("{s:b, s:o}", "ready", ready, "checks", checks));
}

static void handle_metrics(struct http_call *call)
{
    size_t len;
    char *text = metrics_render(&len);

    http_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8", text, len);
    free(text);
}

static const struct http_route own_routes[] = {
    {"GET", "/livez", handle_livez, 0},
    {"GET", "/readyz", handle_readyz, 0},
    {"GET", "/metrics", handle_metrics, 0},
};

/* Looks for the route among some; adds the methods of routes with this path to allow ("" at first). */
static const struct http_route *find_route(const struct http_route *routes, size_t n, struct http_call *call,
                                           char allow[96])
{
    h2o_iovec_t params[HTTP_PARAMS_MAX] = {{NULL, 0}};

    for (size_t i = 0; i < n; i++) {
        if (!match_path(routes[i].pattern, call->req->path_normalized, params))
            continue;
        if (match_method(routes[i].method, call->req->method)) {
            memcpy(call->params, params, sizeof(params));
            return &routes[i];
        }
        size_t len = strlen(allow);
        snprintf(allow + len, 96 - len, "%s%s%s", len > 0 ? ", " : "", routes[i].method,
                 strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

/* A page of another site may not act with this site's cookies: Fetch Metadata, and Origin (RFC 6454) where it is sent.
 */
static bool is_cross_site(const struct http_call *call)
{
    h2o_iovec_t site = http_header(call, "sec-fetch-site"), origin = http_header(call, "origin");
    h2o_iovec_t authority = call->req->input.authority;

    if (match_method("GET", call->req->method))
        return false;
    if (h2o_memis(site.base, site.len, H2O_STRLIT("cross-site")))
        return true;
    if (origin.base == NULL)
        return false;
    const char *host = memmem(origin.base, origin.len, "://", 3);
    if (host == NULL)
        return true;
    host += 3;
    return !h2o_lcstris(host, (size_t)(origin.base + origin.len - host), authority.base, authority.len);
}

/* What every request must keep to, before its handler sees it. Answers and returns false when it does not. */
static bool admit(struct http_call *call)
{
    const struct http_server *server = call->loop->server;

    if (is_cross_site(call)) {
        http_problem(call, PROBLEM_CROSS_SITE, NULL, "Open the page of this site and act there.");
        return false;
    }
    if (call->req->entity.len > call->route->max_body) {
        http_problem(call, PROBLEM_PAYLOAD_TOO_LARGE, NULL, "The body may have at most %zu bytes.",
                     call->route->max_body);
        return false;
    }
    if (atomic_load_explicit(&server->waiting, memory_order_relaxed) >= server->options.max_in_flight &&
        call->route->max_body > 0) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
        return false;
    }
    return true;
}

int http_dispatch(h2o_handler_t *self, h2o_req_t *req)
{
    struct http_loop *loop = H2O_STRUCT_FROM_MEMBER(struct http_loop, context, req->conn->ctx);
    const struct http_options *options = &loop->server->options;
    struct http_call *call = h2o_mem_alloc_pool(&req->pool, sizeof(*call));
    struct http_connection *connection = http_connection_of(req);
    char allow[96] = "";

    *call = (struct http_call){.req = req, .loop = loop, .service = options->service, .began_ns = clock_mono_ns()};
    loop->last_request_ms = call->began_ns / 1000000;
    if (connection != NULL)
        connection->last_request_ms = loop->last_request_ms;
    call->id = next_request_id(req);
    if (req->query_at != SIZE_MAX)
        call->query = h2o_iovec_init(req->path.base + req->query_at + 1, req->path.len - req->query_at - 1);
    call->route = find_route(options->routes, options->n_routes, call, allow);
    if (call->route == NULL)
        call->route = find_route(own_routes, sizeof(own_routes) / sizeof(own_routes[0]), call, allow);
    if (call->route == NULL && allow[0] != '\0') {
        http_add_header(call, "allow", allow);
        http_problem(call, PROBLEM_METHOD_NOT_ALLOWED, NULL, "Allowed here: %s.", allow);
    } else if (call->route == NULL) {
        http_problem(call, PROBLEM_NOT_FOUND, NULL, "No route has this path; /openapi.json lists them.");
    } else if (admit(call)) {
        call->route->handler(call);
    }
    return 0;
}
