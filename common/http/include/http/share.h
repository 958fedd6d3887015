/* share - how many of something one client has at the moment, so that one client cannot have all.
 * SPDX-License-Identifier: MIT
 *
 * It counts event streams, and requests that wait. From any thread, without locks. A client is an IPv4 address or an
 * IPv6 /64. It takes a place before it gets the thing, and gives the place back when the thing ends. */
#ifndef SCRUTIN_SHARE_H
#define SCRUTIN_SHARE_H

#include "http/address.h"
#include <stdatomic.h>

struct share;

/* A client may have max places. A share is never freed; it lives as long as the process. */
struct share *share_new(unsigned max);
unsigned share_max(const struct share *share);
/* Takes a place for the address of a client, or for a network from address_of_network. NULL: the client has max places
 * already. */
MUST_CHECK atomic_uint *share_take(struct share *share, const struct address *client);
void share_give_back(atomic_uint *place); /* NULL is fine */

#endif
