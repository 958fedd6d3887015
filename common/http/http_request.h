/* http_request - one request from its first bytes until its memory is freed: its state, what it holds, its ticket. For
 * http_*.c only.
 * SPDX-License-Identifier: MIT
 *
 *   state      it begins when                                             the next state
 *   RECEIVING  HTTP/2: the header block has arrived, its body comes       HANDLED
 *   HANDLED    the request is complete; its handler runs on the loop      WAITING, STREAMING, ANSWERED
 *   WAITING    the handler has taken a ticket (http_call_wait)            HANDLED, STREAMING, ANSWERED
 *   STREAMING  the handler sends the answer itself (http_call_start_stream)
 *   ANSWERED   libh2o has the whole answer and sends it
 *
 * WAITING goes back to HANDLED when the ticket is freed before there is an answer. Over HTTP/1 a request begins when it
 * is complete, in HANDLED.
 *
 * libh2o ends a request in any state, when it frees the request's pool: after the answer was sent, or because the
 * client has reset the request or left. What libh2o refuses by itself never leaves RECEIVING, or never begins.
 *
 * Everything here runs on the thread of the loop. */
#ifndef SCRUTIN_HTTP_REQUEST_H
#define SCRUTIN_HTTP_REQUEST_H

#include "http_connection.h"

enum http_request_state { REQUEST_RECEIVING, REQUEST_HANDLED, REQUEST_WAITING, REQUEST_STREAMING, REQUEST_ANSWERED };

/* In the request's own pool. */
struct http_request {
    h2o_linklist_t link; /* in connection->requests, until it is an event stream */
    struct http_connection *connection;
    h2o_req_t *req;
    struct http_ticket *ticket; /* NULL: it does not wait */
    int64_t began_ms;           /* monotonic */
    size_t held;                /* bytes that it holds without its body, approximately */
    size_t content_length;      /* of an HTTP/2 request; SIZE_MAX: it said none */
    enum http_request_state state;
};

#define HTTP_REQUEST_COST 8192 /* bytes that libh2o holds for a request without its fields and body, approximately */

/* Once for all servers: the metric of abandoned requests. */
void http_requests_init(void);

/* The connection that a request came on. */
struct http_connection *http_request_connection(h2o_req_t *req);

/* A request over HTTP/2 begins, with a header block of so many bytes. In RECEIVING. */
struct http_request *http_request_begin(struct http_connection *connection, h2o_req_t *req, size_t block_len,
                                        int64_t now_ms);

/* libh2o has received the whole request and gives it to the handler; begins a request over HTTP/1. In HANDLED. */
struct http_request *http_request_complete(h2o_req_t *req, int64_t now_ms);

/* Whether the body of an HTTP/2 request is as long as its content-length says (RFC 9113, 8.1.1). */
bool http_request_has_its_length(const struct http_request *request);

/* libh2o has the whole answer, with a body of so many bytes. A request is answered once. */
void http_request_answered(struct http_request *request, size_t body_len);

/* For how many ms the oldest request of a connection has been there, event streams aside. 0: there is none. */
int64_t http_request_oldest_ms(const struct http_connection *connection, int64_t now_ms);

#endif
