/* http_read - reads a request: address of the client, headers, cookies, query, forms, body.
 * SPDX-License-Identifier: MIT */
#include "http_loop.h"

struct address http_client_address(const struct http_call *call)
{
    const struct address_list *trusted = http_loop_of(call->req)->server->options.trusted_proxies;
    const h2o_headers_t *headers = &call->req->headers;
    h2o_conn_t *conn = call->req->conn;
    struct sockaddr_storage peer = {0};

    conn->callbacks->get_peername(conn, (struct sockaddr *)&peer);
    struct address client = address_from_sockaddr((const struct sockaddr *)&peer);
    bool is_trusted = address_list_has(trusted, &client);
    for (size_t i = headers->size; i > 0 && is_trusted; i--) {
        const h2o_header_t *header = &headers->entries[i - 1];
        if (header->name == &H2O_TOKEN_X_FORWARDED_FOR->buf)
            is_trusted = address_walk_back(trusted, header->value.base, header->value.len, &client);
    }
    return client;
}

h2o_iovec_t http_header(const struct http_call *call, const char *name)
{
    const h2o_headers_t *headers = &call->req->headers;
    ssize_t at = h2o_find_header_by_str(headers, name, strlen(name), -1);

    return at < 0 ? (h2o_iovec_t){NULL, 0} : headers->entries[at].value;
}

h2o_iovec_t http_bearer(const struct http_call *call)
{
    const h2o_headers_t *headers = &call->req->headers;
    ssize_t at = h2o_find_header(headers, H2O_TOKEN_AUTHORIZATION, -1);

    if (at < 0)
        return (h2o_iovec_t){NULL, 0};
    h2o_iovec_t value = headers->entries[at].value;
    if (value.len <= 7 || strncasecmp(value.base, "Bearer ", 7) != 0)
        return (h2o_iovec_t){NULL, 0};
    return h2o_iovec_init(value.base + 7, value.len - 7);
}

h2o_iovec_t http_cookie(const struct http_call *call, const char *name, size_t nth)
{
    const h2o_headers_t *headers = &call->req->headers;
    size_t name_len = strlen(name);

    /* Over HTTP/2, a client may split its cookies into several fields (RFC 9113, 8.2.3). */
    for (ssize_t at = h2o_find_header(headers, H2O_TOKEN_COOKIE, -1); at >= 0;
         at = h2o_find_header(headers, H2O_TOKEN_COOKIE, at)) {
        const char *p = headers->entries[at].value.base, *end = p + headers->entries[at].value.len;
        while (p < end) {
            while (p < end && (*p == ' ' || *p == ';'))
                p++;
            const char *stop = memchr(p, ';', (size_t)(end - p));
            if (stop == NULL)
                stop = end;
            if ((size_t)(stop - p) > name_len && memcmp(p, name, name_len) == 0 && p[name_len] == '=' && nth-- == 0)
                return h2o_iovec_init(p + name_len + 1, (size_t)(stop - p) - name_len - 1);
            p = stop;
        }
    }
    return (h2o_iovec_t){NULL, 0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static h2o_iovec_t decode_percent(h2o_mem_pool_t *pool, const char *text, size_t len)
{
    h2o_iovec_t out = h2o_iovec_init(h2o_mem_alloc_pool(pool, len + 1), 0);

    for (size_t i = 0; i < len; i++) {
        int high, low;
        if (text[i] == '%' && i + 2 < len && (high = hex_digit(text[i + 1])) >= 0 &&
            (low = hex_digit(text[i + 2])) >= 0) {
            out.base[out.len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out.base[out.len++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    out.base[out.len] = '\0';
    return out;
}

h2o_iovec_t http_form_value(h2o_mem_pool_t *pool, h2o_iovec_t form, const char *name)
{
    const char *p = form.base, *end = form.base + form.len;
    size_t name_len = strlen(name);

    while (p < end) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        if ((size_t)(stop - p) > name_len && memcmp(p, name, name_len) == 0 && p[name_len] == '=')
            return decode_percent(pool, p + name_len + 1, (size_t)(stop - p) - name_len - 1);
        p = stop + 1;
    }
    return (h2o_iovec_t){NULL, 0};
}

h2o_iovec_t http_query(const struct http_call *call, const char *name)
{
    return http_form_value(&call->req->pool, call->query, name);
}

bool http_is_tls(const struct http_call *call)
{
    h2o_iovec_t proto = http_header(call, "x-forwarded-proto");

    if (proto.base != NULL)
        return h2o_memis(proto.base, proto.len, H2O_STRLIT("https"));
    return call->req->input.scheme == &H2O_URL_SCHEME_HTTPS;
}

bool http_content_is(const struct http_call *call, const char *type)
{
    const h2o_headers_t *headers = &call->req->headers;
    ssize_t at = h2o_find_header(headers, H2O_TOKEN_CONTENT_TYPE, -1);
    size_t len = strlen(type);

    if (at < 0 || headers->entries[at].value.len < len)
        return false;
    h2o_iovec_t value = headers->entries[at].value;
    return strncasecmp(value.base, type, len) == 0 &&
           (value.len == len || value.base[len] == ';' || value.base[len] == ' ');
}

json_t *http_read_json(struct http_call *call)
{
    struct json_error err;

    if (!http_content_is(call, "application/json")) {
        http_problem(call, PROBLEM_UNSUPPORTED_MEDIA_TYPE, NULL, "Send the body as Content-Type: application/json.");
        return NULL;
    }
    json_t *json = json_parse_object(call->req->entity.base, call->req->entity.len, &err);
    if (json == NULL)
        http_problem_json(call, PROBLEM_INVALID_JSON, &err);
    return json;
}
