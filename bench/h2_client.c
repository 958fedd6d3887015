/* h2_client - one HTTP/2 connection that a benchmark sends requests over, on libnghttp2.
 * SPDX-License-Identifier: MIT */
#include "h2_client.h"

#include "base/alloc.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX (16384 + 9)
#define OUTPUT_SIZE (8 * FRAME_MAX)

struct h2_client {
    nghttp2_session *session;
    int fd;
    size_t window, in_flight;
    h2_on_reply on_reply;
    void *arg;
    size_t output_from, output_to; /* frames on their way to the socket */
    uint8_t output[OUTPUT_SIZE];
};

static _Noreturn void die(const char *doing, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", doing, why);
    exit(1);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
    struct h2_request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (request != NULL && name_len == 7 && memcmp(name, ":status", 7) == 0)
        request->status = atoi((const char *)value); /* libnghttp2 ends it with a NUL */
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len, void *arg)
{
    struct h2_request *request = nghttp2_session_get_stream_user_data(session, stream);
    size_t room = request == NULL ? 0 : sizeof(request->reply) - 1 - request->reply_len;

    if (room > 0) {
        len = len < room ? len : room;
        memcpy(request->reply + request->reply_len, data, len);
        request->reply_len += len;
        request->reply[request->reply_len] = '\0';
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *arg)
{
    struct h2_client *client = arg;
    struct h2_request *request = nghttp2_session_get_stream_user_data(session, stream);

    if (request == NULL)
        return 0;
    if (error != NGHTTP2_NO_ERROR)
        request->status = 0;
    client->in_flight--;
    client->on_reply(client->arg, request);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    if (frame->hd.type == NGHTTP2_GOAWAY)
        die("HTTP/2", "the server sent GOAWAY");
    return 0;
}

struct h2_client *h2_client_open(int port, size_t window, h2_on_reply on_reply, void *arg)
{
    static nghttp2_session_callbacks *callbacks;
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    struct h2_client *client = alloc_items(1, sizeof(*client));

    if (callbacks == NULL && nghttp2_session_callbacks_new(&callbacks) != 0)
        abort();
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);

    client->fd = connect_to(port);
    client->window = window;
    client->on_reply = on_reply;
    client->arg = arg;
    if (nghttp2_session_client_new(&client->session, callbacks, client) != 0 ||
        nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings, 1) != 0 ||
        nghttp2_session_set_local_window_size(client->session, NGHTTP2_FLAG_NONE, 0, 1 << 28) != 0)
        abort();
    h2_client_flush(client);
    return client;
}

void h2_client_close(struct h2_client *client)
{
    nghttp2_session_del(client->session);
    close(client->fd);
    free(client);
}

int h2_client_fd(const struct h2_client *client)
{
    return client->fd;
}

bool h2_client_has_room(const struct h2_client *client)
{
    return client->in_flight < client->window;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *arg)
{
    struct h2_request *request = source->ptr;
    size_t left = request->body_len - request->body_sent, len = left < room ? left : room;

    memcpy(out, request->body + request->body_sent, len);
    request->body_sent += len;
    if (len == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

void h2_client_submit(struct h2_client *client, struct h2_request *request)
{
    nghttp2_nv headers[6] = {header(":method", request->method), header(":scheme", "http"),
                             header(":authority", "127.0.0.1"), header(":path", request->path),
                             header("content-type", "application/json")};
    size_t n = 5;
    nghttp2_data_provider body = {{.ptr = request}, read_body};
    int32_t stream;

    if (request->authorization != NULL)
        headers[n++] = header("authorization", request->authorization);
    request->status = 0;
    request->body_sent = request->reply_len = 0;
    stream = nghttp2_submit_request(client->session, NULL, headers, n, request->body_len > 0 ? &body : NULL, request);
    if (stream < 0)
        die("HTTP/2 request", nghttp2_strerror(stream));
    client->in_flight++;
}

/* Moves frames from the session to the output as far as there is room. Returns whether there is any output. */
static bool fill_output(struct h2_client *client)
{
    if (client->output_from == client->output_to)
        client->output_from = client->output_to = 0;
    while (OUTPUT_SIZE - client->output_to >= FRAME_MAX) {
        const uint8_t *frame;
        ssize_t len = nghttp2_session_mem_send(client->session, &frame);

        if (len < 0)
            die("HTTP/2 send", nghttp2_strerror((int)len));
        if (len == 0)
            break;
        memcpy(client->output + client->output_to, frame, (size_t)len);
        client->output_to += (size_t)len;
    }
    return client->output_from < client->output_to;
}

void h2_client_flush(struct h2_client *client)
{
    while (fill_output(client)) {
        ssize_t sent = send(client->fd, client->output + client->output_from, client->output_to - client->output_from,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            die("send", strerror(errno));
        client->output_from += (size_t)sent;
    }
}

void h2_client_receive(struct h2_client *client)
{
    static uint8_t input[256 * 1024];
    ssize_t len = recv(client->fd, input, sizeof(input), MSG_DONTWAIT);

    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0)
        die("receive", len == 0 ? "the server closed the connection" : strerror(errno));
    len = nghttp2_session_mem_recv(client->session, input, (size_t)len);
    if (len < 0)
        die("HTTP/2 receive", nghttp2_strerror((int)len));
}
