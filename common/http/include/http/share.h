/* share - how many of something one client has now, so that nobody has all: connections, event streams, requests that
 * wait.
 * SPDX-License-Identifier: MIT
 *
 * A client is an IPv4 address or an IPv6 /64. Thread-safe, without locks. A place is taken before and given back when
 * what it was taken for ends. */
#ifndef SCRUTIN_SHARE_H
#define SCRUTIN_SHARE_H

#include "http/address.h"
#include <stdatomic.h>

struct share;

/* A client may have max places. The share is the process's: it is never freed. */
struct share *share_new(unsigned max);
unsigned share_max(const struct share *share);
/* A place for a client's address, or for a network that address_delegation gave; NULL: they are all taken. */
MUST_CHECK atomic_uint *share_take(struct share *share, const struct address *client);
void share_give_back(atomic_uint *place); /* NULL is fine */

#endif
