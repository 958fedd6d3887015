/* http_internal - what the files of the HTTP server share: http_server.c (loops), http_connection.c (connections, their
 * limits), http_guard.c (what clients may cost), http.c (routing, waiting), http_read.c, http_answer.c, http_limit.c
 * (quotas); http_frames.c and http_head.c are pure. For http*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_INTERNAL_H
#define SCRUTIN_HTTP_INTERNAL_H

#include "http/http.h"
#include "http/http_settings.h"
#include "http_frames.h"
#include <stdatomic.h>

#define HTTP_TICKETS_KEPT 4096
#define HTTP_QUIET_MS 1000 /* without a request: the loop is idle */

/* Why a connection is cut: label and metric in http_connection.c. */
enum http_cut {
    CUT_NOT,
    CUT_LIMIT,   /* one connection too many */
    CUT_ADDRESS, /* one too many of its address */
    CUT_IDLE,    /* no whole request for HTTP_IDLE_TIMEOUT_MS */
    CUT_AGE,     /* old, and idle now */
    CUT_SLOW,    /* a request neither whole, answered and read after its time */
    CUT_RESETS,  /* too many requests reset */
    CUT_FRAMES,  /* too many frames that are no requests */
    CUT_HEADERS, /* a header block too large */
    CUT_INPUT,   /* holds too much memory */
    CUT_PREFACE, /* speaks neither HTTP/1 nor HTTP/2 */
    CUT_REASONS
};

/* A request under way, in its own pool: over HTTP/2 from its header block on, over HTTP/1 from when it is whole. */
struct http_request {
    h2o_linklist_t link; /* of connection->requests, until it is an event stream */
    struct http_connection *connection;
    h2o_req_t *req;
    struct http_ticket *ticket; /* while it waits */
    int64_t began_ms;
    size_t held;      /* bytes beside its body, about */
    size_t announced; /* content-length over HTTP/2; SIZE_MAX: none */
    bool is_stream;
};

/* Where the connections of an address and of its network are counted; both NULL: they are not. */
struct http_counts {
    atomic_uint *address, *network;
};

/* One accepted connection; lives as long as its socket. */
struct http_connection {
    h2o_linklist_t link;
    struct http_loop *loop;
    h2o_socket_t *sock;
    h2o_socket_cb on_read;   /* libh2o's, behind the guard's */
    int64_t since_ms;        /* monotonic: when it was accepted */
    int64_t last_request_ms; /* monotonic: when the last request came in whole */
    unsigned waiting;        /* its tickets */
    h2o_linklist_t requests; /* those that are no event streams, oldest first */
    unsigned open, streams;  /* requests begun and not ended, event streams among them */
    size_t held;             /* bytes that these hold, about */
    struct http_frames frames;
    double resets_left;
    int64_t resets_ms; /* when resets_left was computed */
    struct http_counts counts;
    enum http_cut fault; /* why it is to be cut */
    bool is_cut;
    bool has_begun;  /* had a request */
    bool has_closed; /* the client had closed it when we last looked */
};

struct http_loop {
    struct http_server *server;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_multithread_receiver_t receiver;
    h2o_linklist_t connections;
    h2o_timeout_t sweep_timeout;
    h2o_timeout_entry_t sweep;
    size_t n_connections;
    struct http_connection *reading; /* whose input libh2o is acting on right now, or NULL */
    size_t held;                     /* of all its connections */
    atomic_uint waiting;             /* tickets; only its own thread writes */
    h2o_mem_recycle_t tickets;       /* freed ones: a batch frees a thousand at once */
    uint64_t id_start, id_count;
    int64_t last_request_ms;
    bool draining, stopped, was_quiet;
    int64_t drain_deadline_ms;
    void *data;
};

struct http_server {
    struct http_options options;
    h2o_globalconf_t config;
    int fd;                 /* listening, until loop 0 has it */
    h2o_socket_t *listener; /* loop 0's */
    unsigned next_loop;     /* for the next connection */
    SSL_CTX *tls;
    int64_t certificate_end; /* seconds since 1970 */
    struct http_loop *loops;
    h2o_sem_t loops_ready, may_run, loops_ended; /* of loops 1 and up */
    struct http_addresses *addresses;            /* NULL: no limit of connections of an address */
    atomic_int connections;
    atomic_bool draining;
    atomic_int drain_grace_ms;
};

/* The server's one handler: finds the route, checks what every request must keep to, calls the route's handler. */
int http_dispatch(h2o_handler_t *self, h2o_req_t *req);
/* The request that the ticket is for has ended: its client has left. */
void http_ticket_orphan(struct http_ticket *ticket);

/* --- connections (http_connection.c) */
void http_connections_init(struct http_server *server);
/* Loop 0 accepts for all and deals the connections out in turn: loops that each took what they found would share the
 * work at random. */
void http_accept(h2o_socket_t *listener, const char *err);
/* Takes over a connection that was counted there, on the loop's thread; h2o_accept follows. */
struct http_connection *http_connection_begin(struct http_loop *loop, int fd, struct http_counts counts);
/* The connection of a socket; NULL: it is a listener. */
struct http_connection *http_connection_on(h2o_socket_t *sock);
/* Shuts the connection down: libh2o sees its end, or the sweep tells it, and frees what belongs to it. Counts the
 * reason, once. */
void http_connection_cut(struct http_connection *connection, enum http_cut why);
/* The same as soon as libh2o reads again, or looks at header fields: for callers that libh2o called in between. */
void http_connection_condemn(struct http_connection *connection, enum http_cut why);
/* Cuts those that are idle, old or slow, and ends those whose client has left. */
void http_connections_sweep(struct http_loop *loop, int64_t now_ms);

/* --- the guard (http_guard.c) */
/* Whether this libh2o calls the guard at all, tried with a connection of our own. On the thread of loop 0, before it
 * runs. ST_CONFIG when not. */
MUST_CHECK enum status http_guard_check(struct http_loop *loop, struct errmsg *err);
/* A request that has come in whole. */
struct http_request *http_guard_request(h2o_req_t *req, int64_t now_ms);
/* Whether its body is as long as its content-length said. */
bool http_guard_is_whole(const struct http_request *request);
/* It was answered with so many bytes; it has become an event stream. */
void http_guard_answered(struct http_request *request, size_t len);
void http_guard_is_stream(struct http_request *request);
/* How long the oldest request of a connection has been under way, in ms; 0: there is none. */
int64_t http_guard_oldest_ms(const struct http_connection *connection, int64_t now_ms);
/* Whether libh2o does not read from the connection now: over HTTP/1 it processes one request at a time. */
static inline bool http_guard_is_deaf(const struct http_connection *connection)
{
    return connection->open > 0 && connection->frames.is_http1;
}
/* Tells libh2o that the client has closed the connection. libh2o then ends the request and frees the connection, as a
 * rule before this returns. Only for a deaf connection, and not while libh2o works on it. */
void http_guard_end(struct http_connection *connection);
void http_guard_close(struct http_connection *connection);

static inline struct http_loop *http_loop_of(h2o_req_t *req)
{
    return H2O_STRUCT_FROM_MEMBER(struct http_loop, context, req->conn->ctx);
}
/* A request's id: unique in this process, and by its random start most likely among all. */
static inline uint64_t http_next_id(struct http_loop *loop)
{
    return loop->id_start + loop->id_count++;
}
/* Registers the limits' metrics. */
void http_limits_init(const struct http_options *options);
/* Requests of all loops that wait. */
size_t http_waiting(const struct http_server *server);
/* Registers the metrics of all servers of this process, once. */
void http_answer_metrics_init(void);
void http_metrics_init(struct http_server *server);

#endif
