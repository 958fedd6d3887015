/* settings - the table of result-api's environment variables and limits.
 * SPDX-License-Identifier: MIT */
#include "settings.h"

#include "export/timelines.h"

struct settings settings;

#define AT(field) offsetof(struct settings, field)

const struct config_entry settings_table[] = {
    CONFIG_SECTION("Other parts and secrets"),
    CONFIG_NATS_URL,
    CONFIG_DATABASE_URL,
    HTTP_SECRET_KEYS,

    HTTP_LISTEN_SETTINGS("8082"),

    CONFIG_SECTION("Operation"),
    CONFIG_LOG_LEVEL("info"),
    {"HTTP_LOOPS", CONFIG_NUMBER, AT(http.loops), "1", 1, HTTP_LOOPS_MAX,
     "Event loops; each is a thread. One loop serves tens of thousands of subscribers."},
    {"REFRESH_MS", CONFIG_NUMBER, AT(refresh_ms), "100", 10, 10000,
     "Shortest time in milliseconds between two reads of the database, and between two events to a subscriber."},
    {"LOOK_MS", CONFIG_NUMBER, AT(look_ms), "5000", 100, 600000,
     "Time in milliseconds after which every poll that has an audience is read again, in case a doorbell was lost."},
    {"WAIT_MS", CONFIG_NUMBER, AT(wait_ms), "2000", 100, 60000,
     "Time in milliseconds that a request waits for the first results of a poll before it is answered 503."},
    {"HEARTBEAT_MS", CONFIG_NUMBER, AT(heartbeat_ms), "15000", 1000, 600000,
     "Time in milliseconds after which a subscriber that was sent nothing is sent a comment. Proxies cut connections "
     "that are silent for a minute."},
    {"RETRY_MS", CONFIG_NUMBER, AT(retry_ms), "2000", 100, 60000,
     "Time in milliseconds that a subscriber should wait before it reconnects after its stream ended."},
    HTTP_DRAIN_MS("3000"),

    CONFIG_SECTION("Limits for each client"),
    HTTP_RATE_LIMITS,
    HTTP_LIMIT_READS,
    HTTP_NETWORK_QUOTA,

    HTTP_CONNECTION_LIMITS("12000", "6000"),
    {"MAX_SUBSCRIBERS", CONFIG_NUMBER, AT(max_subscribers), "10000", 1, 1000000,
     "Open event streams. Further ones are answered 503. Memory: about 10 KiB each, with the connection."},
    {"MAX_SUBSCRIBERS_PER_ADDRESS", CONFIG_NUMBER, AT(max_subscribers_per_address), "5000", 0, 1000000,
     "Open event streams of one IPv4 address or IPv6 /64, also behind TRUSTED_PROXIES. Further ones are answered 429. "
     "The default is half of MAX_SUBSCRIBERS. 0: no limit."},
    {"DEADLINE_MS", CONFIG_NUMBER, AT(deadline_ms), "30000", 1000, 600000,
     "Time in milliseconds that a client of an event stream or a download may leave sent data unread before it is "
     "dropped."},

    CONFIG_SECTION("Limits of work in progress"),
    {"MAX_WAITING", CONFIG_NUMBER, AT(max_waiting), "5000", 1, 1000000,
     "Requests on one loop, and receipts on all loops together, that may wait for the database. Further ones are "
     "answered 503. One address may have three quarters of them: a hall of 3,000 people."},
    CONFIG_LIMIT(
        TIMELINES_WAITING_MAX,
        "Requests for a timeline that may wait. Clients are served in turn; further requests are answered 503."),
    CONFIG_LIMIT(TIMELINES_WAITING_OF_ONE,
                 "Requests for a timeline from one address that may wait: three quarters of TIMELINES_WAITING_MAX."),
    CONFIG_LIMIT(TIMELINES_BUCKETS_READ, "Buckets that are read of one timeline: 27 hours in steps of 5 s. Memory: "
                                         "half a megabyte for each of the 64 timelines that are kept."),
    {"MAX_EXPORTS", CONFIG_NUMBER, AT(max_exports), "8", 1, 1000,
     "Files of ballots that may be downloaded at the same time: at most half of them by one address, and one of each "
     "poll by one address. Further ones are answered 503. Memory: about 200 KiB each; PostgreSQL keeps each open until "
     "the client has it."},
    {"EXPORT_PATIENCE_MS", CONFIG_NUMBER, AT(export_patience_ms), "5000", 100, 600000,
     "Time in milliseconds that a download may stand still while others wait for one of the MAX_EXPORTS places; then "
     "it loses its place. Data leaves 128 KiB at a time, so a phone at 210 kbit/s keeps its place."},
    {"BACKLOG_MESSAGES", CONFIG_NUMBER, AT(backlog_messages), "1000000", 1000, 100000000,
     "Messages in the stream up to which result-api counts the ballots that are still pending. Above it, the number is "
     "unknown. Memory: 32 bytes each."},
};
const size_t settings_table_len = sizeof(settings_table) / sizeof(settings_table[0]);
