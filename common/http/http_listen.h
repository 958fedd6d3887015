/* http_listen - the certificate, the listening socket, and how many files may be open. For http_*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_LISTEN_H
#define SCRUTIN_HTTP_LISTEN_H

#include "http_loop.h"

/* Sets server->tls and server->certificate_end, or leaves them 0 where the options name no certificate. ST_CONFIG names
 * the setting. */
MUST_CHECK enum status http_listen_load_certificate(struct http_server *server, struct errmsg *err);

/* Sets server->fd. ST_CONFIG: BIND_ADDRESS is not an address. ST_IO: it cannot be used. */
MUST_CHECK enum status http_listen_open(struct http_server *server, struct errmsg *err);

/* Allows as many open files as *max_connections needs, or else lowers *max_connections and logs it. */
void http_listen_raise_file_limit(int *max_connections);

#endif
