/* access - finds the poll that a request names, and refuses the request if its sender may not see the results.
 * SPDX-License-Identifier: MIT
 *
 * tally/visibility.h has the rules. Every route that shows anything of what people voted begins here. */
#ifndef SCRUTIN_ACCESS_H
#define SCRUTIN_ACCESS_H

#include "http/http.h"
#include "tally/visibility.h"

#define ACCESS_RECEIPT_HEADER "scrutin-receipt"

/* Returns the poll that the first parameter of the path names. The caller must release it. Returns NULL if there is no
 * such poll, or the sender may not see its results: then the request has been answered with 403, 404 or 503. Sets
 * Cache-Control and Vary. An ETag is the caller's task. */
struct poll *access_find_poll_or_refuse(struct http_call *call);

/* The same for routes that need the manage token. Refuses a request without a token with 401, and a request with
 * another token with 403. */
struct poll *access_find_managed_poll_or_refuse(struct http_call *call);

/* Returns what the sender has proved: by `Authorization: Bearer`, by `?receipt=` or by Scrutin-Receipt. An event stream
 * keeps it, because it outlives this check. */
struct viewer access_read_viewer(const struct http_call *call, const struct poll *poll);

#endif
