/* fixed_reply - the ceiling of vote-api: libh2o answers every request with the same 202 and does no other work.
 * SPDX-License-Identifier: MIT
 *
 * usage: fixed_reply PORT LOOPS. The reply has the headers and the length of a real one. */
#include <arpa/inet.h>
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOPS_MAX 64

struct loop {
    h2o_context_t context;
    h2o_accept_ctx_t accept;
};

static h2o_globalconf_t config;
static int port;

/* As long as a real receipt, so that the length of the reply makes no difference. */
static const char reply[] = "{\"receipt\":\""
                            "k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"poll\":\"demo\",\"selection\":[\"cats\"],"
                            "\"state\":\"pending\"}";

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    static h2o_generator_t generator = {NULL, NULL};
    h2o_iovec_t body = h2o_iovec_init(H2O_STRLIT(reply));

    req->res.status = 202;
    req->res.reason = "Accepted";
    req->res.content_length = body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, H2O_STRLIT("application/json"));
    h2o_add_header(
        &req->pool, &req->res.headers, H2O_TOKEN_SET_COOKIE, NULL,
        H2O_STRLIT("voter_id=k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; Path=/; HttpOnly; SameSite=Lax"));
    h2o_start_response(req, &generator);
    h2o_send(req, &body, 1, 1);
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct loop *loop = listener->data;
    h2o_socket_t *client = err == NULL ? h2o_evloop_socket_accept(listener) : NULL;

    if (client != NULL)
        h2o_accept(&loop->accept, client);
}

static int listen_shared(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1024) != 0) {
        perror("fixed_reply: listen");
        exit(1);
    }
    return fd;
}

static void *run_loop(void *arg)
{
    struct loop *loop = arg;
    h2o_socket_t *listener;

    h2o_context_init(&loop->context, h2o_evloop_create(), &config);
    loop->accept.ctx = &loop->context;
    loop->accept.hosts = config.hosts;
    listener = h2o_evloop_socket_create(loop->context.loop, listen_shared(), H2O_SOCKET_FLAG_DONT_READ);
    listener->data = loop;
    h2o_socket_read_start(listener, on_accept);
    while (h2o_evloop_run(loop->context.loop, INT32_MAX) == 0)
        continue;
    return NULL;
}

int main(int argc, char **argv)
{
    static struct loop loops[LOOPS_MAX];
    int n_loops = argc == 3 ? atoi(argv[2]) : 0;
    h2o_hostconf_t *host;
    h2o_pathconf_t *path;

    if (n_loops < 1 || n_loops > LOOPS_MAX) {
        fputs("usage: fixed_reply PORT LOOPS\n", stderr);
        return 2;
    }
    port = atoi(argv[1]);
    h2o_config_init(&config);
    host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;

    for (int i = 1; i < n_loops; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_loop, &loops[i]) != 0)
            abort();
    }
    run_loop(&loops[0]);
    return 1;
}
