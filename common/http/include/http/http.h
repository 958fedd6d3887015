/* http - the HTTP server of all services, on libh2o: loops, routes, answers, requests that wait, draining.
 * SPDX-License-Identifier: MIT
 *
 * One server runs several loops. Each loop is a thread with its own libh2o context, and a connection stays on its loop.
 * A handler runs on the loop of its connection and must not block. Memory from call->req->pool lives as long as the
 * request. A function here runs on the thread of its loop, unless its comment says otherwise.
 *
 * A handler that cannot answer at once takes a ticket (http_call_wait) and returns. The client may leave before the
 * answer: then libh2o frees the request and its pool at once. The ticket outlives them, and ticket->call is NULL from
 * then on. */
#ifndef SCRUTIN_HTTP_H
#define SCRUTIN_HTTP_H

#include "base/json.h"
#include "base/status.h"
#include "http/address.h"
#include "http/http_limit.h"
#include "http/problem.h"
#include <h2o.h>
#include <stdio.h>

/* How many connections, or event streams, one network (IPv6 /48, IPv4 /24) may have, in percent of what one address may
 * have. With the defaults, a quarter of all stays free for others, and a hall behind two addresses has enough. */
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
    size_t max_body;          /* bytes; 0: a request with a body is refused */
    struct http_limit *limit; /* of requests from one address; NULL: there is none, or the handler checks one itself */
};

struct http_call {
    h2o_req_t *req;
    struct http_loop *loop;
    void *service; /* http_options.service */
    const struct http_route *route;
    h2o_iovec_t params[HTTP_PARAMS_MAX]; /* not percent-decoded; our ids have no such characters */
    h2o_iovec_t query;                   /* what follows the `?`, or empty */
    struct http_request *request;        /* private to the server */
    uint64_t id;                         /* problems and log lines show it as request_id, in 16 hex digits */
    int64_t began_ns;                    /* monotonic: when the request was complete */
};

/* A part of the service that /readyz checks. It is called on a loop and must not block. */
struct http_check {
    const char *name;
    /* When it is not ready, writes one word or one sentence into detail. */
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
    int max_connections;             /* of all loops; a further one is closed at once */
    int max_in_flight;               /* requests of all loops that wait; above it, a route with a body answers 503 */
    int max_per_address;             /* connections of one address; 0: no limit */
    int64_t connection_age_s;        /* an older connection is closed when it is idle; 0: never */
    int64_t request_age_ms;          /* from the first byte of a request until its answer is read; 0: 60 s */
    unsigned max_resets;             /* requests under way that one connection may reset in 10 s; 0: 200 */
    unsigned max_frames;             /* HTTP/2 frames that are no requests, in 10 s on a connection; 0: 10,000 */
    int64_t max_held_bytes;          /* that requests under way hold, on all loops; 0: 256 MiB */
    const struct http_route *routes; /* the service's; the server adds /livez, /readyz and /metrics */
    size_t n_routes;
    const struct http_check *checks;
    size_t n_checks;
    struct http_limit *const *limits; /* all limits of the service, for their metrics */
    size_t n_limits;
    const struct address_list *trusted_proxies; /* their X-Forwarded-For is believed; NULL: there are none */
    void *service;                              /* for handlers, as call->service */

    /* Each of the following may be NULL. It is called on every loop, on its thread. */

    /* Before the first request of the loop and after its last. May call http_loop_set_data. */
    void (*on_loop_start)(struct http_loop *loop, void *service);
    void (*on_loop_stop)(struct http_loop *loop, void *service);
    /* When draining begins. The service ends its event streams here. */
    void (*on_loop_drain)(struct http_loop *loop, void *service);
    /* When no request waits and none has come for a second. Called once; again only after a request has
     * come or a connection has ended. */
    void (*on_loop_idle)(struct http_loop *loop, void *service);
    /* At the end of every turn of the loop. Group commit hands over its batch here. */
    void (*on_turn_end)(struct http_loop *loop, void *service);
};

/* Binds and listens, but accepts nothing yet. On the thread that calls http_run later. Borrows what options points at
 * until the process ends.
 *
 * ST_IO      the address cannot be used
 * ST_CONFIG  the address or the certificate is not valid, or libh2o does not fit (http_guard.h) */
MUST_CHECK enum status http_open(const struct http_options *options, struct http_server **out, struct errmsg *err);
/* Runs the loops. Returns when all have ended after http_drain. The process must end soon after. */
void http_run(struct http_server *server);
/* Prints `METHOD pattern` for each of the service's routes and of the server's own, one a line. */
void http_print_routes(const struct http_route *routes, size_t n, FILE *to);
/* From any thread. From now on, the server accepts no connections, and /readyz answers 503. Requests that have begun
 * are answered, and idle connections are closed. After grace_ms the loops end in any case. */
void http_drain(struct http_server *server, int grace_ms);
void http_close(struct http_server *server); /* NULL is fine */

/* --- loops */
void http_loop_set_data(struct http_loop *loop, void *data);
void *http_loop_data(struct http_loop *loop);
h2o_context_t *http_loop_context(struct http_loop *loop);
bool http_loop_is_draining(struct http_loop *loop);
/* Runs fn(arg) on the thread of the loop, soon. From any thread. The calls of one thread keep their order. */
void http_loop_post(struct http_loop *loop, void (*fn)(void *arg), void *arg);

/* --- reading a request */
/* The address of the client, for limits and logs. When the peer is a trusted proxy, this is the address that its
 * X-Forwarded-For names; the list is read from the right, as long as each address is a trusted proxy. */
struct address http_client_address(const struct http_call *call);
/* The value of a header, or {NULL, 0}. name in lower case. */
h2o_iovec_t http_header(const struct http_call *call, const char *name);
/* The token of `Authorization: Bearer`, or {NULL, 0}. */
h2o_iovec_t http_bearer(const struct http_call *call);
/* The value of a cookie (RFC 6265, 4.2), or {NULL, 0}. nth counts the cookies of the same name, from 0. */
h2o_iovec_t http_cookie(const struct http_call *call, const char *name, size_t nth);
/* The value of a query parameter, percent-decoded into the request's pool, or {NULL, 0}. */
h2o_iovec_t http_query(const struct http_call *call, const char *name);
/* The same from a body or query like a=1&b=2 (application/x-www-form-urlencoded). */
h2o_iovec_t http_form_value(h2o_mem_pool_t *pool, h2o_iovec_t form, const char *name);
/* Whether Content-Type is this media type, with or without parameters. */
bool http_content_is(const struct http_call *call, const char *type);
/* Whether the client uses TLS: with X-Forwarded-Proto what that says, otherwise this connection. */
bool http_is_tls(const struct http_call *call);
/* Parses the body as a JSON object; the caller decrefs it. Otherwise answers 415 or 400 and returns NULL. */
json_t *http_read_json(struct http_call *call);

/* --- answering
 *
 * A handler answers each request exactly once, at once or later. A second answer aborts. */
/* Adds a header to the answer. Copies value. name is a string that is never freed, in lower case. */
void http_add_header(struct http_call *call, const char *name, const char *value);
/* The same, but replaces a header of this name. */
void http_set_header(struct http_call *call, const char *name, const char *value);
/* Copies the body. */
void http_reply(struct http_call *call, int code, const char *content_type, const char *body, size_t len);
void http_reply_json(struct http_call *call, int code, json_t *json); /* takes over json */
/* Answers application/problem+json (RFC 9457). detail is one or two sentences that say what to do. pointer is the JSON
 * pointer (RFC 6901) to the wrong field of the body, "" for the whole body; NULL: there is none. 503 and 429 get
 * `Retry-After: 1`, unless the header was added before. */
void http_problem(struct http_call *call, enum problem problem, const char *pointer, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with extension members (RFC 9457, 3.2). Takes over members. */
void http_problem_with(struct http_call *call, enum problem problem, json_t *members, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
void http_problem_json(struct http_call *call, enum problem problem, const struct json_error *err);

/* --- waiting */
struct http_ticket {
    struct http_call *call; /* NULL: the client has left */
    struct http_loop *loop;
    struct http_request *request; /* private to the server */
};
/* The request waits from now on. Only on the thread of its loop. A request has one ticket at a time. */
struct http_ticket *http_call_wait(struct http_call *call);
/* The request no longer waits. Before the answer or after it, and also when the client has left. */
void http_ticket_free(struct http_ticket *ticket);
/* The handler sends the answer itself, with h2o_start_response and h2o_send, and it may take long. The limits of age do
 * not apply to this request and its connection. */
void http_call_start_stream(struct http_call *call);

#endif
