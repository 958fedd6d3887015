/* http_sweep - cuts connections that are idle, old or slow, and ends those that their clients have closed.
 * SPDX-License-Identifier: MIT */
#include "http_sweep.h"

#include "http/http_settings.h"
#include "http_request.h"
#include <sys/poll.h>

#define SOCKETS_A_POLL 256  /* sockets that one system call asks about */
#define AGED_QUIET_MS 10000 /* an old connection may go after this time without a request; nginx closes after 8 s */

/* Why a connection is to be cut now. libh2o has timers of its own, but a client can restart them for ever: with a body
 * that comes byte by byte, or with PING frames. */
static enum http_cut find_cut_reason(const struct http_connection *connection, int64_t now)
{
    const struct http_options *options = &connection->loop->server->options;
    int64_t quiet = now - connection->last_request_ms, age_ms = options->connection_age_s * 1000;

    if (connection->cut_reason != CUT_NOT)
        return connection->cut_reason;
    if (http_request_oldest_ms(connection, now) > options->request_age_ms)
        return CUT_SLOW;
    if (connection->n_streams > 0)
        return CUT_NOT;
    if (connection->n_waiting == 0 && quiet > HTTP_IDLE_TIMEOUT_MS)
        return CUT_IDLE;
    if (age_ms > 0 && now - connection->since_ms > age_ms && connection->n_requests == 0 &&
        quiet > (age_ms < AGED_QUIET_MS ? age_ms : AGED_QUIET_MS))
        return CUT_AGE;
    return CUT_NOT;
}

/* --- connections that the client has closed
 *
 * Over HTTP/1, libh2o does not read from a connection while a request on it has no answer. So it does not notice that
 * the client closes the connection. Over HTTP/2 it always reads. */

static bool is_paused(const struct http_connection *connection)
{
    return connection->n_requests > 0 && connection->frames.is_http1;
}

/* Paused connections, to ask the kernel about in one call. */
struct paused {
    struct pollfd sockets[SOCKETS_A_POLL];
    struct http_connection *connections[SOCKETS_A_POLL];
    nfds_t n;
};

/* Ends the connections that are closed now and were closed at the last sweep already. TCP does not tell a client that
 * has left from one that has closed only its own direction and still reads (`nc -N`). The second kind of client has its
 * answer before the second sweep. */
static void end_closed_connections(struct paused *paused)
{
    int found = poll(paused->sockets, paused->n, 0);

    for (nfds_t i = 0; i < paused->n && found > 0; i++) {
        struct http_connection *connection = paused->connections[i];
        bool had_closed = connection->has_closed;
        connection->has_closed = paused->sockets[i].revents != 0;
        /* libh2o's reader then ends the request and frees the connection, as a rule before it returns. */
        if (connection->has_closed && had_closed)
            connection->on_read(connection->sock, h2o_socket_error_closed);
    }
    paused->n = 0;
}

/* poll() reports the end also when bytes before it are unread: another request, or TLS's close_notify. */
static void add_paused(struct paused *paused, struct http_connection *connection)
{
    paused->sockets[paused->n] = (struct pollfd){.fd = h2o_socket_get_fd(connection->sock), .events = POLLRDHUP};
    paused->connections[paused->n++] = connection;
    if (paused->n == SOCKETS_A_POLL)
        end_closed_connections(paused);
}

void http_sweep_connections(struct http_loop *loop, int64_t now_ms)
{
    struct paused paused;

    paused.n = 0;
    for (h2o_linklist_t *node = loop->connections.next; node != &loop->connections;) {
        struct http_connection *connection = H2O_STRUCT_FROM_MEMBER(struct http_connection, link, node);
        node = node->next; /* now: this connection may be freed below */
        enum http_cut why = find_cut_reason(connection, now_ms);
        if (why != CUT_NOT)
            http_connection_cut(connection, why);
        if (is_paused(connection))
            add_paused(&paused, connection);
    }
    end_closed_connections(&paused);
}
