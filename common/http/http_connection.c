/* http_connection - accepts connections, limits them, and ends them.
 * SPDX-License-Identifier: MIT */
#include "http_connection.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/metrics.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>

#define ACCEPTS_A_TURN 64 /* then the loop serves its other connections before it accepts more */
#define ADDRESS_SLOTS 65536

/* How many connections each address and each network has. Two addresses in the same slot share one limit. The slot is a
 * hash under a secret key, so an attacker cannot choose the slot of another client. */
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
        server->addresses = alloc_items(1, sizeof(*server->addresses));
        randombytes_buf(server->addresses->key, sizeof(server->addresses->key));
    }
}

static atomic_uint *find_slot(const struct http_server *server, atomic_uint *slots, const struct address *network)
{
    uint8_t hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, network->bytes, sizeof(network->bytes), server->addresses->key);
    return &slots[(hash[0] | hash[1] << 8) % ADDRESS_SLOTS];
}

/* The counters of a peer. A trusted proxy is not counted, because the connections of all clients come from it. */
static struct http_counts find_counts(const struct http_server *server, const struct sockaddr *peer)
{
    const struct address address = address_from_sockaddr(peer), own = address_of_client(&address),
                         wide = address_of_network(&address);

    if (server->addresses == NULL || (peer->sa_family != AF_INET && peer->sa_family != AF_INET6) ||
        address_list_has(server->options.trusted_proxies, &address))
        return (struct http_counts){NULL, NULL};
    return (struct http_counts){find_slot(server, server->addresses->slots, &own),
                                find_slot(server, server->addresses->networks, &wide)};
}

static void add_to_counts(const struct http_counts *counts, int n)
{
    if (counts->address != NULL) {
        atomic_fetch_add(counts->address, (unsigned)n);
        atomic_fetch_add(counts->network, (unsigned)n);
    }
}

static void on_connection_close(void *data)
{
    struct http_connection *connection = data;

    http_connection_release(connection, connection->held);
    h2o_linklist_unlink(&connection->link);
    connection->loop->n_connections--;
    connection->loop->was_quiet = false; /* when the loop is idle again, the memory of this connection goes back */
    atomic_fetch_sub(&connection->loop->server->connections, 1);
    add_to_counts(&connection->counts, -1);
    free(connection);
}

struct http_connection *http_connection_begin(struct http_loop *loop, int fd, struct http_counts counts)
{
    struct http_connection *connection = alloc_bytes(sizeof(*connection));
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

/* Whether the peer may have one more connection; if so, counts it. Only loop 0 accepts connections, so no other thread
 * can add one between the check and the count. */
static bool admit_connection(struct http_server *server, const struct sockaddr *peer, struct http_counts *counts)
{
    const struct http_options *options = &server->options;
    const unsigned own = (unsigned)options->max_per_address;

    *counts = find_counts(server, peer);
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
    add_to_counts(counts, 1);
    return true;
}

/* An accepted connection on its way to its loop. */
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

void http_connections_accept(h2o_socket_t *listener, const char *err)
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
        if (!admit_connection(server, (struct sockaddr *)&peer, &arrival.counts)) {
            close(arrival.fd);
            continue;
        }
        setsockopt(arrival.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        arrival.loop = &server->loops[server->next_loop++ % (unsigned)server->options.loops];
        struct arrival *copy = alloc_bytes(sizeof(*copy));
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

void http_connection_cut_later(struct http_connection *connection, enum http_cut why)
{
    if (connection->cut_reason == CUT_NOT) {
        connection->cut_reason = why;
        metric_add(cuts[why], 1);
    }
}

void http_connection_cut(struct http_connection *connection, enum http_cut why)
{
    http_connection_cut_later(connection, why);
    if (!connection->is_cut) {
        connection->is_cut = true;
        shutdown(h2o_socket_get_fd(connection->sock), SHUT_RDWR);
    }
}
