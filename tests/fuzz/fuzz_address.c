/* fuzz_address - what comes as X-Forwarded-For, and what an operator may write into TRUSTED_PROXIES.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "http/address.h"

static bool equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* An address is read again as what it was written. */
static void check_text(const struct address *address)
{
    char text[ADDRESS_TEXT];
    struct address again;

    address_format(address, text);
    bool ok = address_parse(text, strlen(text), &again);
    assert(ok && equal(address, &again));
}

static void check_walk(const struct address_list *trusted, const char *peer, const char *text, size_t len)
{
    struct address from, hop;
    bool ok = address_parse(peer, strlen(peer), &from);

    assert(ok);
    hop = from;
    bool goes_on = address_walk_back(trusted, text, len, &hop);
    check_text(&hop);
    assert(address_list_has(trusted, &from) || (equal(&hop, &from) && !goes_on));
    assert(!goes_on || address_list_has(trusted, &hop));
}

static void check_list(const char *text, size_t len)
{
    struct address_list *list = NULL;
    char *copy = strndup(text, len);

    assert(copy != NULL);
    if (address_list_parse(copy, &list, NULL) == ST_OK)
        check_walk(list, "10.0.0.1", text, len);
    address_list_free(list);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct address_list *trusted;
    const char *text = (const char *)data;
    struct address address;

    if (trusted == NULL) {
        enum status st = address_list_parse("10.0.0.0/8,2001:db8::/32,::1", &trusted, NULL);
        assert(st == ST_OK);
    }
    if (address_parse(text, size, &address))
        check_text(&address);
    check_walk(trusted, "10.0.0.1", text, size);
    check_walk(trusted, "192.0.2.1", text, size);
    check_list(text, size);
    return 0;
}
