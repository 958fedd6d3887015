/* http_request - the life of a request: it begins, waits, is answered, ends.
 * SPDX-License-Identifier: MIT */
#include "http_request.h"

#include "base/clock.h"
#include "base/metrics.h"
#include <assert.h>

static struct metric *abandoned;

void http_requests_init(void)
{
    abandoned = metric_counter("http_requests_abandoned_total", "", "Requests whose client left before the answer.");
}

struct http_connection *http_request_connection(h2o_req_t *req)
{
    return http_connection_on(req->conn->callbacks->get_socket(req->conn));
}

/* --- begin */

static void on_request_end(void *memory);

struct http_request *http_request_begin(struct http_connection *connection, h2o_req_t *req, size_t block_len,
                                        int64_t now_ms)
{
    struct http_request *request = h2o_mem_alloc_shared(&req->pool, sizeof(*request), on_request_end);

    *request = (struct http_request){.connection = connection,
                                     .req = req,
                                     .began_ms = now_ms,
                                     .held = HTTP_REQUEST_COST + block_len,
                                     .content_length = SIZE_MAX,
                                     .state = REQUEST_RECEIVING};
    h2o_linklist_insert(&connection->requests, &request->link);
    connection->n_requests++;
    connection->has_begun = true;
    http_connection_hold(connection, request->held);
    return request;
}

static struct http_request *find_request(const struct http_connection *connection, const h2o_req_t *req)
{
    for (h2o_linklist_t *node = connection->requests.prev; node != &connection->requests; node = node->prev) {
        struct http_request *request = H2O_STRUCT_FROM_MEMBER(struct http_request, link, node);
        if (request->req == req)
            return request;
    }
    h2o_fatal("a request came past the guard");
}

struct http_request *http_request_complete(h2o_req_t *req, int64_t now_ms)
{
    struct http_connection *connection = http_request_connection(req);
    struct http_request *request = req->version < 0x200 ? http_request_begin(connection, req, 0, now_ms)
                                                        : find_request(connection, req);

    assert(request->state == REQUEST_RECEIVING);
    request->state = REQUEST_HANDLED;
    connection->last_request_ms = now_ms;
    return request;
}

bool http_request_has_its_length(const struct http_request *request)
{
    return request->content_length == SIZE_MAX || request->content_length == request->req->entity.len;
}

/* --- wait */

/* Needs no locked instruction, because only the thread of the loop writes. */
static void add_to_waiting(struct http_loop *loop, int n)
{
    unsigned waiting = atomic_load_explicit(&loop->waiting, memory_order_relaxed);

    atomic_store_explicit(&loop->waiting, waiting + (unsigned)n, memory_order_relaxed);
}

struct http_ticket *http_call_wait(struct http_call *call)
{
    struct http_request *request = call->request;
    struct http_ticket *ticket = h2o_mem_alloc_recycle(&call->loop->tickets, sizeof(*ticket));

    assert(request->state == REQUEST_HANDLED && request->ticket == NULL);
    *ticket = (struct http_ticket){call, call->loop, request};
    request->ticket = ticket;
    request->state = REQUEST_WAITING;
    request->connection->n_waiting++;
    add_to_waiting(call->loop, 1);
    return ticket;
}

void http_ticket_free(struct http_ticket *ticket)
{
    struct http_request *request = ticket->request;

    if (request != NULL) {
        assert(request->ticket == ticket);
        request->ticket = NULL;
        request->connection->n_waiting--;
        if (request->state == REQUEST_WAITING)
            request->state = REQUEST_HANDLED;
    }
    add_to_waiting(ticket->loop, -1);
    h2o_mem_free_recycle(&ticket->loop->tickets, ticket);
}

/* --- answer */

void http_call_start_stream(struct http_call *call)
{
    struct http_request *request = call->request;

    assert(request->state == REQUEST_HANDLED || request->state == REQUEST_WAITING);
    request->state = REQUEST_STREAMING;
    h2o_linklist_unlink(&request->link);
    request->connection->n_streams++;
}

void http_request_answered(struct http_request *request, size_t body_len)
{
    assert(request->state == REQUEST_HANDLED || request->state == REQUEST_WAITING);
    request->state = REQUEST_ANSWERED;
    request->held += body_len;
    http_connection_hold(request->connection, body_len);
}

int64_t http_request_oldest_ms(const struct http_connection *connection, int64_t now_ms)
{
    if (connection->requests.next == &connection->requests)
        return 0;
    return now_ms - H2O_STRUCT_FROM_MEMBER(struct http_request, link, connection->requests.next)->began_ms;
}

/* --- end */

/* The client has reset a request. It may do so a limited number of times. */
static void count_reset(struct http_connection *connection)
{
    unsigned budget = connection->loop->server->options.max_resets;
    int64_t now = connection->frames.refilled_ms;

    connection->resets_left = http_tokens_refill(connection->resets_left, budget, now - connection->resets_ms) - 1;
    connection->resets_ms = now;
    if (connection->resets_left < 0)
        http_connection_cut_later(connection, CUT_RESETS);
}

/* libh2o frees the pool of the request; the h2o_req_t is still there. */
static void on_request_end(void *memory)
{
    struct http_request *request = memory;
    struct http_connection *connection = request->connection;

    if (request->ticket != NULL) { /* the client left; the owner of the ticket frees it later */
        connection->n_waiting--;
        request->ticket->call = NULL;
        request->ticket->request = NULL;
        metric_add(abandoned, 1);
    }
    if (request->state == REQUEST_STREAMING) {
        connection->n_streams--;
        connection->last_request_ms = clock_mono_ms(); /* the connection is idle from now on */
    } else {
        h2o_linklist_unlink(&request->link);
    }
    connection->n_requests--;
    http_connection_release(connection,
                            connection->n_requests > 0 ? request->held + request->req->entity.len : connection->held);
    /* Answered requests end when libh2o has written. A request that ends while libh2o reads was reset by the client. */
    if (connection->loop->reading == connection && request->req->version >= 0x200)
        count_reset(connection);
}
