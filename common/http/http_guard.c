/* http_guard - counts what comes in before libh2o acts on it, and cuts connections that send too much.
 * SPDX-License-Identifier: MIT */
#include "http_guard.h"

#include "base/clock.h"
#include "http_fields.h"
#include "http_head.h"
#include "http_request.h"
#include <dlfcn.h>
#include <errno.h>
#include <h2o/cache_digests.h>
#include <h2o/http2.h>
#include <sys/socket.h>

#define HELD_PER_CONNECTION (4 << 20) /* bytes that a connection may hold, beside eight of the largest bodies */
#define HELD_FAIR 65536               /* bytes; a connection that holds no more is not cut because others hold much */
#define UNREAD_INPUT_MAX 65536        /* bytes; libh2o leaves at most one frame unread, unless it has stopped to read */

static _Thread_local unsigned blocks_seen, reads_seen; /* for http_guard_check */

static void *find_library_function(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        h2o_fatal("libh2o does not have the function that the guard replaces");
    return function;
}

static bool holds_too_much(const struct http_connection *connection)
{
    const struct http_options *options = &connection->loop->server->options;

    return connection->held > HELD_PER_CONNECTION + 8 * options->max_body ||
           (connection->held > HELD_FAIR &&
            connection->loop->held > (size_t)(options->max_held_bytes / options->loops));
}

/* --- header blocks over HTTP/2 */

/* The header of libh2o that declares this includes a file that is not installed. */
struct st_h2o_hpack_header_table_t;
int h2o_hpack_parse_headers(h2o_req_t *req, struct st_h2o_hpack_header_table_t *table, const uint8_t *block, size_t len,
                            int *pseudo_header_exists_map, size_t *content_length, h2o_cache_digests_t **digests,
                            const char **err_desc);

/* Whether a header block may be expanded. */
static bool admit_block(struct http_connection *connection, const uint8_t *block, size_t len)
{
    if (len > HTTP_HEADER_BLOCK_MAX || http_has_many_fields(block, len))
        http_connection_cut_later(connection, CUT_HEADERS);
    else if (holds_too_much(connection))
        http_connection_cut_later(connection, CUT_INPUT);
    return connection->cut_reason == CUT_NOT;
}

/* Whether a request that libh2o has accepted is malformed (RFC 9113, 8.1.1). */
static bool is_malformed(const h2o_req_t *req)
{
    h2o_iovec_t method = req->input.method, path = req->input.path, authority = req->input.authority;
    bool fine = http_is_method(method.base, method.len) &&
                http_is_target(method.base, method.len, path.base, path.len) &&
                (authority.base == NULL || http_is_authority(authority.base, authority.len));

    for (size_t i = 0; i < req->headers.size && fine; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        fine = http_is_field(header->name->base, header->name->len, header->value.base, header->value.len);
    }
    return !fine;
}

/* Parses the header fields of a request, or its trailers: then pseudo_header_exists_map is NULL. libh2o ends the
 * connection with GOAWAY when this returns an error, except for H2O_HTTP2_ERROR_INVALID_HEADER_CHAR of a request. When
 * the map says that a pseudo-header field is missing, libh2o resets the stream with PROTOCOL_ERROR. */
int h2o_hpack_parse_headers(h2o_req_t *req, struct st_h2o_hpack_header_table_t *table, const uint8_t *block, size_t len,
                            int *pseudo_header_exists_map, size_t *content_length, h2o_cache_digests_t **digests,
                            const char **err_desc)
{
    static _Atomic(__typeof__(&h2o_hpack_parse_headers)) library;
    __typeof__(&h2o_hpack_parse_headers) next = atomic_load_explicit(&library, memory_order_relaxed);
    struct http_connection *connection = http_request_connection(req);
    size_t fields = req->headers.size;

    if (next == NULL)
        atomic_store(&library, next = find_library_function("h2o_hpack_parse_headers"));
    blocks_seen++;
    if (!admit_block(connection, block, len)) {
        *content_length = SIZE_MAX;
        *err_desc = "this connection sends too much";
        return H2O_HTTP2_ERROR_ENHANCE_YOUR_CALM;
    }
    if (pseudo_header_exists_map == NULL) {
        int ret = next(req, table, block, len, NULL, content_length, digests, err_desc);
        req->headers.size = fields; /* trailers do not become headers (RFC 9110, 6.5.1) */
        return ret == H2O_HTTP2_ERROR_INVALID_HEADER_CHAR ? H2O_HTTP2_ERROR_PROTOCOL : ret;
    }
    struct http_request *request = http_request_begin(connection, req, len, connection->frames.refilled_ms);
    int ret = next(req, table, block, len, pseudo_header_exists_map, content_length, digests, err_desc);
    request->content_length = *content_length;
    if (ret == H2O_HTTP2_ERROR_INVALID_HEADER_CHAR || (ret == 0 && is_malformed(req)))
        *pseudo_header_exists_map = 0;
    return ret;
}

/* --- input */

/* Whether the first bytes of a connection are not HTTP: a request line of another protocol, or something other than the
 * HTTP/2 preface after TLS has agreed on HTTP/2. */
static bool is_foreign(const struct http_connection *connection)
{
    h2o_socket_t *sock = connection->sock;

    if (connection->has_begun || !connection->frames.is_http1)
        return false;
    if (sock->ssl != NULL) {
        h2o_iovec_t agreed = h2o_socket_ssl_get_selected_protocol(sock);
        if (agreed.len >= 2 && memcmp(agreed.base, "h2", 2) == 0)
            return true;
    }
    return http_head_is_foreign(sock->input->bytes, sock->input->size);
}

/* Counts the last n bytes of the input of a connection. Returns why it is to be cut, or CUT_NOT. */
static enum http_cut count_input(struct http_connection *connection, size_t n)
{
    const h2o_buffer_t *input = connection->sock->input;
    struct http_frames *frames = &connection->frames;
    enum http_frames_verdict verdict = http_frames_count(frames, (const uint8_t *)input->bytes + input->size - n, n,
                                                         connection->loop->server->options.max_frames, clock_mono_ms());

    switch (verdict) {
    case FRAMES_TOO_MANY:
        return CUT_FRAMES;
    case FRAMES_HEADERS_TOO_LARGE:
        return CUT_HEADERS;
    case FRAMES_NO_PREFACE:
        return CUT_PREFACE;
    case FRAMES_FINE:
        break;
    }
    if (is_foreign(connection))
        return CUT_PREFACE;
    if (http_frames_is_http2(frames)) {
        http_connection_hold(connection, frames->body);
        frames->body = 0;
        if (input->size - n > UNREAD_INPUT_MAX)
            return CUT_INPUT;
    } else {
        http_connection_release(connection, connection->held);
        http_connection_hold(connection, input->size + connection->n_requests * HTTP_REQUEST_COST);
    }
    return holds_too_much(connection) ? CUT_INPUT : CUT_NOT;
}

/* The guard's reader: counts, cuts where it is too much, and calls libh2o's reader. */
static void on_read(h2o_socket_t *sock, const char *err)
{
    struct http_connection *connection = http_connection_on(sock);
    struct http_loop *loop = connection->loop;
    h2o_socket_cb next = connection->on_read;

    reads_seen++;
    if (err == NULL && sock->bytes_read > 0) {
        enum http_cut why = connection->cut_reason;
        if (why == CUT_NOT)
            why = count_input(connection, sock->bytes_read);
        if (why != CUT_NOT) {
            http_connection_cut(connection, why);
            err = "the guard cut the connection";
        }
    }
    loop->reading = connection;
    next(sock, err); /* this may free the connection */
    loop->reading = NULL;
}

void h2o_socket_read_start(h2o_socket_t *sock, h2o_socket_cb cb)
{
    static _Atomic(__typeof__(&h2o_socket_read_start)) library;
    __typeof__(&h2o_socket_read_start) next = atomic_load_explicit(&library, memory_order_relaxed);
    struct http_connection *connection = http_connection_on(sock);

    if (next == NULL)
        atomic_store(&library, next = find_library_function("h2o_socket_read_start"));
    if (connection == NULL) {
        next(sock, cb);
        return;
    }
    connection->on_read = cb;
    /* Input that came together with the end of the TLS handshake did not pass the guard's reader. */
    if (connection->frames.refilled_ms == 0 && sock->input->size > 0) {
        enum http_cut why = count_input(connection, sock->input->size);
        if (why != CUT_NOT)
            http_connection_cut_later(connection, why);
    }
    next(sock, on_read);
}

int h2o_http2_handle_upgrade(h2o_req_t *req, struct timeval connected_at)
{
    return -1;
}

/* --- does libh2o call the guard? */

enum status http_guard_check(struct http_loop *loop, struct errmsg *err)
{
    /* Preface, SETTINGS, and HEADERS with an indexed field of index 0, which is an error (RFC 7541, 6.1). So libh2o
     * ends the connection before it calls a handler. */
    static const char attempt[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                  "\0\0\0\4\0\0\0\0\0"
                                  "\0\0\1\1\5\0\0\0\1\x80";
    h2o_accept_ctx_t plain = {.ctx = &loop->context, .hosts = loop->server->config.hosts};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0 ||
        write(ends[1], attempt, sizeof(attempt) - 1) != sizeof(attempt) - 1)
        return fail(err, ST_IO, "cannot test the HTTP guard: %s", strerror(errno));
    atomic_fetch_add(&loop->server->connections, 1);
    h2o_accept(&plain, http_connection_begin(loop, ends[0], (struct http_counts){NULL, NULL})->sock);
    for (int i = 0; i < 100 && loop->n_connections > 0; i++)
        h2o_evloop_run(loop->context.loop, 10);
    close(ends[1]);
    for (int i = 0; i < 100 && loop->n_connections > 0; i++)
        h2o_evloop_run(loop->context.loop, 10);
    if (blocks_seen != 1 || reads_seen == 0)
        return fail(err, ST_CONFIG, "this libh2o (%s) does not call the HTTP guard: use 2.2.5 as a shared library",
                    H2O_VERSION);
    return ST_OK;
}
