/* address - reads addresses and networks, and walks through X-Forwarded-For.
 * SPDX-License-Identifier: MIT */
#include "http/address.h"

#include "base/alloc.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MAX 128
#define MAPPED_BITS 96 /* the prefix of a mapped IPv4 address */
#define CLIENT_BYTES 8
#define NETWORK_BYTES 6
#define NETWORK_IPV4_BYTES 15 /* of the mapped address */

struct network {
    struct address address;
    unsigned bits;
};

struct address_list {
    size_t n;
    struct network networks[];
};

static struct address map_ipv4(const void *four_bytes)
{
    struct address address = {{0}};

    address.bytes[10] = address.bytes[11] = 0xff;
    memcpy(address.bytes + 12, four_bytes, 4);
    return address;
}

static bool is_ipv4(const struct address *address)
{
    const struct address mapped = map_ipv4(address->bytes + 12);

    return memcmp(address, &mapped, sizeof(mapped)) == 0;
}

/* An address without a port. */
static bool parse_bare(const char *text, size_t len, struct address *out)
{
    char copy[ADDRESS_TEXT];
    struct in_addr ipv4;

    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET6, copy, out->bytes) == 1)
        return true;
    if (inet_pton(AF_INET, copy, &ipv4) != 1)
        return false;
    *out = map_ipv4(&ipv4);
    return true;
}

bool address_parse(const char *text, size_t len, struct address *out)
{
    const char *colon = memchr(text, ':', len), *bracket = NULL;

    if (len > 0 && text[0] == '[')
        return (bracket = memchr(text, ']', len)) != NULL && (bracket + 1 == text + len || bracket[1] == ':') &&
               parse_bare(text + 1, (size_t)(bracket - text - 1), out);
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(text + len - colon - 1)) == NULL)
        len = (size_t)(colon - text); /* a single colon stands before a port */
    return parse_bare(text, len, out);
}

struct address address_from_sockaddr(const struct sockaddr *sockaddr)
{
    struct address address = {{0}};

    if (sockaddr->sa_family == AF_INET)
        return map_ipv4(&((const struct sockaddr_in *)sockaddr)->sin_addr);
    if (sockaddr->sa_family == AF_INET6)
        memcpy(address.bytes, &((const struct sockaddr_in6 *)sockaddr)->sin6_addr, sizeof(address.bytes));
    return address;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT])
{
    if (is_ipv4(address))
        inet_ntop(AF_INET, address->bytes + 12, out, ADDRESS_TEXT);
    else
        inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT);
}

struct address address_of_client(const struct address *address)
{
    struct address network = *address;

    if (!is_ipv4(address))
        memset(network.bytes + CLIENT_BYTES, 0, sizeof(network.bytes) - CLIENT_BYTES);
    return network;
}

struct address address_of_network(const struct address *address)
{
    struct address network = *address;
    size_t kept = is_ipv4(address) ? NETWORK_IPV4_BYTES : NETWORK_BYTES;

    memset(network.bytes + kept, 0, sizeof(network.bytes) - kept);
    return network;
}

/* --- lists */

static bool is_within(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    return memcmp(network->address.bytes, address->bytes, whole) == 0 &&
           (rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0);
}

static bool parse_network(const char *entry, size_t len, struct network *out)
{
    const char *slash = memchr(entry, '/', len);
    unsigned bits = 0;

    if (!parse_bare(entry, slash == NULL ? len : (size_t)(slash - entry), &out->address))
        return false;
    out->bits = PREFIX_MAX;
    if (slash == NULL)
        return true;
    const char *digit = slash + 1, *end = entry + len;
    if (digit == end || end - digit > 3)
        return false;
    for (; digit < end; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        bits = bits * 10 + (unsigned)(*digit - '0');
    }
    out->bits = bits + (is_ipv4(&out->address) ? MAPPED_BITS : 0);
    return out->bits <= PREFIX_MAX;
}

enum status address_list_parse(const char *text, struct address_list **out, struct errmsg *err)
{
    static const char separators[] = ", \t\r\n";
    struct address_list *list;
    size_t room = 1;

    *out = NULL;
    for (const char *p = text; *p != '\0'; p++)
        room += strchr(separators, *p) != NULL;
    list = alloc_bytes(sizeof(*list) + room * sizeof(list->networks[0]));
    list->n = 0;
    for (;;) {
        text += strspn(text, separators);
        size_t len = strcspn(text, separators);
        if (len == 0)
            break;
        if (!parse_network(text, len, &list->networks[list->n])) {
            address_list_free(list);
            return fail(err, ST_CONFIG, "%.*s is neither an address nor a network like 10.0.0.0/8",
                        (int)(len < 60 ? len : 60), text);
        }
        list->n++;
        text += len;
    }
    *out = list;
    return ST_OK;
}

void address_list_free(struct address_list *list)
{
    free(list);
}

bool address_list_has(const struct address_list *list, const struct address *address)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (is_within(&list->networks[i], address))
            return true;
    return false;
}

/* --- the walk */

bool address_walk_back(const struct address_list *trusted, const char *forwarded, size_t len, struct address *hop)
{
    const char *end = forwarded + len;

    while (address_list_has(trusted, hop)) {
        while (end > forwarded && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        const char *start = end;
        while (start > forwarded && start[-1] != ',')
            start--;
        const char *text = start;
        while (text < end && (*text == ' ' || *text == '\t'))
            text++;
        struct address named;
        if (!address_parse(text, (size_t)(end - text), &named))
            return false;
        *hop = named;
        if (start == forwarded)
            return address_list_has(trusted, hop);
        end = start - 1; /* before the comma */
    }
    return false;
}
