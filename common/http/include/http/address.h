/* address - addresses of clients, lists of networks, and the client behind trusted proxies. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ADDRESS_H
#define SCRUTIN_ADDRESS_H

#include "base/status.h"
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT INET6_ADDRSTRLEN

/* An IPv6 address. An IPv4 address is stored as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that it is the same over an IPv4
 * and over an IPv6 socket. All zero: not known. */
struct address {
    uint8_t bytes[16];
};

/* Reads 192.0.2.1 and 2001:db8::1, also with a port: 192.0.2.1:80, [2001:db8::1]:80. False: text is no address. */
bool address_parse(const char *text, size_t len, struct address *out);
struct address address_from_sockaddr(const struct sockaddr *sockaddr);
void address_format(const struct address *address, char out[ADDRESS_TEXT]);
/* The client that an address belongs to: the IPv4 address itself, or its IPv6 /64. A provider gives each customer a /64
 * at least (RFC 6177, 2). */
struct address address_of_client(const struct address *address);
/* The network that an address belongs to: its IPv4 /24, or its IPv6 /48. As a rule it has one owner (RFC 6177, 2). */
struct address address_of_network(const struct address *address);

/* --- networks: 10.0.0.0/8, 2001:db8::/32 or single addresses, comma separated */
struct address_list;
/* ST_CONFIG names the entry that is neither. The caller frees the list. */
MUST_CHECK enum status address_list_parse(const char *text, struct address_list **out, struct errmsg *err);
void address_list_free(struct address_list *list); /* NULL is fine */
/* NULL is the empty list. */
bool address_list_has(const struct address_list *list, const struct address *address);

/* Reads one X-Forwarded-For header from right to left, because each proxy appends the address that it got the request
 * from. *hop is the peer at first. As long as *hop is trusted, it becomes the address that *hop has appended. An entry
 * that is no address ends the walk.
 *
 * Returns whether all entries were read and *hop is still trusted. Then an earlier header may name the address that
 * *hop got the request from. */
bool address_walk_back(const struct address_list *trusted, const char *forwarded, size_t len, struct address *hop);

#endif
