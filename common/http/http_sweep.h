/* http_sweep - cuts connections that are idle, old or slow, and ends those that their clients have closed. For http_*.c
 * only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_SWEEP_H
#define SCRUTIN_HTTP_SWEEP_H

#include "http_loop.h"

/* Every HTTP_SWEEP_MS. Looks at all connections of a loop, on its thread, outside of any callback of libh2o's for a
 * connection. */
void http_sweep_connections(struct http_loop *loop, int64_t now_ms);

#endif
