/* http_listen - the certificate, the listening socket, and how many files may be open.
 * SPDX-License-Identifier: MIT */
#include "http_listen.h"

#include "base/log.h"
#include "http/http_settings.h"
#include <errno.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define FILES_BESIDE 64      /* open files that are not connections */
#define RECEIVE_BUFFER 65536 /* bytes; the kernel doubles it. libh2o reads all of it into one buffer. */

/* In seconds since 1970; 0: it cannot be read. */
static int64_t read_certificate_end(const SSL_CTX *tls)
{
    struct tm end = {0};

    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(tls)), &end) != 1)
        return 0;
    return (int64_t)timegm(&end);
}

enum status http_listen_load_certificate(struct http_server *server, struct errmsg *err)
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

enum status http_listen_open(struct http_server *server, struct errmsg *err)
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
        /* Accepted connections inherit these two. */
        setsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
        setsockopt(server->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent, sizeof(silent));
    }
    if (server->fd < 0 || bind(server->fd, list->ai_addr, list->ai_addrlen) != 0 || listen(server->fd, SOMAXCONN) != 0)
        st = fail(err, ST_IO, "cannot listen on %s port %d: %s; choose another with PORT and BIND_ADDRESS",
                  options->bind_address, options->port, strerror(errno));
    freeaddrinfo(list);
    return st;
}

/* Every connection is an open file. When accept() finds no free file, the connection stays in the queue and the loop
 * tries again without end. So the server must reach its own limit first: then it closes the connection at once. */
void http_listen_raise_file_limit(int *max_connections)
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
    log_warn("fewer connections than MAX_CONNECTIONS: the limit of open files is too low; raise it (ulimit -n)",
             LOG_I("files", limit.rlim_cur), LOG_I("connections", *max_connections));
}
