/* test_address - addresses, networks, and the walk back through X-Forwarded-For.
 * SPDX-License-Identifier: MIT */
#include "http/address.h"
#include "unit.h"
#include <arpa/inet.h>

static struct address read_address(const char *text)
{
    struct address address;

    CHECK_ROW(address_parse(text, strlen(text), &address), "%s", text);
    return address;
}

static void assert_address(const struct address *address, const char *expected)
{
    char text[ADDRESS_TEXT];

    address_format(address, text);
    assert_string_equal(text, expected);
}

static void addresses_are_read(void **state)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:8080", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"[192.0.2.1]:80", "192.0.2.1"},
        {"::1", "::1"},
        {"::", "::"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address address = read_address(rows[i][0]);
        assert_address(&address, rows[i][1]);
    }
}

static void other_texts_are_none(void **state)
{
    static const char *const rows[] = {"",
                                       "unknown",
                                       "_hidden",
                                       "192.0.2",
                                       "192.0.2.256",
                                       "192.0.2.1.1",
                                       "[::1",
                                       "[::1]x",
                                       "1.2.3.4 ",
                                       "::1%eth0",
                                       "g::1",
                                       "localhost:80",
                                       "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
    struct address address;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_ROW(!address_parse(rows[i], strlen(rows[i]), &address), "%s", rows[i]);
}

static void a_socket_says_who_it_is(void **state)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    struct sockaddr other = {.sa_family = AF_UNIX};

    inet_pton(AF_INET, "192.0.2.9", &ipv4.sin_addr);
    inet_pton(AF_INET6, "::ffff:192.0.2.9", &ipv6.sin6_addr);
    struct address one = address_from_sockaddr((struct sockaddr *)&ipv4);
    struct address two = address_from_sockaddr((struct sockaddr *)&ipv6);
    assert_address(&one, "192.0.2.9");
    assert_memory_equal(&one, &two, sizeof(one));
    struct address none = address_from_sockaddr(&other);
    assert_address(&none, "::");
}

static void a_customer_has_a_network(void **state)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"}, {"2001:db8:1:3::", "2001:db8:1:3::"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address address = read_address(rows[i][0]), network = address_of_client(&address);
        assert_address(&network, rows[i][1]);
    }
}

static void a_delegation_has_many_networks(void **state)
{
    static const char *const rows[][2] = {{"192.0.2.77", "192.0.2.0"},
                                          {"2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
                                          {"2001:db8:1:ffff::", "2001:db8:1::"},
                                          {"::", "::"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address address = read_address(rows[i][0]), network = address_of_network(&address);
        assert_address(&network, rows[i][1]);
    }
}

static void networks_have_their_addresses(void **state)
{
    static const struct {
        const char *list, *address;
        bool is_in;
    } rows[] = {
        {"", "127.0.0.1", false},
        {"127.0.0.0/8", "127.9.9.9", true},
        {"127.0.0.0/8", "128.0.0.1", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false},
        {"10.0.0.0/8,172.16.0.0/12", "172.31.255.255", true},
        {"10.0.0.0/8, 172.16.0.0/12", "172.32.0.0", false},
        {"192.0.2.128/25", "192.0.2.200", true},
        {"192.0.2.128/25", "192.0.2.100", false},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address_list *list;
        struct address address = read_address(rows[i].address);
        CHECK_ROW(address_list_parse(rows[i].list, &list, NULL) == ST_OK, "%s", rows[i].list);
        CHECK_ROW(address_list_has(list, &address) == rows[i].is_in, "%s in %s", rows[i].address, rows[i].list);
        address_list_free(list);
    }
    assert_false(address_list_has(NULL, &(struct address){{0}}));
}

static void other_networks_are_refused(void **state)
{
    static const char *const rows[] = {
        "10.0.0.0/33",    "10.0.0.0/",    "10.0.0.0/8x", "10.0.0.0/-1",         "/8",
        "proxy.example",  "::/129",       "10.0.0/8",    "::ffff:10.0.0.0/104", "10.0.0.1:80",
        "10.0.0.0/8;::1", "10.0.0.0/0008"};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address_list *list;
        struct errmsg err;
        CHECK_ROW(address_list_parse(rows[i], &list, &err) == ST_CONFIG && list == NULL, "%s", rows[i]);
    }
}

/* The client behind a peer that sent this header. Trusted proxies are 10.0.0.0/8 and 2001:db8::/64. */
static void the_walk_stops_at_the_first_stranger(void **state)
{
    static const struct {
        const char *peer, *forwarded, *client;
        bool goes_on;
    } rows[] = {
        {"203.0.113.5", "198.51.100.1", "203.0.113.5",
         false}, /* the header of a peer that is no proxy does not count */
        {"10.0.0.1", "198.51.100.1", "198.51.100.1", false},
        {"10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1", false},
        {"10.0.0.1", "10.9.9.9, 198.51.100.1, 10.0.0.2", "198.51.100.1", false}, /* the left is what the client sent */
        {"10.0.0.1", "1.1.1.1,198.51.100.1", "198.51.100.1", false},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", true}, /* a proxy asks for itself */
        {"10.0.0.1", "", "10.0.0.1", false},
        {"10.0.0.1", "unknown", "10.0.0.1", false},
        {"10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2", false},
        {"10.0.0.1", "198.51.100.1,", "10.0.0.1", false},
        {"10.0.0.1", "  198.51.100.1:4711\t", "198.51.100.1", false},
        {"2001:db8::7", "2001:db8:5::1, [2001:db8::8]:1234", "2001:db8:5::1", false},
    };
    struct address_list *trusted;

    assert_int_equal(address_list_parse("10.0.0.0/8,2001:db8::/64", &trusted, NULL), ST_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address hop = read_address(rows[i].peer), client = read_address(rows[i].client);
        /* Without a NUL at the end. The bytes around it must not be read. */
        size_t len = strlen(rows[i].forwarded);
        char *header = malloc(len + 1);
        memcpy(header + 1, rows[i].forwarded, len);
        bool goes_on = address_walk_back(trusted, header + 1, len, &hop);
        CHECK_ROW(memcmp(&hop, &client, sizeof(hop)) == 0, "%s from %s", rows[i].forwarded, rows[i].peer);
        CHECK_ROW(goes_on == rows[i].goes_on, "%s from %s", rows[i].forwarded, rows[i].peer);
        free(header);
    }
    address_list_free(trusted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(other_texts_are_none),
        cmocka_unit_test(a_socket_says_who_it_is),
        cmocka_unit_test(a_customer_has_a_network),
        cmocka_unit_test(a_delegation_has_many_networks),
        cmocka_unit_test(networks_have_their_addresses),
        cmocka_unit_test(other_networks_are_refused),
        cmocka_unit_test(the_walk_stops_at_the_first_stranger),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
