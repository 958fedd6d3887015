/* http_connection - one accepted connection: its limits, the memory that its requests hold, its end. For http_*.c only.
 * SPDX-License-Identifier: MIT
 *
 * Everything here runs on the thread of the connection's loop; http_connections_accept runs on loop 0. */
#ifndef SCRUTIN_HTTP_CONNECTION_H
#define SCRUTIN_HTTP_CONNECTION_H

#include "http_frames.h"
#include "http_loop.h"

/* Why the server cuts a connection. http_connection.c has the metric and the label of each reason. */
enum http_cut {
    CUT_NOT,
    CUT_LIMIT,   /* more connections than max_connections */
    CUT_ADDRESS, /* more connections than an address or a network may have */
    CUT_IDLE,    /* no complete request for HTTP_IDLE_TIMEOUT_MS */
    CUT_AGE,     /* older than connection_age_s, and idle */
    CUT_SLOW,    /* a request took longer than request_age_ms until its answer was read */
    CUT_RESETS,  /* the client reset too many requests */
    CUT_FRAMES,  /* too many frames that are no requests */
    CUT_HEADERS, /* a header block is too large */
    CUT_INPUT,   /* the requests hold too much memory */
    CUT_PREFACE, /* neither HTTP/1 nor HTTP/2 */
    CUT_REASONS
};

/* The counters of the connections from one address and from its network. Both are NULL where they are not counted. */
struct http_counts {
    atomic_uint *address, *network;
};

/* Lives as long as its socket: the callback of the socket's end frees it. */
struct http_connection {
    h2o_linklist_t link; /* in loop->connections */
    struct http_loop *loop;
    h2o_socket_t *sock;
    h2o_socket_cb on_read;   /* libh2o's reader; the guard reads first */
    int64_t since_ms;        /* monotonic: when it was accepted */
    int64_t last_request_ms; /* monotonic: when the last complete request came */
    h2o_linklist_t requests; /* of struct http_request, without event streams; the oldest is first */
    unsigned n_requests;     /* that have begun and have not ended, with event streams */
    unsigned n_streams;      /* event streams */
    unsigned n_waiting;      /* requests that wait */
    size_t held;             /* bytes that its requests hold, approximately */
    struct http_frames frames;
    double resets_left; /* requests that the client may still reset, at resets_ms */
    int64_t resets_ms;
    struct http_counts counts;
    enum http_cut cut_reason; /* CUT_NOT: it may stay */
    bool is_cut;              /* its socket is shut down */
    bool has_begun;           /* it had a request */
    bool has_closed;          /* the last sweep saw that the client had closed it */
};

/* Once for each server, before its first loop. */
void http_connections_init(struct http_server *server);

/* Accepts what waits at the listener, on loop 0, and gives each loop a connection in turn. If every loop accepted for
 * itself, chance would decide which one gets the work. A callback of h2o_socket_read_start. */
void http_connections_accept(h2o_socket_t *listener, const char *err);

/* Makes the connection of an accepted socket and owns fd. The caller has counted it in server->connections and in
 * counts; the end of the connection takes both back. The caller calls h2o_accept with its socket next. */
struct http_connection *http_connection_begin(struct http_loop *loop, int fd, struct http_counts counts);

/* The connection of a socket. NULL: the socket is the listener. */
struct http_connection *http_connection_on(h2o_socket_t *sock);

/* Shuts the socket down. libh2o frees the connection when it reads the end. Counts the reason, once for each
 * connection. */
void http_connection_cut(struct http_connection *connection, enum http_cut why);

/* Cuts it at the next input, header block or sweep. For callers that libh2o has called. */
void http_connection_cut_later(struct http_connection *connection, enum http_cut why);

/* Adds bytes to what its requests hold, or takes them off. Inline, because each request does it several times. */
static inline void http_connection_hold(struct http_connection *connection, size_t n)
{
    connection->held += n;
    connection->loop->held += n;
}

static inline void http_connection_release(struct http_connection *connection, size_t n)
{
    if (n > connection->held)
        n = connection->held;
    connection->held -= n;
    connection->loop->held -= n;
}

#endif
