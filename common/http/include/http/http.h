/* http - the HTTP server that the services share: loops, routes, problems, guarded requests, draining. On libh2o.
 * SPDX-License-Identifier: MIT
 *
 * One server runs n loops, each a thread with its own libh2o context; a connection stays on its loop. A handler runs on
 * the loop of its connection and must not block. What it allocates from call->req->pool lives as long as the request.
 *
 * A request that waits is guarded: http_call_wait gives a ticket that outlives the request; when the client leaves, the
 * request and everything in its pool are gone at once and ticket->call is NULL from then on. */
#ifndef SCRUTIN_HTTP_H
#define SCRUTIN_HTTP_H

#include "base/json.h"
#include "base/status.h"
#include "http/address.h"
#include "http/http_limit.h"
#include "http/problem.h"
#include <h2o.h>
#include <stdio.h>

/* Connections, and event streams, that a network (IPv6 /48, IPv4 /24) may have, in percent of what an address may: by
 * default the last quarter of all stays for others, and a hall behind two addresses has room. */
#define HTTP_NETWORK_PERCENT 150

#define HTTP_PARAMS_MAX 2
#define HTTP_LOOPS_MAX 64

struct http_server;
struct http_loop;
struct http_call;

typedef void (*http_handler)(struct http_call *call);

struct http_route {
    const char *method;  /* "GET" also answers HEAD */
    const char *pattern; /* "/v1/polls/{poll}/ballot": a segment in braces matches any, in order into params */
    http_handler handler;
    size_t max_body;          /* bytes; 0: no body is read, and one is refused */
    struct http_limit *limit; /* of requests from one address; NULL: none, or the handler's to ask */
};

struct http_call {
    h2o_req_t *req;
    struct http_loop *loop;
    void *service; /* http_options.service */
    const struct http_route *route;
    h2o_iovec_t params[HTTP_PARAMS_MAX]; /* not decoded: ids need none */
    h2o_iovec_t query;                   /* behind the `?`, or empty */
    struct http_request *request;        /* the server's */
    uint64_t id;                         /* what problems and log lines show as request_id, in 16 hex digits */
    int64_t began_ns;                    /* monotonic */
};

/* A named dependency that /readyz asks. Called on a loop; must not block. */
struct http_check {
    const char *name;
    /* Writes one word or sentence into detail. */
    bool (*is_ready)(void *arg, char detail[128]);
    void *arg;
};

struct http_options {
    const char *bind_address;
    int port;
    int loops;                 /* 1..HTTP_LOOPS_MAX */
    const char *tls_cert_file; /* NULL or "": plain HTTP/1.1 and h2c */
    const char *tls_key_file;
    size_t max_body;                 /* the largest max_body of the routes */
    int max_connections;             /* on all loops; one more is closed at once */
    int max_in_flight;               /* requests that wait, on all loops; one more is answered 503 */
    int max_per_address;             /* connections of one address; 0: as many as there may be */
    int64_t connection_age_s;        /* after which a connection is closed when it is idle; 0: never */
    int64_t request_age_ms;          /* from a request's first byte until its answer is read; 0: 60 s */
    unsigned max_resets;             /* of requests under way, in 10 s on a connection; 0: 200 */
    unsigned max_frames;             /* HTTP/2 frames that are no requests, in 10 s on a connection; 0: 10,000 */
    int64_t max_held_bytes;          /* that requests under way hold, on all loops; 0: 256 MiB */
    const struct http_route *routes; /* the service's; /livez, /readyz, /metrics are the server's own */
    size_t n_routes;
    const struct http_check *checks;
    size_t n_checks;
    struct http_limit *const *limits; /* all that the service has, for their metrics */
    size_t n_limits;
    const struct address_list *trusted_proxies; /* whose X-Forwarded-For counts; NULL: nobody's */
    void *service;
    /* Called on each loop before its first request and after its last; may keep a pointer in the loop. NULL is fine. */
    void (*on_loop_start)(struct http_loop *loop, void *service);
    void (*on_loop_stop)(struct http_loop *loop, void *service);
    /* Called on each loop when draining begins: event streams end themselves here. NULL is fine. */
    void (*on_loop_drain)(struct http_loop *loop, void *service);
    /* Called when a second passed without work, the first one since there was some. NULL is fine. */
    void (*on_loop_idle)(struct http_loop *loop, void *service);
    /* Called at the end of every turn of the loop: group commit hands over what gathered. NULL is fine. */
    void (*on_turn_end)(struct http_loop *loop, void *service);
};

/* Binds and listens, accepts nothing yet; on the thread that calls http_run. ST_IO names the address; ST_CONFIG the
 * certificate. */
MUST_CHECK enum status http_open(const struct http_options *options, struct http_server **out, struct errmsg *err);
/* Runs the loops until http_drain, returns when the last one has ended. The process should end soon after. */
void http_run(struct http_server *server);
/* One line, `METHOD pattern`, for each of the service's routes and the server's own. */
void http_print_routes(const struct http_route *routes, size_t n, FILE *to);
/* From any thread, or a signal's: no new connections, requests in flight are answered, idle connections are closed,
 * after grace_ms everything else is cut. /readyz says no from here on. */
void http_drain(struct http_server *server, int grace_ms);
void http_close(struct http_server *server); /* NULL is fine */

/* --- loops */
void http_loop_set_data(struct http_loop *loop, void *data);
void *http_loop_data(struct http_loop *loop);
h2o_context_t *http_loop_context(struct http_loop *loop);
bool http_loop_is_draining(struct http_loop *loop);
/* Runs fn(arg) on the loop's thread, soon. From any thread. */
void http_loop_post(struct http_loop *loop, void (*fn)(void *arg), void *arg);

/* --- reading a request */
/* Who sent it: the peer, or, as long as that is a trusted proxy, whom its X-Forwarded-For names, from the right. For
 * limits and logs. */
struct address http_client_address(const struct http_call *call);
/* The value of a header, or {NULL, 0}. name in lower case. */
h2o_iovec_t http_header(const struct http_call *call, const char *name);
/* The token of `Authorization: Bearer`, or {NULL, 0}. */
h2o_iovec_t http_bearer(const struct http_call *call);
/* The value of a cookie (RFC 6265), or {NULL, 0}; of several with the name the nth, from 0. */
h2o_iovec_t http_cookie(const struct http_call *call, const char *name, size_t nth);
/* The value of a query parameter, percent-decoded into the request's pool, or {NULL, 0}. */
h2o_iovec_t http_query(const struct http_call *call, const char *name);
/* The same, from a body or query of the form a=1&b=2 (application/x-www-form-urlencoded). */
h2o_iovec_t http_form_value(h2o_mem_pool_t *pool, h2o_iovec_t form, const char *name);
bool http_content_is(const struct http_call *call, const char *type);
bool http_is_tls(const struct http_call *call); /* or a proxy says so with X-Forwarded-Proto */
/* Parses the body as a JSON object, or answers 415 or 400 and returns NULL. The caller decrefs. */
json_t *http_read_json(struct http_call *call);

/* --- answering: each request exactly once */
void http_add_header(struct http_call *call, const char *name, const char *value); /* value is copied */
/* The same, in place of one that was added before. name is static, in lower case. */
void http_set_header(struct http_call *call, const char *name, const char *value);
/* Copies the body. */
void http_reply(struct http_call *call, int code, const char *content_type, const char *body, size_t len);
void http_reply_json(struct http_call *call, int code, json_t *json); /* takes over json */
/* problem+json; the detail says what to do. pointer may be NULL. 503 and 429 carry Retry-After: 1, or what was added.
 */
void http_problem(struct http_call *call, enum problem problem, const char *pointer, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with further members (RFC 9457, 3.2), which it takes over. */
void http_problem_with(struct http_call *call, enum problem problem, json_t *members, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
void http_problem_json(struct http_call *call, enum problem problem, const struct json_error *err);

/* --- waiting */
struct http_ticket {
    struct http_call *call; /* NULL once the client has gone */
    struct http_loop *loop;
    struct http_request *request; /* the server's */
};
/* Marks the request as waiting; belongs to the loop's thread like the request itself. One at a time. */
struct http_ticket *http_call_wait(struct http_call *call);
/* Ends the waiting; call it before or after answering, client gone or not. Frees the ticket. */
void http_ticket_free(struct http_ticket *ticket);
/* The request's connection carries an event stream: it may stay idle and grow old. */
void http_call_is_stream(struct http_call *call);

#endif
