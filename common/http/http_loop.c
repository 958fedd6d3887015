/* http_loop - the mailbox of a loop, and what a service may ask of a loop.
 * SPDX-License-Identifier: MIT */
#include "http_loop.h"

#include "base/alloc.h"
#include <sodium.h>

#define TICKETS_KEPT 4096
#define READ_BUFFER 1024 /* bytes at first; each waiting request keeps one for its body. 4,096 was not faster. */

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
    struct message *message = alloc_bytes(sizeof(*message));

    *message = (struct message){.fn = fn, .arg = arg};
    h2o_multithread_send_message(&loop->receiver, &message->super);
}

void http_loop_init(struct http_server *server, struct http_loop *loop)
{
    *loop = (struct http_loop){.server = server, .tickets = {.max = TICKETS_KEPT}};
    randombytes_buf(&loop->id_start, sizeof(loop->id_start));
    h2o_linklist_init_anchor(&loop->connections);
    h2o_socket_buffer_prototype._initial_buf.capacity = READ_BUFFER;
    h2o_context_init(&loop->context, h2o_evloop_create(), &server->config);
    loop->accept = (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = server->config.hosts, .ssl_ctx = server->tls};
    h2o_multithread_register_receiver(loop->context.queue, &loop->receiver, on_messages);
}

size_t http_count_waiting(const struct http_server *server)
{
    size_t waiting = 0;

    for (int i = 0; i < server->options.loops; i++)
        waiting += atomic_load_explicit(&server->loops[i].waiting, memory_order_relaxed);
    return waiting;
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
