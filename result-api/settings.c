/* settings - the table of result-api's environment variables.
 * SPDX-License-Identifier: MIT */
#include "settings.h"

#include "http/http.h"
#include "http/http_settings.h"

struct settings settings;

#define AT(field) offsetof(struct settings, field)

const struct config_entry settings_table[] = {
    {"NATS_URL", CONFIG_TEXT, AT(nats_url), "nats://127.0.0.1:4222", 0, 0,
     "Addresses of the broker, comma separated, with user and password where it wants them."},
    {"DATABASE_URL", CONFIG_SECRET, AT(database_url), "", 0, 0,
     "Connection string or URI of the database. Empty: the PG* variables say it. Role scrutin_result is enough."},
    {"PORT", CONFIG_NUMBER, AT(port), "8082", 1, 65535, "TCP port to listen on."},
    {"BIND_ADDRESS", CONFIG_TEXT, AT(bind_address), "127.0.0.1", 0, 0,
     "Address to listen on; public traffic comes through the pages' nginx."},
    {"TLS_CERT_FILE", CONFIG_TEXT, AT(tls_cert_file), "", 0, 0,
     "Certificate chain (PEM). Set: TLS 1.2 or 1.3 with ALPN h2. Empty: HTTP/1.1 and h2c."},
    {"TLS_KEY_FILE", CONFIG_TEXT, AT(tls_key_file), "", 0, 0, "Private key (PEM) of the certificate."},
    {"LOG_LEVEL", CONFIG_LEVEL, AT(log_level), "info", 0, 0, "debug, info, warn or error."},
    {"SECRET_KEYS", CONFIG_SECRET, AT(secret_keys), NULL, 0, 0,
     "Instance keys, `id:64 hex digits`, comma separated; the first signs, all verify. The same for vote-api and "
     "result-api."},
    {"HTTP_LOOPS", CONFIG_NUMBER, AT(http_loops), "1", 1, HTTP_LOOPS_MAX,
     "Event loops, each a thread. One serves tens of thousands of subscribers."},
    {"MAX_CONNECTIONS", CONFIG_NUMBER, AT(max_connections), "12000", 1, 1000000,
     "Open connections; one more is closed at once. Memory: about 10 KiB each."},
    {"MAX_CONNECTIONS_PER_ADDRESS", CONFIG_NUMBER, AT(max_per_address), "6000", 0, 1000000,
     "Open connections of one IPv4 address or IPv6 /64; one more is closed at once. Half of all: room for a hall "
     "behind one address, and for others. TRUSTED_PROXIES have none. 0: no limit."},
    HTTP_GUARD_SETTINGS,
    {"MAX_SUBSCRIBERS", CONFIG_NUMBER, AT(max_subscribers), "10000", 1, 1000000,
     "Open event streams; one more is answered 503. Memory: about 10 KiB each, with its connection."},
    {"MAX_SUBSCRIBERS_PER_ADDRESS", CONFIG_NUMBER, AT(max_subscribers_per_address), "5000", 0, 1000000,
     "Open event streams of one IPv4 address or IPv6 /64, behind TRUSTED_PROXIES too; one more is answered 429. Half "
     "of "
     "all: room for a hall behind one address, and for others. 0: no limit."},
    {"MAX_WAITING", CONFIG_NUMBER, AT(max_waiting), "5000", 1, 1000000,
     "Requests on a loop that wait for the database, and receipts that wait for it in all; one more is answered 503. "
     "One address has three quarters of them: a hall of 3,000."},
    {"MAX_EXPORTS", CONFIG_NUMBER, AT(max_exports), "8", 1, 1000,
     "Files of ballots on their way at once, half of them to one address; one more is answered 503. Memory: about 200 "
     "KiB each."},
    {"EXPORT_PATIENCE_MS", CONFIG_NUMBER, AT(export_patience_ms), "5000", 100, 600000,
     "When all MAX_EXPORTS are taken and somebody waits, a client who has not read for so long what was sent loses its "
     "place. 128 KiB are sent at once, so a phone at 210 kbit/s keeps it."},
    {"REFRESH_MS", CONFIG_NUMBER, AT(refresh_ms), "100", 10, 10000,
     "The database is asked at most once in so many milliseconds, and subscribers are sent at most one event."},
    {"LOOK_MS", CONFIG_NUMBER, AT(look_ms), "5000", 100, 600000,
     "All polls that somebody looks at are read again after so many milliseconds, should a doorbell have been lost."},
    {"WAIT_MS", CONFIG_NUMBER, AT(wait_ms), "2000", 100, 60000,
     "How long a request waits for a poll's results to be read the first time, before it is answered 503."},
    {"HEARTBEAT_MS", CONFIG_NUMBER, AT(heartbeat_ms), "15000", 1000, 600000,
     "A subscriber who was sent nothing for so long is sent a comment: proxies cut what is silent for a minute."},
    {"DEADLINE_MS", CONFIG_NUMBER, AT(deadline_ms), "30000", 1000, 600000,
     "A client of a stream or of a file of ballots who has not read for so long what was sent is dropped."},
    {"RETRY_MS", CONFIG_NUMBER, AT(retry_ms), "2000", 100, 60000,
     "How long a subscriber whose stream ended should wait before it comes back."},
    {"BACKLOG_MESSAGES", CONFIG_NUMBER, AT(backlog_messages), "1000000", 1000, 100000000,
     "Messages of the stream that may wait for the workers and still be counted as pending; with more the number is "
     "not known. Memory: 32 bytes each."},
    {"DRAIN_MS", CONFIG_NUMBER, AT(drain_ms), "3000", 0, 60000,
     "After SIGTERM: how long requests in flight may take before connections are cut."},
    HTTP_CLIENT_SETTINGS,
    {"LIMIT_READS", CONFIG_TEXT, AT(limit_reads), "30000/10", 0, 0,
     "Requests for results and receipts of one address, `requests/seconds`: so many at once, and as many again in that "
     "time. A hall of 3,000 that asks every second. `off`: no limit."},
};
const size_t settings_table_len = sizeof(settings_table) / sizeof(settings_table[0]);
