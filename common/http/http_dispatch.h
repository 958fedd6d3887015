/* http_dispatch - finds the route of a request, checks the rules for every request, and calls the route's handler. For
 * http_*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_DISPATCH_H
#define SCRUTIN_HTTP_DISPATCH_H

#include <h2o.h>

/* The only handler that libh2o has; it calls this when a request is complete. Always returns 0: nobody else answers. */
int http_dispatch(h2o_handler_t *self, h2o_req_t *req);

#endif
