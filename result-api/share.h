/* share - how many of the requests that wait are one address's, so that one client never has all places.
 * SPDX-License-Identifier: MIT
 *
 * Thread-safe, without locks. A place is taken before the request waits and given back when it ends. */
#ifndef SCRUTIN_SHARE_H
#define SCRUTIN_SHARE_H

#include "address.h"
#include <stdatomic.h>

struct share;

/* Of max places an address has three quarters: 3,000 people who look at once behind one address fit into 5,000. */
struct share *share_new(size_t max); /* the process's: it is never freed */
/* A place for a client's address, of IPv6 its /64; NULL: they are all taken. */
atomic_uint *share_take(struct share *share, const struct address *client);
void share_give_back(atomic_uint *place);

#endif
