/* http_server - opens a server, runs its loops, drains them.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/http_settings.h"
#include "http_answer.h"
#include "http_connection.h"
#include "http_dispatch.h"
#include "http_guard.h"
#include "http_listen.h"
#include "http_request.h"
#include "http_sweep.h"

/* Bytes of a body that are received even where no route takes a body. Then a refusal over HTTP/2 is an answer. Above
 * this, libh2o resets the stream. */
#define BODY_REFUSED 16384
#define QUIET_MS 1000      /* after this time without a request, a loop is idle */
#define DRAIN_QUIET_MS 300 /* after this time without a request, a draining loop no longer waits for its clients */

/* --- loops */

static void begin_drain(struct http_loop *loop)
{
    struct http_server *server = loop->server;

    loop->draining = true;
    loop->drain_began_ms = clock_mono_ms();
    if (server->listener != NULL && loop == &server->loops[0]) {
        h2o_socket_read_stop(server->listener);
        h2o_socket_close(server->listener);
        server->listener = NULL;
    }
    h2o_context_request_shutdown(&loop->context);
    if (server->options.on_loop_drain != NULL)
        server->options.on_loop_drain(loop, server->options.service);
}

/* A draining loop ends when its requests have their answers. It does not wait for a client that only keeps its
 * connection open. */
static void check_drained(struct http_loop *loop, int64_t now)
{
    int64_t drained_ms = now - loop->drain_began_ms;
    bool quiet = now - loop->last_request_ms > DRAIN_QUIET_MS && drained_ms > DRAIN_QUIET_MS;

    if (loop->waiting == 0 && (loop->n_connections == 0 || quiet))
        loop->stopped = true;
    if (drained_ms >= atomic_load(&loop->server->drain_grace_ms))
        loop->stopped = true;
}

static void on_sweep(h2o_timeout_entry_t *entry)
{
    struct http_loop *loop = H2O_STRUCT_FROM_MEMBER(struct http_loop, sweep, entry);
    int64_t now = clock_mono_ms();
    bool quiet = loop->waiting == 0 && now - loop->last_request_ms >= QUIET_MS;

    http_sweep_connections(loop, now);
    if (quiet && !loop->was_quiet && loop->server->options.on_loop_idle != NULL)
        loop->server->options.on_loop_idle(loop, loop->server->options.service);
    loop->was_quiet = quiet;
    h2o_timeout_link(loop->context.loop, &loop->sweep_timeout, &loop->sweep);
}

static void init_loop(struct http_server *server, struct http_loop *loop)
{
    http_loop_init(server, loop);
    loop->sweep.cb = on_sweep;
    h2o_timeout_init(loop->context.loop, &loop->sweep_timeout, HTTP_SWEEP_MS);
    h2o_timeout_link(loop->context.loop, &loop->sweep_timeout, &loop->sweep);
}

static void run_loop(struct http_loop *loop)
{
    const struct http_options *options = &loop->server->options;

    if (options->on_loop_start != NULL)
        options->on_loop_start(loop, options->service);
    if (loop == &loop->server->loops[0]) {
        loop->server->listener = h2o_evloop_socket_create(loop->context.loop, loop->server->fd,
                                                          H2O_SOCKET_FLAG_DONT_READ);
        loop->server->fd = -1; /* the listener owns it now */
        loop->server->listener->data = loop;
        h2o_socket_read_start(loop->server->listener, http_connections_accept);
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

static void *run_loop_thread(void *arg)
{
    struct loop_start start = *(struct loop_start *)arg;

    free(arg);
    init_loop(start.server, start.loop);
    h2o_sem_post(&start.server->loops_ready);
    h2o_sem_wait(&start.server->may_run);
    run_loop(start.loop);
    h2o_sem_post(&start.server->loops_ended);
    /* libh2o's thread-local buffers have no destructor. The process ends now, and frees them with this thread. */
    for (;;)
        pause();
    return NULL;
}

/* Loop 0 belongs to the calling thread, which calls http_run later. */
static void open_loops(struct http_server *server)
{
    int n = server->options.loops;

    server->loops = alloc_items((size_t)n, sizeof(*server->loops));
    h2o_sem_init(&server->loops_ready, 0);
    h2o_sem_init(&server->may_run, 0);
    h2o_sem_init(&server->loops_ended, 0);
    init_loop(server, &server->loops[0]);
    for (int i = 1; i < n; i++) {
        struct loop_start *start = alloc_bytes(sizeof(*start));
        *start = (struct loop_start){server, &server->loops[i]};
        pthread_t thread;
        h2o_multithread_create_thread(&thread, NULL, run_loop_thread, start);
        pthread_detach(thread);
    }
    for (int i = 1; i < n; i++)
        h2o_sem_wait(&server->loops_ready);
}

void http_run(struct http_server *server)
{
    for (int i = 1; i < server->options.loops; i++)
        h2o_sem_post(&server->may_run);
    run_loop(&server->loops[0]);
    for (int i = 1; i < server->options.loops; i++)
        h2o_sem_wait(&server->loops_ended);
}

static void on_wake(void *arg)
{
}

void http_drain(struct http_server *server, int grace_ms)
{
    atomic_store(&server->drain_grace_ms, grace_ms);
    atomic_store(&server->draining, true);
    for (int i = 0; i < server->options.loops; i++)
        http_loop_post(&server->loops[i], on_wake, NULL);
}

static void configure_h2o(struct http_server *server)
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
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = http_dispatch;
}

/* --- metrics */

static double read_connections(void *arg)
{
    return atomic_load(&((struct http_server *)arg)->connections);
}

static double read_waiting(void *arg)
{
    return (double)http_count_waiting(arg);
}

static double read_check(void *arg)
{
    const struct http_check *check = arg;
    char detail[128];

    return check->is_ready(check->arg, detail);
}

static double read_certificate_end(void *arg)
{
    return (double)((struct http_server *)arg)->certificate_end;
}

static void open_metrics(struct http_server *server)
{
    const struct http_options *options = &server->options;
    char label[64];

    http_answers_init();
    http_limits_init(options->limits, options->n_limits);
    http_requests_init();
    metric_gauge_from("http_connections", "", "Open connections.", read_connections, server);
    metric_gauge_from("http_requests_waiting", "", "Requests that wait for an acknowledgement or for data.",
                      read_waiting, server);
    for (size_t i = 0; i < options->n_checks; i++) {
        snprintf(label, sizeof(label), "check=\"%s\"", options->checks[i].name);
        metric_gauge_from("ready", label, "Whether a part that /readyz checks is ready: 1 or 0.", read_check,
                          (void *)&options->checks[i]);
    }
    if (server->tls != NULL)
        metric_gauge_from("tls_certificate_end_seconds", "", "When the certificate expires, in seconds since 1970.",
                          read_certificate_end, server);
}

/* --- open and close */

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
    struct http_server *server = alloc_items(1, sizeof(*server));
    enum status st;

    *out = NULL;
    server->options = *options;
    fill_defaults(&server->options);
    server->fd = -1;
    http_listen_raise_file_limit(&server->options.max_connections);
    configure_h2o(server);
    st = http_listen_load_certificate(server, err);
    if (st == ST_OK)
        st = http_listen_open(server, err);
    if (st != ST_OK) {
        http_close(server);
        return st;
    }
    http_connections_init(server);
    open_loops(server);
    st = http_guard_check(&server->loops[0], err);
    if (st != ST_OK)
        return st;
    open_metrics(server);
    *out = server;
    return ST_OK;
}

/* libh2o cannot free a context that still has connections. The process ends right after this, and frees it. */
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
