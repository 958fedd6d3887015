/* address - addresses of clients, networks of proxies, and who is behind them. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ADDRESS_H
#define SCRUTIN_ADDRESS_H

#include "base/status.h"
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT INET6_ADDRSTRLEN

/* Of IPv6; one of IPv4 as its mapped form ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that it is the same address however it
 * came. All zero: not known. */
struct address {
    uint8_t bytes[16];
};

/* Reads 192.0.2.1 and 2001:db8::1, also with a port: 192.0.2.1:80, [2001:db8::1]:80. */
bool address_parse(const char *text, size_t len, struct address *out);
struct address address_from_sockaddr(const struct sockaddr *sockaddr);
void address_format(const struct address *address, char out[ADDRESS_TEXT]);
/* What one customer of a provider has: an address of IPv4, a network of 64 bits of IPv6 (RFC 6177: never less). */
struct address address_network(const struct address *address);
/* What is most often in one hand beside that: a delegation of 48 bits of IPv6 (RFC 6177), 24 bits of IPv4. */
struct address address_delegation(const struct address *address);

/* --- networks: 10.0.0.0/8, 2001:db8::/32 or single addresses, comma separated */
struct address_list;
/* ST_CONFIG names the entry that is none. The caller frees the list. */
MUST_CHECK enum status address_list_parse(const char *text, struct address_list **out, struct errmsg *err);
void address_list_free(struct address_list *list); /* NULL is fine */
/* NULL is the empty list. */
bool address_list_has(const struct address_list *list, const struct address *address);

/* Walks one X-Forwarded-For from its right end, where the nearest hop wrote, as long as *hop is a trusted one: each hop
 * vouches for the one that it names. Entries that are no addresses end the walk. Returns whether *hop, the last one
 * reached, is trusted and named by everything to its right, so that an earlier header may say who is behind it. */
bool address_walk_back(const struct address_list *trusted, const char *forwarded, size_t len, struct address *hop);

#endif
