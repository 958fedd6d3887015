/* http_server - loops, TLS, draining.
 * SPDX-License-Identifier: MIT */
#include "http_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include <arpa/inet.h>
#include <errno.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BODY_REFUSED 16384   /* taken where no route has a body: a refusal over HTTP/2 is an answer then, no reset */
#define FILES_BESIDE 64      /* open files that are no connections */
#define RECEIVE_BUFFER 65536 /* in the kernel, which doubles it: libh2o reads all of it into one buffer at once */
#define READ_BUFFER 1024     /* bytes to begin with; every waiting request holds one for its body. 4,096: no faster */
#define DRAIN_QUIET_MS 300   /* without a request: whoever still holds a connection open only keeps it */

struct handler {
    h2o_handler_t super;
    struct http_server *server;
};

/* --- loops */

static void begin_drain(struct http_loop *loop)
{
    struct http_server *server = loop->server;

    loop->draining = true;
    loop->drain_deadline_ms = clock_mono_ms() + atomic_load(&server->drain_grace_ms);
    if (server->listener != NULL && loop == &server->loops[0]) {
        h2o_socket_read_stop(server->listener);
        h2o_socket_close(server->listener);
        server->listener = NULL;
    }
    h2o_context_request_shutdown(&loop->context);
    if (server->options.on_loop_drain != NULL)
        server->options.on_loop_drain(loop, server->options.service);
}

static void check_drained(struct http_loop *loop, int64_t now)
{
    bool quiet = loop->waiting == 0 && now - loop->last_request_ms > DRAIN_QUIET_MS &&
                 now - (loop->drain_deadline_ms - atomic_load(&loop->server->drain_grace_ms)) > DRAIN_QUIET_MS;

    if ((loop->n_connections == 0 && loop->waiting == 0) || quiet || now >= loop->drain_deadline_ms)
        loop->stopped = true;
}

static void on_sweep(h2o_timeout_entry_t *entry)
{
    struct http_loop *loop = H2O_STRUCT_FROM_MEMBER(struct http_loop, sweep, entry);

    int64_t now = clock_mono_ms();
    bool quiet = loop->waiting == 0 && now - loop->last_request_ms >= HTTP_QUIET_MS;

    http_connections_sweep(loop, now);
    if (quiet && !loop->was_quiet && loop->server->options.on_loop_idle != NULL)
        loop->server->options.on_loop_idle(loop, loop->server->options.service);
    loop->was_quiet = quiet;
    h2o_timeout_link(loop->context.loop, &loop->sweep_timeout, &loop->sweep);
}

struct message {
    h2o_multithread_message_t super;
    void (*fn)(void *arg);
    void *arg;
};

static void on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    while (!h2o_linklist_is_empty(messages)) {
        struct message *message = H2O_STRUCT_FROM_MEMBER(struct message, super.link, messages->next);
        h2o_linklist_unlink(&message->super.link);
        message->fn(message->arg);
        free(message);
    }
}

void http_loop_post(struct http_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct message *message = h2o_mem_alloc(sizeof(*message));

    *message = (struct message){.fn = fn, .arg = arg};
    h2o_multithread_send_message(&loop->receiver, &message->super);
}

/* On the loop's own thread: libh2o keeps buffers in thread-local lists, and the sockets made here take from them. */
static void loop_init(struct http_server *server, struct http_loop *loop)
{
    *loop = (struct http_loop){.server = server, .tickets = {.max = HTTP_TICKETS_KEPT}};
    randombytes_buf(&loop->id_start, sizeof(loop->id_start));
    h2o_linklist_init_anchor(&loop->connections);
    h2o_socket_buffer_prototype._initial_buf.capacity = READ_BUFFER;
    h2o_context_init(&loop->context, h2o_evloop_create(), &server->config);
    loop->accept = (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = server->config.hosts, .ssl_ctx = server->tls};
    h2o_multithread_register_receiver(loop->context.queue, &loop->receiver, on_messages);
    loop->sweep.cb = on_sweep;
    h2o_timeout_init(loop->context.loop, &loop->sweep_timeout, HTTP_SWEEP_MS);
    h2o_timeout_link(loop->context.loop, &loop->sweep_timeout, &loop->sweep);
}

static void loop_run(struct http_loop *loop)
{
    const struct http_options *options = &loop->server->options;

    if (options->on_loop_start != NULL)
        options->on_loop_start(loop, options->service);
    if (loop == &loop->server->loops[0]) {
        loop->server->listener = h2o_evloop_socket_create(loop->context.loop, loop->server->fd,
                                                          H2O_SOCKET_FLAG_DONT_READ);
        loop->server->fd = -1; /* the listener's now */
        loop->server->listener->data = loop;
        h2o_socket_read_start(loop->server->listener, http_accept);
    }
    while (!loop->stopped) {
        h2o_evloop_run(loop->context.loop, loop->draining ? 20 : INT32_MAX);
        if (options->on_turn_end != NULL)
            options->on_turn_end(loop, options->service);
        if (atomic_load_explicit(&loop->server->draining, memory_order_relaxed)) {
            if (!loop->draining)
                begin_drain(loop);
            check_drained(loop, clock_mono_ms());
        }
    }
    if (options->on_loop_stop != NULL)
        options->on_loop_stop(loop, options->service);
}

struct loop_start {
    struct http_server *server;
    struct http_loop *loop;
};

static void *loop_thread(void *arg)
{
    struct loop_start start = *(struct loop_start *)arg;

    free(arg);
    loop_init(start.server, start.loop);
    h2o_sem_post(&start.server->loops_ready);
    h2o_sem_wait(&start.server->may_run);
    loop_run(start.loop);
    h2o_sem_post(&start.server->loops_ended);
    /* libh2o's thread-local buffers have no destructor: the thread and they go with the process, which ends now. */
    for (;;)
        pause();
    return NULL;
}

/* Loop 0 is the caller's thread, which calls http_run later. */
static void open_loops(struct http_server *server)
{
    int n = server->options.loops;

    server->loops = h2o_mem_alloc(sizeof(*server->loops) * (size_t)n);
    h2o_sem_init(&server->loops_ready, 0);
    h2o_sem_init(&server->may_run, 0);
    h2o_sem_init(&server->loops_ended, 0);
    loop_init(server, &server->loops[0]);
    for (int i = 1; i < n; i++) {
        struct loop_start *start = h2o_mem_alloc(sizeof(*start));
        *start = (struct loop_start){server, &server->loops[i]};
        pthread_t thread;
        h2o_multithread_create_thread(&thread, NULL, loop_thread, start);
        pthread_detach(thread);
    }
    for (int i = 1; i < n; i++)
        h2o_sem_wait(&server->loops_ready);
}

void http_run(struct http_server *server)
{
    for (int i = 1; i < server->options.loops; i++)
        h2o_sem_post(&server->may_run);
    loop_run(&server->loops[0]);
    for (int i = 1; i < server->options.loops; i++)
        h2o_sem_wait(&server->loops_ended);
}

static void wake(void *arg)
{
}

void http_drain(struct http_server *server, int grace_ms)
{
    atomic_store(&server->drain_grace_ms, grace_ms);
    atomic_store(&server->draining, true);
    for (int i = 0; i < server->options.loops; i++)
        http_loop_post(&server->loops[i], wake, NULL);
}

void http_loop_set_data(struct http_loop *loop, void *data)
{
    loop->data = data;
}

void *http_loop_data(struct http_loop *loop)
{
    return loop->data;
}

h2o_context_t *http_loop_context(struct http_loop *loop)
{
    return &loop->context;
}

bool http_loop_is_draining(struct http_loop *loop)
{
    return atomic_load_explicit(&loop->server->draining, memory_order_relaxed);
}

/* --- opening */

/* When the certificate ends, in seconds since 1970. */
static int64_t read_certificate_end(const SSL_CTX *tls)
{
    struct tm end = {0};

    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(tls)), &end) != 1)
        return 0;
    return (int64_t)timegm(&end);
}

static enum status open_tls(struct http_server *server, struct errmsg *err)
{
    const struct http_options *options = &server->options;

    if (options->tls_cert_file == NULL || options->tls_cert_file[0] == '\0')
        return ST_OK;
    if (options->tls_key_file == NULL || options->tls_key_file[0] == '\0')
        return fail(err, ST_CONFIG, "TLS_CERT_FILE is set and TLS_KEY_FILE is not: set both or neither");
    server->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(server->tls, TLS1_2_VERSION);
    SSL_CTX_set_options(server->tls, SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_id_context(server->tls, (const unsigned char *)"scrutin", 7);
    if (SSL_CTX_use_certificate_chain_file(server->tls, options->tls_cert_file) != 1)
        return fail(err, ST_CONFIG, "TLS_CERT_FILE %s: %s", options->tls_cert_file,
                    ERR_reason_error_string(ERR_get_error()));
    if (SSL_CTX_use_PrivateKey_file(server->tls, options->tls_key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(server->tls) != 1)
        return fail(err, ST_CONFIG, "TLS_KEY_FILE %s: %s", options->tls_key_file,
                    ERR_reason_error_string(ERR_get_error()));
    server->certificate_end = read_certificate_end(server->tls);
    h2o_ssl_register_alpn_protocols(server->tls, h2o_alpn_protocols);
    return ST_OK;
}

static enum status open_listener(struct http_server *server, struct errmsg *err)
{
    const struct http_options *options = &server->options;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    char port[8];
    enum status st = ST_OK;

    snprintf(port, sizeof(port), "%d", options->port);
    int code = getaddrinfo(options->bind_address, port, &hints, &list);
    if (code != 0)
        return fail(err, ST_CONFIG, "BIND_ADDRESS %s: %s", options->bind_address, gai_strerror(code));
    server->fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (server->fd >= 0) {
        const int receive = RECEIVE_BUFFER, silent = HTTP_SILENT_MS;
        setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        /* Connections inherit these. */
        setsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
        setsockopt(server->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent, sizeof(silent));
    }
    if (server->fd < 0 || bind(server->fd, list->ai_addr, list->ai_addrlen) != 0 || listen(server->fd, SOMAXCONN) != 0)
        st = fail(err, ST_IO, "cannot listen on %s port %d: %s; choose another with PORT and BIND_ADDRESS",
                  options->bind_address, options->port, strerror(errno));
    freeaddrinfo(list);
    return st;
}

/* Every connection is a file. Where there can be fewer files there are fewer connections: one more is closed, and not
 * left waiting for a file while the loop asks for it in vain. */
static void raise_file_limit(int *max_connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)*max_connections + FILES_BESIDE;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted)
        return;
    getrlimit(RLIMIT_NOFILE, &limit);
    *max_connections = limit.rlim_cur > 2 * FILES_BESIDE ? (int)limit.rlim_cur - FILES_BESIDE : FILES_BESIDE;
    log_warn("fewer connections than MAX_CONNECTIONS, because so few files may be open; raise the limit (ulimit -n)",
             LOG_I("files", limit.rlim_cur), LOG_I("connections", *max_connections));
}

static void configure(struct http_server *server)
{
    h2o_globalconf_t *config = &server->config;

    h2o_config_init(config);
    config->server_name = h2o_iovec_init(H2O_STRLIT("scrutin"));
    config->max_request_entity_size = server->options.max_body > BODY_REFUSED ? server->options.max_body : BODY_REFUSED;
    config->http1.req_timeout = HTTP_REQUEST_TIMEOUT_MS;
    config->http2.idle_timeout = HTTP_IDLE_TIMEOUT_MS;
    config->http2.graceful_shutdown_timeout = 2000;
    h2o_hostconf_t *host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler = (void *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = http_dispatch;
    handler->server = server;
}

static void fill_defaults(struct http_options *options)
{
    if (options->request_age_ms == 0)
        options->request_age_ms = 60000;
    if (options->max_resets == 0)
        options->max_resets = 200;
    if (options->max_frames == 0)
        options->max_frames = 10000;
    if (options->max_held_bytes == 0)
        options->max_held_bytes = INT64_C(256) << 20;
}

enum status http_open(const struct http_options *options, struct http_server **out, struct errmsg *err)
{
    struct http_server *server = h2o_mem_alloc(sizeof(*server));
    enum status st;

    *out = NULL;
    memset(server, 0, sizeof(*server));
    server->options = *options;
    fill_defaults(&server->options);
    server->fd = -1;
    raise_file_limit(&server->options.max_connections);
    configure(server);
    st = open_tls(server, err);
    if (st == ST_OK)
        st = open_listener(server, err);
    if (st != ST_OK) {
        http_close(server);
        return st;
    }
    http_connections_init(server);
    open_loops(server);
    st = http_guard_check(&server->loops[0], err);
    if (st != ST_OK)
        return st;
    http_metrics_init(server);
    *out = server;
    return ST_OK;
}

/* libh2o cannot free a context that still has connections; the process ends right after, and that frees it. */
void http_close(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->fd >= 0)
        close(server->fd);
    if (server->loops == NULL) {
        SSL_CTX_free(server->tls);
        h2o_config_dispose(&server->config);
        free(server);
    }
}
