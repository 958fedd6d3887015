/* http_service - --healthcheck, a process of its own that asks the service for /readyz, and --routes.
 * SPDX-License-Identifier: MIT */
#include "http/http_service.h"

#include "http/http.h"
#include "http/http_settings.h"
#include <netdb.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEALTH_LIMIT_S 3 /* on_health_limit names it, too */

struct health {
    int fd;
    SSL_CTX *context;
    SSL *tls; /* NULL where the service speaks plain HTTP */
};

static void on_health_limit(int signal)
{
    static const char text[] = "no answer within 3 seconds\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    (void)signal;
    _exit(1);
}

/* A service that listens on all addresses is asked over the loopback address. */
static const char *health_address(const struct http_service *http)
{
    const char *address = http->settings->bind_address != NULL ? http->settings->bind_address : "";
    if (strcmp(address, "") == 0 || strcmp(address, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(address, "::") == 0 ? "::1" : address;
}

static bool health_connect(struct health *health, const char *address, int64_t port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char port_text[24];
    bool connected = false;

    snprintf(port_text, sizeof(port_text), "%lld", (long long)port);
    int code = getaddrinfo(address, port_text, &hints, &found);
    if (code != 0) {
        fprintf(stderr, "%s is not a valid address: %s\n", address, gai_strerror(code));
        return false;
    }
    for (const struct addrinfo *at = found; at != NULL && !connected; at = at->ai_next) {
        health->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (health->fd < 0)
            continue;
        connected = connect(health->fd, at->ai_addr, at->ai_addrlen) == 0;
        if (!connected) {
            close(health->fd);
            health->fd = -1;
        }
    }
    freeaddrinfo(found);
    if (!connected)
        fprintf(stderr, "nothing listens on %s port %s\n", address, port_text);
    return connected;
}

/* Does not verify the certificate: it has the public name, and the check uses an address of this machine. */
static bool health_start_tls(struct health *health)
{
    health->context = SSL_CTX_new(TLS_client_method());
    health->tls = health->context != NULL ? SSL_new(health->context) : NULL;
    if (health->tls == NULL || SSL_set_fd(health->tls, health->fd) != 1 || SSL_connect(health->tls) != 1) {
        fprintf(stderr, "the TLS handshake failed\n");
        return false;
    }
    return true;
}

static ssize_t health_read(struct health *health, char *to, size_t size)
{
    if (health->tls != NULL)
        return SSL_read(health->tls, to, (int)size);
    return read(health->fd, to, size);
}

static bool health_write(struct health *health, const char *data, size_t len)
{
    if (health->tls != NULL)
        return SSL_write(health->tls, data, (int)len) == (int)len;
    return send(health->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Sends the request and reads the reply, as far as the buffer holds it. False, and a message: it is not 200. */
static bool health_request(struct health *health)
{
    static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char reply[4096];
    size_t len = 0;
    ssize_t n;
    int code = 0;

    if (!health_write(health, request, sizeof(request) - 1)) {
        fprintf(stderr, "the request could not be sent\n");
        return false;
    }
    while (len < sizeof(reply) - 1 && (n = health_read(health, reply + len, sizeof(reply) - 1 - len)) > 0)
        len += (size_t)n;
    reply[len] = '\0';
    if (sscanf(reply, "HTTP/%*d.%*d %d", &code) != 1) {
        fprintf(stderr, "the answer is not HTTP\n");
        return false;
    }
    if (code == 200)
        return true;
    const char *body = strstr(reply, "\r\n\r\n");
    fprintf(stderr, "not ready (%d): %s\n", code, body != NULL ? body + 4 : "");
    return false;
}

int http_service_check_health(const struct service *service, const char *argument)
{
    const struct http_service *http = service->http;
    struct health health = {.fd = -1};
    bool ready = false;

    if (http->settings->port == 0) {
        fprintf(stderr, "%s has no HTTP port in this configuration\n", service->name);
        return 1;
    }
    /* One time limit for all steps: the process does nothing else. */
    signal(SIGALRM, on_health_limit);
    alarm(HEALTH_LIMIT_S);
    const char *certificate = http->settings->tls_cert_file;
    bool tls = certificate != NULL && certificate[0] != '\0';
    if (health_connect(&health, health_address(http), http->settings->port) && (!tls || health_start_tls(&health)))
        ready = health_request(&health);
    SSL_free(health.tls);
    SSL_CTX_free(health.context);
    if (health.fd >= 0)
        close(health.fd);
    return ready ? 0 : 1;
}

int http_service_print_routes(const struct service *service, const char *argument)
{
    http_print_routes(service->http->routes, service->http->n_routes, stdout);
    return 0;
}
