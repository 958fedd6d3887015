/* http_internal - what the files of the HTTP server share: http_server.c (loops, connections), http.c (routing,
 * waiting), http_read.c, http_answer.c. For http*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_INTERNAL_H
#define SCRUTIN_HTTP_INTERNAL_H

#include "http.h"
#include <stdatomic.h>

#define HTTP_REQUEST_TIMEOUT_MS 10000 /* from the first byte of a request to its last: a phone on a bad network */
#define HTTP_IDLE_TIMEOUT_MS 60000    /* of a connection between requests: one vote, one change of mind */
#define HTTP_TICKETS_KEPT 4096
#define HTTP_SWEEP_MS 1000 /* how often connections are looked at */

/* One accepted connection; lives as long as its socket. */
struct http_connection {
    h2o_linklist_t link;
    struct http_loop *loop;
    h2o_socket_t *sock;
    int64_t last_request_ms; /* monotonic: when the last request came in whole */
    unsigned waiting;        /* its tickets */
    bool carries_stream;
    bool cut;
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
    atomic_uint waiting;       /* tickets; only its own thread writes */
    h2o_mem_recycle_t tickets; /* freed ones: a batch frees a thousand at once */
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
    struct http_loop *loops;
    h2o_sem_t loops_ready, may_run, loops_ended; /* of loops 1 and up */
    atomic_int connections;
    atomic_bool draining;
    atomic_int drain_grace_ms;
};

/* The server's one handler: finds the route, checks what every request must keep to, calls the route's handler. */
int http_dispatch(h2o_handler_t *self, h2o_req_t *req);
/* The connection of a request, or NULL. */
struct http_connection *http_connection_of(h2o_req_t *req);
static inline struct http_loop *http_loop_of(h2o_req_t *req)
{
    return H2O_STRUCT_FROM_MEMBER(struct http_loop, context, req->conn->ctx);
}
/* A request's id: unique in this process, and by its random start most likely among all. */
static inline uint64_t http_next_id(struct http_loop *loop)
{
    return loop->id_start + loop->id_count++;
}
/* Requests of all loops that wait. */
size_t http_waiting(const struct http_server *server);
/* Registers the metrics of all servers of this process, once. */
void http_answer_metrics_init(void);
void http_metrics_init(struct http_server *server);

#endif
