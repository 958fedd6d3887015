/* h2_client - one HTTP/2 connection (prior knowledge, RFC 9113) for the requests of a benchmark.
 * SPDX-License-Identifier: MIT
 *
 * Not thread-safe. If the connection breaks, the process ends, because the figure would be wrong. */
#ifndef SCRUTIN_BENCH_H2_CLIENT_H
#define SCRUTIN_BENCH_H2_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h2_client;

struct h2_request {
    const char *method, *path;
    const char *authorization; /* NULL: none */
    char *body;                /* must live until on_reply */
    size_t body_len;
    int64_t due_ns; /* when it should have left, whatever held it up */
    /* filled by the client */
    size_t body_sent;
    int status; /* of the reply; 0: the stream was reset */
    char reply[256];
    size_t reply_len; /* of what fits */
};

typedef void (*h2_on_reply)(void *arg, struct h2_request *request);

struct h2_client *h2_client_open(int port, size_t window, h2_on_reply on_reply, void *arg);
void h2_client_close(struct h2_client *client);
int h2_client_fd(const struct h2_client *client);
/* Whether less than `window` requests wait for their replies. */
bool h2_client_has_room(const struct h2_client *client);
/* Borrows the request until on_reply. */
void h2_client_submit(struct h2_client *client, struct h2_request *request);
/* Sends what was submitted, as far as the socket takes it. */
void h2_client_flush(struct h2_client *client);
/* Reads what has come and calls on_reply. Call it when the socket is readable. */
void h2_client_receive(struct h2_client *client);

#endif
