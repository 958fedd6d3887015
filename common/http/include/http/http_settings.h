/* http_settings - the rows that the settings of both HTTP services share; AT(field) is the offset in the service's own
 * struct of settings.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_SETTINGS_H
#define SCRUTIN_HTTP_SETTINGS_H

#include "base/config_rows.h"
#include "http/http.h"
#include "http/http_limit.h"

/* Limits that cannot be set. The sentences below give the reasons. */
#define HTTP_REQUEST_TIMEOUT_MS 10000
#define HTTP_IDLE_TIMEOUT_MS 60000
#define HTTP_SILENT_MS 30000
#define HTTP_SWEEP_MS 500

/* What the rows below fill. A service has it in its own struct of settings, as `http`. */
struct http_settings {
    int64_t port;
    char *bind_address;
    char *tls_cert_file, *tls_key_file; /* "" or NULL: plain HTTP/1.1 and h2c */
    char *trusted_proxies;
    bool rate_limits;
    int64_t loops, drain_ms;
    int64_t max_connections, max_per_address;
    int64_t connection_age_s, request_age_ms;
    int64_t max_resets, max_frames, max_held_bytes;
};

/* The options of http_open that come from settings; the caller adds its own. */
static inline struct http_options http_options_of(const struct http_settings *settings)
{
    return (struct http_options){.bind_address = settings->bind_address,
                                 .port = (int)settings->port,
                                 .loops = (int)settings->loops,
                                 .tls_cert_file = settings->tls_cert_file,
                                 .tls_key_file = settings->tls_key_file,
                                 .max_connections = (int)settings->max_connections,
                                 .max_per_address = (int)settings->max_per_address,
                                 .connection_age_s = settings->connection_age_s,
                                 .request_age_ms = settings->request_age_ms,
                                 .max_resets = (unsigned)settings->max_resets,
                                 .max_frames = (unsigned)settings->max_frames,
                                 .max_held_bytes = settings->max_held_bytes};
}

/* A row of the table stays a row. */
/* clang-format off */

#define HTTP_LISTEN_SETTINGS(port_number) \
    CONFIG_SECTION("Listening"), \
    {"PORT", CONFIG_NUMBER, AT(http.port), port_number, 1, 65535, "TCP port of the HTTP interface."}, \
    {"BIND_ADDRESS", CONFIG_TEXT, AT(http.bind_address), "127.0.0.1", 0, 0, \
     "IP address to listen on. Public traffic arrives through the nginx of the pages."}, \
    {"TLS_CERT_FILE", CONFIG_TEXT, AT(http.tls_cert_file), "", 0, 0, \
     "Certificate chain (PEM). With it, the service speaks TLS 1.2 or 1.3 with ALPN h2; without it, HTTP/1.1 and h2c."}, \
    {"TLS_KEY_FILE", CONFIG_TEXT, AT(http.tls_key_file), "", 0, 0, "Private key (PEM) of the certificate."}, \
    {"TRUSTED_PROXIES", CONFIG_TEXT, AT(http.trusted_proxies), "127.0.0.0/8,::1", 0, 0, \
     "Addresses and networks of proxies. The service believes their X-Forwarded-For header and counts the request for " \
     "the client that it names. The default is nginx on the same machine. `none`: no proxy is believed."}

#define HTTP_SECRET_KEYS \
    {"SECRET_KEYS", CONFIG_SECRET, AT(secret_keys), NULL, 0, 0, \
     "Keys of the instance as `id:64 hex digits`, separated by commas. The first key signs; every key verifies. vote-api " \
     "and result-api need the same keys."}

#define HTTP_RATE_LIMITS \
    {"RATE_LIMITS", CONFIG_FLAG, AT(http.rate_limits), "on", 0, 0, \
     "Whether the service limits the number of requests of each client. Turn it off for load tests, or if a proxy in front " \
     "limits requests. A limit of `10000/10` allows 10,000 at once, and then 10,000 in every 10 s; `off` means no limit."}

#define HTTP_LIMIT_READS \
    {"LIMIT_READS", CONFIG_TEXT, AT(limit_reads), "30000/10", 0, 0, \
     "Read requests from one address: a hall of 3,000 people whose phones each ask once a second."}

#define HTTP_NETWORK_QUOTA \
    CONFIG_LIMIT(HTTP_LIMIT_NETWORK, \
     "Quota of a network (IPv4 /24, IPv6 /48) as a multiple of an address's quota. An IPv6 customer often has 65,536 /64s, " \
     "and each counts as an address; a campus has a few halls.")

#define HTTP_DRAIN_MS(fallback) \
    {"DRAIN_MS", CONFIG_NUMBER, AT(http.drain_ms), fallback, 0, 60000, \
     "Time in milliseconds after SIGTERM in which requests in progress may finish before their connections are cut."}

/* What one connection may cost; see common/http/http_guard.c. */
#define HTTP_CONNECTION_LIMITS(all, of_address) \
    CONFIG_SECTION("Limits of connections"), \
    {"MAX_CONNECTIONS", CONFIG_NUMBER, AT(http.max_connections), all, 1, 1000000, \
     "Open connections. The service closes each further connection at once. Memory: about 10 KiB each."}, \
    {"MAX_CONNECTIONS_PER_ADDRESS", CONFIG_NUMBER, AT(http.max_per_address), of_address, 0, 1000000, \
     "Open connections from one IPv4 address or IPv6 /64. The service closes each further connection at once. The default is " \
     "half of MAX_CONNECTIONS: enough for a hall behind one address, and the rest stays free for others. TRUSTED_PROXIES " \
     "have no such limit, because they carry everybody. 0: no limit."}, \
    CONFIG_LIMIT(HTTP_NETWORK_PERCENT, \
     "Open connections and event streams from one network (IPv4 /24, IPv6 /48), in percent of what one address may have. " \
     "With the defaults a quarter of all places remains for others."), \
    {"CONNECTION_AGE_S", CONFIG_NUMBER, AT(http.connection_age_s), "3600", 0, 1000000, \
     "Age in seconds after which the service closes a connection as soon as it has been idle for 10 s. Connections with " \
     "an event stream are exempt. 0: never."}, \
    CONFIG_LIMIT(HTTP_IDLE_TIMEOUT_MS, \
     "Time in milliseconds that a connection without a request stays open: enough to vote and to change one's mind once."), \
    CONFIG_LIMIT(HTTP_REQUEST_TIMEOUT_MS, \
     "Time in milliseconds from the first to the last byte of a request: enough for a phone on a bad network."), \
    {"REQUEST_AGE_MS", CONFIG_NUMBER, AT(http.request_age_ms), "60000", 1000, 3600000, \
     "Time in milliseconds from the first byte of a request until the client has read the response. Then the service " \
     "cuts the connection. A phone on a bad network needs seconds."}, \
    CONFIG_LIMIT(HTTP_SILENT_MS, \
     "Time in milliseconds that a client's system may acknowledge nothing before the connection counts as lost. A phone " \
     "that changes networks is back sooner."), \
    CONFIG_LIMIT(HTTP_SWEEP_MS, \
     "Time in milliseconds between two checks whether a client has left. The second check closes the connection, so that a " \
     "client which closes only its own side still gets its response."), \
    {"MAX_RESETS", CONFIG_NUMBER, AT(http.max_resets), "200", 1, 1000000, \
     "Requests in progress that one connection may reset within 10 s before the service cuts it. A browser that leaves a " \
     "page resets at most 100."}, \
    {"MAX_FRAMES", CONFIG_NUMBER, AT(http.max_frames), "10000", 10, 100000000, \
     "HTTP/2 frames that one connection may send within 10 s, not counting four for each request and large DATA frames. " \
     "Above it, the service cuts the connection. An event stream needs at most 20 a second."}, \
    {"MAX_HELD_BYTES", CONFIG_NUMBER, AT(http.max_held_bytes), "268435456", 1048576, 1099511627776, \
     "Bytes that all requests in progress may hold, estimated. Above it, the service cuts connections that hold more than " \
     "64 KiB."}

/* clang-format on */

#endif
