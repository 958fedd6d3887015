/* http_connection - accepting connections, their limits and their end.
 * SPDX-License-Identifier: MIT */
#include "http_internal.h"

#include "base/clock.h"
#include "base/metrics.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/poll.h>
#include <sys/socket.h>

#define ACCEPTS_A_TURN 64 /* so that a flood of connections does not keep those that are there waiting */
#define ADDRESS_SLOTS 65536
#define LOOKS_A_CALL 256    /* sockets that one system call looks at */
#define AGED_QUIET_MS 10000 /* without a request, before an old connection is closed: nginx drops its own after 8 s */

/* How many connections an address has. Addresses that fall into one slot share their limit; the key keeps strangers
 * from choosing whose slot is theirs. */
struct http_addresses {
    uint8_t key[crypto_shorthash_KEYBYTES];
    atomic_uint slots[ADDRESS_SLOTS];
    atomic_uint networks[ADDRESS_SLOTS];
};

static struct metric *cuts[CUT_REASONS];

void http_connections_init(struct http_server *server)
{
    static const char *const labels[CUT_REASONS] = {
        [CUT_LIMIT] = "reason=\"limit\"",    [CUT_ADDRESS] = "reason=\"address\"", [CUT_IDLE] = "reason=\"idle\"",
        [CUT_AGE] = "reason=\"age\"",        [CUT_SLOW] = "reason=\"slow\"",       [CUT_RESETS] = "reason=\"resets\"",
        [CUT_FRAMES] = "reason=\"frames\"",  [CUT_HEADERS] = "reason=\"headers\"", [CUT_INPUT] = "reason=\"input\"",
        [CUT_PREFACE] = "reason=\"preface\""};

    for (int i = CUT_LIMIT; i < CUT_REASONS && cuts[i] == NULL; i++)
        cuts[i] = metric_counter("http_connections_cut_total", labels[i],
                                 "Connections that the server cut, by reason.");
    if (server->options.max_per_address > 0) {
        server->addresses = h2o_mem_alloc(sizeof(*server->addresses));
        memset(server->addresses, 0, sizeof(*server->addresses));
        randombytes_buf(server->addresses->key, sizeof(server->addresses->key));
    }
}

static atomic_uint *slot_of(const struct http_server *server, atomic_uint *slots, const struct address *network)
{
    uint8_t hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, network->bytes, sizeof(network->bytes), server->addresses->key);
    return &slots[(hash[0] | hash[1] << 8) % ADDRESS_SLOTS];
}

/* The counts of a peer's address and of its network; NULL: they are not counted. A trusted proxy brings everybody. */
static struct http_counts counts_of(const struct http_server *server, const struct sockaddr *peer)
{
    const struct address address = address_from_sockaddr(peer), own = address_network(&address),
                         wide = address_delegation(&address);

    if (server->addresses == NULL || (peer->sa_family != AF_INET && peer->sa_family != AF_INET6) ||
        address_list_has(server->options.trusted_proxies, &address))
        return (struct http_counts){NULL, NULL};
    return (struct http_counts){slot_of(server, server->addresses->slots, &own),
                                slot_of(server, server->addresses->networks, &wide)};
}

static void count(const struct http_counts *counts, int n)
{
    if (counts->address != NULL) {
        atomic_fetch_add(counts->address, (unsigned)n);
        atomic_fetch_add(counts->network, (unsigned)n);
    }
}

static void on_connection_close(void *data)
{
    struct http_connection *connection = data;

    http_guard_close(connection);
    h2o_linklist_unlink(&connection->link);
    connection->loop->n_connections--;
    connection->loop->was_quiet = false; /* it left memory behind, which goes back when the loop is idle */
    atomic_fetch_sub(&connection->loop->server->connections, 1);
    count(&connection->counts, -1);
    free(connection);
}

struct http_connection *http_connection_begin(struct http_loop *loop, int fd, struct http_counts counts)
{
    struct http_connection *connection = h2o_mem_alloc(sizeof(*connection));
    int64_t now = clock_mono_ms();

    *connection = (struct http_connection){.loop = loop,
                                           .since_ms = now,
                                           .last_request_ms = now,
                                           .resets_left = loop->server->options.max_resets,
                                           .resets_ms = now,
                                           .counts = counts};
    connection->sock = h2o_evloop_socket_create(loop->context.loop, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    connection->sock->on_close.cb = on_connection_close;
    connection->sock->on_close.data = connection;
    h2o_linklist_init_anchor(&connection->requests);
    h2o_linklist_insert(&loop->connections, &connection->link);
    loop->n_connections++;
    return connection;
}

/* Whether there may be one more from this address and its network; counts it then. Only loop 0 accepts, so nobody comes
 * between the look and the count. */
static bool admit(struct http_server *server, const struct sockaddr *peer, struct http_counts *counts)
{
    const struct http_options *options = &server->options;
    const unsigned own = (unsigned)options->max_per_address;

    *counts = counts_of(server, peer);
    if (atomic_load(&server->connections) >= options->max_connections) {
        metric_add(cuts[CUT_LIMIT], 1);
        return false;
    }
    if (counts->address != NULL &&
        (atomic_load(counts->address) >= own || atomic_load(counts->network) >= own * HTTP_NETWORK_PERCENT / 100)) {
        metric_add(cuts[CUT_ADDRESS], 1);
        return false;
    }
    atomic_fetch_add(&server->connections, 1);
    count(counts, 1);
    return true;
}

/* A connection on its way to the loop that will have it. */
struct arrival {
    struct http_loop *loop;
    int fd;
    struct http_counts counts;
};

static void on_arrival(void *arg)
{
    struct arrival arrival = *(struct arrival *)arg;

    free(arg);
    h2o_accept(&arrival.loop->accept, http_connection_begin(arrival.loop, arrival.fd, arrival.counts)->sock);
}

void http_accept(h2o_socket_t *listener, const char *err)
{
    struct http_loop *loop = listener->data;
    struct http_server *server = loop->server;
    int on = 1;

    for (int i = 0; i < ACCEPTS_A_TURN && err == NULL; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        struct arrival arrival = {0};
        arrival.fd = accept4(h2o_socket_get_fd(listener), (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (arrival.fd < 0)
            return;
        if (!admit(server, (struct sockaddr *)&peer, &arrival.counts)) {
            close(arrival.fd);
            continue;
        }
        setsockopt(arrival.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        arrival.loop = &server->loops[server->next_loop++ % (unsigned)server->options.loops];
        struct arrival *copy = h2o_mem_alloc(sizeof(*copy));
        *copy = arrival;
        if (arrival.loop == loop)
            on_arrival(copy);
        else
            http_loop_post(arrival.loop, on_arrival, copy);
    }
}

struct http_connection *http_connection_on(h2o_socket_t *sock)
{
    return sock->on_close.cb == on_connection_close ? sock->on_close.data : NULL;
}

void http_connection_condemn(struct http_connection *connection, enum http_cut why)
{
    if (connection->fault == CUT_NOT) {
        connection->fault = why;
        metric_add(cuts[why], 1);
    }
}

void http_connection_cut(struct http_connection *connection, enum http_cut why)
{
    http_connection_condemn(connection, why);
    if (!connection->is_cut) {
        connection->is_cut = true;
        shutdown(h2o_socket_get_fd(connection->sock), SHUT_RDWR);
    }
}

/* Why a connection is to be cut now. A dripped body or a PING keeps libh2o's own timer from ever firing. */
static enum http_cut fault_of(const struct http_connection *connection, int64_t now)
{
    const struct http_options *options = &connection->loop->server->options;
    int64_t quiet = now - connection->last_request_ms, age_ms = options->connection_age_s * 1000;

    if (connection->fault != CUT_NOT)
        return connection->fault;
    if (http_guard_oldest_ms(connection, now) > options->request_age_ms)
        return CUT_SLOW;
    if (connection->streams > 0)
        return CUT_NOT;
    if (connection->waiting == 0 && quiet > HTTP_IDLE_TIMEOUT_MS)
        return CUT_IDLE;
    if (age_ms > 0 && now - connection->since_ms > age_ms && connection->open == 0 &&
        quiet > (age_ms < AGED_QUIET_MS ? age_ms : AGED_QUIET_MS))
        return CUT_AGE;
    return CUT_NOT;
}

/* --- clients that left */

/* Connections to be looked at together. */
struct look {
    struct pollfd sockets[LOOKS_A_CALL];
    struct http_connection *connections[LOOKS_A_CALL];
    nfds_t n;
};

/* Ends the connections that their clients had closed at the last look, too. TCP does not tell a client that left from
 * one that closed only its own side and still reads (`nc -N`). The second one has its answer before the second look. */
static void end_closed(struct look *look)
{
    int found = poll(look->sockets, look->n, 0);

    for (nfds_t i = 0; i < look->n && found > 0; i++) {
        struct http_connection *connection = look->connections[i];
        bool had_closed = connection->has_closed;
        connection->has_closed = look->sockets[i].revents != 0;
        if (connection->has_closed && had_closed)
            http_guard_end(connection);
    }
    look->n = 0;
}

/* poll() sees the end of a connection also behind bytes that nobody has read: a further request, or TLS's
 * close_notify. */
static void look_at(struct look *look, struct http_connection *connection)
{
    look->sockets[look->n] = (struct pollfd){.fd = h2o_socket_get_fd(connection->sock), .events = POLLRDHUP};
    look->connections[look->n++] = connection;
    if (look->n == LOOKS_A_CALL)
        end_closed(look);
}

void http_connections_sweep(struct http_loop *loop, int64_t now_ms)
{
    struct look look;

    look.n = 0;
    for (h2o_linklist_t *node = loop->connections.next; node != &loop->connections;) {
        struct http_connection *connection = H2O_STRUCT_FROM_MEMBER(struct http_connection, link, node);
        node = node->next;
        enum http_cut why = fault_of(connection, now_ms);
        if (why != CUT_NOT)
            http_connection_cut(connection, why);
        if (http_guard_is_deaf(connection))
            look_at(&look, connection);
    }
    end_closed(&look);
}
