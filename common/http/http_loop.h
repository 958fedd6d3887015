/* http_loop - the data of a server and of its loops, and the mailbox of a loop. For http_*.c only.
 * SPDX-License-Identifier: MIT
 *
 * The fields of a loop belong to the thread of that loop, unless a comment says otherwise. */
#ifndef SCRUTIN_HTTP_LOOP_H
#define SCRUTIN_HTTP_LOOP_H

#include "http/http.h"
#include <stdatomic.h>

struct http_connection;

struct http_loop {
    struct http_server *server;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_multithread_receiver_t receiver;
    h2o_linklist_t connections; /* all of this loop, by their link */
    size_t n_connections;
    h2o_timeout_t sweep_timeout;
    h2o_timeout_entry_t sweep;
    struct http_connection *reading; /* libh2o acts on the input of this connection now; NULL: of none */
    size_t held;                     /* bytes that the requests of all its connections hold, approximately */
    atomic_uint waiting;             /* requests that wait; only the thread of the loop writes, all threads read */
    h2o_mem_recycle_t tickets;       /* freed tickets to use again: a batch frees a thousand at once */
    uint64_t id_start, id_count;     /* for http_next_id */
    int64_t last_request_ms;         /* monotonic */
    bool draining, stopped;
    bool was_quiet;         /* no request came for a while, and the service knows it */
    int64_t drain_began_ms; /* monotonic */
    void *data;             /* the service's */
};

struct http_server {
    struct http_options options;
    h2o_globalconf_t config;
    int fd;                 /* the listening socket, until loop 0 owns it; -1 afterwards */
    h2o_socket_t *listener; /* loop 0 owns it; NULL when draining */
    unsigned next_loop;     /* which loop gets the next connection; only loop 0 uses it */
    SSL_CTX *tls;           /* NULL: plain HTTP */
    int64_t certificate_end;
    struct http_loop *loops;
    h2o_sem_t loops_ready, may_run, loops_ended; /* for the loops from 1 on */
    struct http_addresses *addresses; /* http_connection.c; NULL: connections of an address are not limited */
    atomic_int connections;           /* of all loops */
    atomic_bool draining;
    atomic_int drain_grace_ms;
};

/* Fills a loop and makes its libh2o context. Must run on the thread of the loop: libh2o keeps buffers in thread-local
 * lists, and the sockets that it makes here take from them. */
void http_loop_init(struct http_server *server, struct http_loop *loop);

/* Requests of all loops that wait. From any thread. */
size_t http_count_waiting(const struct http_server *server);

static inline struct http_loop *http_loop_of(h2o_req_t *req)
{
    return H2O_STRUCT_FROM_MEMBER(struct http_loop, context, req->conn->ctx);
}

/* The id of the next request. It is unique in this process. The count starts at a random number, so the same id in
 * another process is very unlikely. */
static inline uint64_t http_next_id(struct http_loop *loop)
{
    return loop->id_start + loop->id_count++;
}

#endif
