/* http_dispatch - finds the route of a request, checks the rules for every request, and calls the route's handler.
 * SPDX-License-Identifier: MIT */
#include "http_dispatch.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "http_head.h"
#include "http_request.h"

/* Whether the path fits the pattern; fills params. */
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

static void answer_livez(struct http_call *call)
{
    http_reply(call, 200, "application/json", H2O_STRLIT("{\"live\":true}"));
}

static void answer_readyz(struct http_call *call)
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

static void answer_metrics(struct http_call *call)
{
    size_t len;
    char *text = metrics_render(&len);

    http_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8", text, len);
    free(text);
}

static const struct http_route own_routes[] = {
    {"GET", "/livez", answer_livez, 0, NULL},
    {"GET", "/readyz", answer_readyz, 0, NULL},
    {"GET", "/metrics", answer_metrics, 0, NULL},
};

void http_print_routes(const struct http_route *routes, size_t n, FILE *to)
{
    for (size_t i = 0; i < n; i++)
        fprintf(to, "%s %s\n", routes[i].method, routes[i].pattern);
    if (routes != own_routes)
        http_print_routes(own_routes, sizeof(own_routes) / sizeof(own_routes[0]), to);
}

/* The route among these for the path and method of a call; sets the call's params. NULL: there is none. Then the
 * methods of the routes with this path are added to allow, which the caller has set to "" before the first call. */
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

/* Whether a page of another site has made a browser send this request, with the cookies of this site. Browsers say so
 * in Sec-Fetch-Site, which does not depend on what proxies do to Host. Over plain HTTP, and in old browsers, there is
 * only Origin (RFC 6454, 7). A client that sends neither is no browser. */
static bool is_cross_site(const struct http_call *call)
{
    h2o_iovec_t site = http_header(call, "sec-fetch-site"), origin = http_header(call, "origin");
    h2o_iovec_t authority = call->req->input.authority;

    if (match_method("GET", call->req->method))
        return false;
    if (site.base != NULL) /* none: the user, not a page */
        return !h2o_memis(site.base, site.len, H2O_STRLIT("same-origin")) &&
               !h2o_memis(site.base, site.len, H2O_STRLIT("none"));
    if (origin.base == NULL)
        return false;
    const char *host = memmem(origin.base, origin.len, "://", 3);
    if (host == NULL)
        return true;
    host += 3;
    return !h2o_lcstris(host, (size_t)(origin.base + origin.len - host), authority.base, authority.len);
}

/* Refuses a request when another server could see its end, or its host, somewhere else (request smuggling). Then it
 * answers and returns false. */
static bool admit_head(struct http_call *call)
{
    const h2o_socket_t *sock = call->request->connection->sock;
    const char *fault = NULL;

    if (call->req->version < 0x200)
        fault = http_head_fault(sock->input->bytes, sock->input->size);
    else if (!http_request_has_its_length(call->request))
        fault = "The body is not as long as Content-Length says.";
    if (fault == NULL)
        return true;
    call->req->http1_is_persistent = 0;
    http_problem(call, PROBLEM_BAD_REQUEST, NULL, "%s", fault);
    return false;
}

/* Checks the rules for every request, before its handler runs. Answers and returns false when it breaks one. */
static bool admit_request(struct http_call *call)
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
    if (call->route->limit != NULL && !http_limit_admit(call, call->route->limit))
        return false;
    /* It is cheap to read the count of this loop, so the counts of the others are read only when this one is large. */
    if (call->route->max_body > 0 &&
        call->loop->waiting >= (unsigned)server->options.max_in_flight / (unsigned)server->options.loops &&
        http_count_waiting(server) >= (size_t)server->options.max_in_flight) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
        return false;
    }
    return true;
}

int http_dispatch(h2o_handler_t *self, h2o_req_t *req)
{
    struct http_loop *loop = http_loop_of(req);
    const struct http_options *options = &loop->server->options;
    struct http_call *call = h2o_mem_alloc_pool(&req->pool, sizeof(*call));
    char allow[96] = "";

    *call = (struct http_call){.req = req, .loop = loop, .service = options->service, .began_ns = clock_mono_ns()};
    loop->last_request_ms = call->began_ns / 1000000;
    call->request = http_request_complete(req, loop->last_request_ms);
    call->id = http_next_id(loop);
    if (!admit_head(call))
        return 0;
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
    } else if (admit_request(call)) {
        call->route->handler(call);
    }
    return 0;
}
