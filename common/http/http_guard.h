/* http_guard - what one client may cost: frames, header blocks, header fields, memory. For http_*.c only.
 * SPDX-License-Identifier: MIT
 *
 * libh2o 2.2.5 has no limit for any of these. So http_guard.c defines three functions of libh2o again, in the
 * executable. The dynamic linker takes these for the library's own calls, too:
 *
 * - h2o_socket_read_start puts the guard's reader before libh2o's. The guard counts the input before libh2o acts on it,
 *   and cuts the connection if it is too much. Then it calls libh2o's reader.
 * - h2o_hpack_parse_headers sees each header block over HTTP/2 before its fields are expanded, and begins the request.
 * - h2o_http2_handle_upgrade refuses `Upgrade: h2c`, which RFC 9113, 3.1 has abolished. So HTTP/2 always begins with
 * its preface, and the guard counts from there.
 *
 * The first two call the library's own function (dlsym, RTLD_NEXT). http_guard_check tries at the start whether libh2o
 * calls the guard; it does not where libh2o is linked statically, or is another version. */
#ifndef SCRUTIN_HTTP_GUARD_H
#define SCRUTIN_HTTP_GUARD_H

#include "http_loop.h"

/* Sends a request through a connection of its own and sees whether libh2o calls the guard. On the thread of loop 0,
 * before it runs. ST_CONFIG: it does not. ST_IO: the attempt failed. */
MUST_CHECK enum status http_guard_check(struct http_loop *loop, struct errmsg *err);

#endif
