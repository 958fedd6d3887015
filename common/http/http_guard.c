/* http_guard - what a client may cost: requests under way, resets, frames, header fields, memory.
 * SPDX-License-Identifier: MIT
 *
 * libh2o 2.2.5 bounds none of these. Some of its functions are defined here, in the executable, and so take the place
 * of the library's own for its own calls as well; they look and then call the library's (dlsym, RTLD_NEXT):
 * h2o_socket_read_start puts the guard before libh2o's reader, and h2o_hpack_parse_headers sees every request of HTTP/2
 * before its header fields are expanded. http_guard_check tries at start whether that holds. */
#include "http_internal.h"

#include "base/clock.h"
#include "http_fields.h"
#include "http_head.h"
#include <dlfcn.h>
#include <errno.h>
#include <h2o/cache_digests.h>
#include <h2o/http2.h>
#include <sys/socket.h>

#define REQUEST_COST 8192             /* bytes that a request takes in libh2o, about, before its fields and body */
#define HELD_PER_CONNECTION (4 << 20) /* bytes, and eight of the largest bodies */
#define HELD_FAIR 65536               /* a connection that holds no more is not cut for what others hold */
#define UNREAD_INPUT_MAX 65536        /* libh2o leaves at most one frame: more means that it no longer looks */

/* --- memory that requests hold, about */

static void hold(struct http_connection *connection, size_t n)
{
    connection->held += n;
    connection->loop->held += n;
}

static void release(struct http_connection *connection, size_t n)
{
    if (n > connection->held)
        n = connection->held;
    connection->held -= n;
    connection->loop->held -= n;
}

static bool holds_too_much(const struct http_connection *connection)
{
    const struct http_options *options = &connection->loop->server->options;

    return connection->held > HELD_PER_CONNECTION + 8 * options->max_body ||
           (connection->held > HELD_FAIR &&
            connection->loop->held > (size_t)(options->max_held_bytes / options->loops));
}

/* --- requests */

/* Requests that end while libh2o acts on input were reset by it: those whose answer was written end after the write. */
static void count_reset(struct http_connection *connection)
{
    unsigned budget = connection->loop->server->options.max_resets;
    int64_t now = connection->frames.refilled_ms;

    connection->resets_left = http_tokens_refill(connection->resets_left, budget, now - connection->resets_ms) - 1;
    connection->resets_ms = now;
    if (connection->resets_left < 0)
        http_connection_condemn(connection, CUT_RESETS);
}

/* The pool of a request is being freed; the request itself is still there. */
static void on_request_end(void *memory)
{
    struct http_request *request = memory;
    struct http_connection *connection = request->connection;

    if (request->ticket != NULL)
        http_ticket_orphan(request->ticket);
    if (request->is_stream) {
        connection->streams--;
        connection->last_request_ms = clock_mono_ms(); /* it is idle from now on */
    } else {
        h2o_linklist_unlink(&request->link);
    }
    connection->open--;
    release(connection, connection->open > 0 ? request->held + request->req->entity.len : connection->held);
    if (connection->loop->reading == connection && request->req->version >= 0x200)
        count_reset(connection);
}

static struct http_connection *connection_of(h2o_req_t *req)
{
    return http_connection_on(req->conn->callbacks->get_socket(req->conn));
}

static struct http_request *begin_request(struct http_connection *connection, h2o_req_t *req, size_t block,
                                          int64_t now_ms)
{
    struct http_request *request = h2o_mem_alloc_shared(&req->pool, sizeof(*request), on_request_end);

    *request = (struct http_request){
        .connection = connection, .req = req, .began_ms = now_ms, .held = REQUEST_COST + block, .announced = SIZE_MAX};
    h2o_linklist_insert(&connection->requests, &request->link);
    connection->open++;
    connection->has_begun = true;
    hold(connection, request->held);
    return request;
}

struct http_request *http_guard_request(h2o_req_t *req, int64_t now_ms)
{
    struct http_connection *connection = connection_of(req);

    connection->last_request_ms = now_ms;
    if (req->version < 0x200)
        return begin_request(connection, req, 0, now_ms);
    for (h2o_linklist_t *node = connection->requests.prev; node != &connection->requests; node = node->prev) {
        struct http_request *request = H2O_STRUCT_FROM_MEMBER(struct http_request, link, node);
        if (request->req == req)
            return request;
    }
    h2o_fatal("a request came past the guard");
}

bool http_guard_is_whole(const struct http_request *request)
{
    return request->announced == SIZE_MAX || request->announced == request->req->entity.len;
}

void http_guard_answered(struct http_request *request, size_t len)
{
    if (request != NULL) { /* NULL: libh2o refused it by itself */
        request->held += len;
        hold(request->connection, len);
    }
}

void http_guard_is_stream(struct http_request *request)
{
    h2o_linklist_unlink(&request->link);
    request->is_stream = true;
    request->connection->streams++;
}

int64_t http_guard_oldest_ms(const struct http_connection *connection, int64_t now_ms)
{
    if (connection->requests.next == &connection->requests)
        return 0;
    return now_ms - H2O_STRUCT_FROM_MEMBER(struct http_request, link, connection->requests.next)->began_ms;
}

void http_guard_end(struct http_connection *connection)
{
    connection->on_read(connection->sock, h2o_socket_error_closed);
}

void http_guard_close(struct http_connection *connection)
{
    release(connection, connection->held);
}

/* --- in the place of libh2o's own */

/* libh2o's own header of this cannot be included: it wants a file that is not installed. */
struct st_h2o_hpack_header_table_t;
int h2o_hpack_parse_headers(h2o_req_t *req, struct st_h2o_hpack_header_table_t *table, const uint8_t *block, size_t len,
                            int *pseudo_header_exists_map, size_t *content_length, h2o_cache_digests_t **digests,
                            const char **err_desc);

static _Thread_local unsigned blocks_seen, reads_seen; /* for http_guard_check */

static void *next_function(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        h2o_fatal("libh2o has not the function that the guard stands before");
    return function;
}

/* Whether a header block may be expanded. */
static bool admit_block(struct http_connection *connection, const uint8_t *block, size_t len)
{
    if (len > HTTP_HEADER_BLOCK_MAX || http_has_many_fields(block, len))
        http_connection_condemn(connection, CUT_HEADERS);
    else if (holds_too_much(connection))
        http_connection_condemn(connection, CUT_INPUT);
    return connection->fault == CUT_NOT;
}

/* What libh2o has taken although it is malformed. */
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

/* What it returns other than 0 ends the connection, with a GOAWAY; but for H2O_HTTP2_ERROR_INVALID_HEADER_CHAR of a
 * request. Where the map of pseudo-header fields says that one is missing libh2o resets the stream (PROTOCOL_ERROR). */
int h2o_hpack_parse_headers(h2o_req_t *req, struct st_h2o_hpack_header_table_t *table, const uint8_t *block, size_t len,
                            int *pseudo_header_exists_map, size_t *content_length, h2o_cache_digests_t **digests,
                            const char **err_desc)
{
    static _Atomic(__typeof__(&h2o_hpack_parse_headers)) library;
    __typeof__(&h2o_hpack_parse_headers) next = atomic_load_explicit(&library, memory_order_relaxed);
    struct http_connection *connection = connection_of(req);
    size_t fields = req->headers.size;

    if (next == NULL)
        atomic_store(&library, next = next_function("h2o_hpack_parse_headers"));
    blocks_seen++;
    if (!admit_block(connection, block, len)) {
        *content_length = SIZE_MAX;
        *err_desc = "too much is asked of this connection";
        return H2O_HTTP2_ERROR_ENHANCE_YOUR_CALM;
    }
    if (pseudo_header_exists_map == NULL) {
        int ret = next(req, table, block, len, NULL, content_length, digests, err_desc);
        req->headers.size = fields; /* trailers are no headers (RFC 9110, 6.5.1) */
        return ret == H2O_HTTP2_ERROR_INVALID_HEADER_CHAR ? H2O_HTTP2_ERROR_PROTOCOL : ret;
    }
    struct http_request *request = begin_request(connection, req, len, connection->frames.refilled_ms);
    int ret = next(req, table, block, len, pseudo_header_exists_map, content_length, digests, err_desc);
    request->announced = *content_length;
    if (ret == H2O_HTTP2_ERROR_INVALID_HEADER_CHAR || (ret == 0 && is_malformed(req)))
        *pseudo_header_exists_map = 0;
    return ret;
}

/* Whether the first bytes of a connection are neither HTTP/1 nor, where TLS agreed on HTTP/2, its preface. */
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

/* Counts the last n bytes of a connection's input. */
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
        hold(connection, frames->body);
        frames->body = 0;
        if (input->size - n > UNREAD_INPUT_MAX)
            return CUT_INPUT;
    } else {
        release(connection, connection->held);
        hold(connection, input->size + connection->open * REQUEST_COST);
    }
    return holds_too_much(connection) ? CUT_INPUT : CUT_NOT;
}

/* The guard's reader, before libh2o's. */
static void on_read(h2o_socket_t *sock, const char *err)
{
    struct http_connection *connection = http_connection_on(sock);
    struct http_loop *loop = connection->loop;
    h2o_socket_cb next = connection->on_read;

    reads_seen++;
    if (err == NULL && sock->bytes_read > 0) {
        enum http_cut why = connection->fault != CUT_NOT ? connection->fault
                                                         : count_input(connection, sock->bytes_read);
        if (why != CUT_NOT) {
            http_connection_cut(connection, why);
            err = "the guard cut the connection";
        }
    }
    loop->reading = connection;
    next(sock, err); /* the connection may be gone now */
    loop->reading = NULL;
}

void h2o_socket_read_start(h2o_socket_t *sock, h2o_socket_cb cb)
{
    static _Atomic(__typeof__(&h2o_socket_read_start)) library;
    __typeof__(&h2o_socket_read_start) next = atomic_load_explicit(&library, memory_order_relaxed);
    struct http_connection *connection = http_connection_on(sock);

    if (next == NULL)
        atomic_store(&library, next = next_function("h2o_socket_read_start"));
    if (connection == NULL) {
        next(sock, cb);
        return;
    }
    connection->on_read = cb;
    /* What came together with the end of the TLS handshake was never read as such. */
    if (connection->frames.refilled_ms == 0 && sock->input->size > 0) {
        enum http_cut why = count_input(connection, sock->input->size);
        if (why != CUT_NOT)
            http_connection_condemn(connection, why);
    }
    next(sock, on_read);
}

/* `Upgrade: h2c` is not taken up (RFC 9113 has done away with it): HTTP/2 begins with its preface, and there the guard
 * begins to count. */
int h2o_http2_handle_upgrade(h2o_req_t *req, struct timeval connected_at)
{
    return -1;
}

/* --- does it hold? */

enum status http_guard_check(struct http_loop *loop, struct errmsg *err)
{
    /* Preface, SETTINGS, and HEADERS with a field that is none: index 0. It ends before any handler. */
    static const char attempt[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                  "\0\0\0\4\0\0\0\0\0"
                                  "\0\0\1\1\5\0\0\0\1\x80";
    h2o_accept_ctx_t plain = {.ctx = &loop->context, .hosts = loop->server->config.hosts};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0 ||
        write(ends[1], attempt, sizeof(attempt) - 1) != sizeof(attempt) - 1)
        return fail(err, ST_IO, "cannot try the HTTP guard: %s", strerror(errno));
    atomic_fetch_add(&loop->server->connections, 1);
    h2o_accept(&plain, http_connection_begin(loop, ends[0], (struct http_counts){NULL, NULL})->sock);
    for (int i = 0; i < 100 && loop->n_connections > 0; i++)
        h2o_evloop_run(loop->context.loop, 10);
    close(ends[1]);
    for (int i = 0; i < 100 && loop->n_connections > 0; i++)
        h2o_evloop_run(loop->context.loop, 10);
    if (blocks_seen != 1 || reads_seen == 0)
        return fail(err, ST_CONFIG,
                    "this libh2o (%s) does not call the HTTP guard: build with 2.2.5 as a shared library", H2O_VERSION);
    return ST_OK;
}
