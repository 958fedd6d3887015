/* settings - the table of vote-api's environment variables.
 * SPDX-License-Identifier: MIT */
#include "settings.h"

#include "ballot/ordinal.h"
#include "ballot/poll_definition.h"
#include "http/http_settings.h"

struct settings settings;

#define AT(field) offsetof(struct settings, field)

const struct config_entry settings_table[] = {
    {"NATS_URL", CONFIG_TEXT, AT(nats_url), "nats://127.0.0.1:4222", 0, 0,
     "Addresses of the broker, comma separated, with user and password where it wants them."},
    {"PORT", CONFIG_NUMBER, AT(port), "8081", 1, 65535, "TCP port to listen on."},
    {"BIND_ADDRESS", CONFIG_TEXT, AT(bind_address), "127.0.0.1", 0, 0,
     "Address to listen on; public traffic comes through the pages' nginx."},
    {"TLS_CERT_FILE", CONFIG_TEXT, AT(tls_cert_file), "", 0, 0,
     "Certificate chain (PEM). Set: TLS 1.2 or 1.3 with ALPN h2. Empty: HTTP/1.1 and h2c."},
    {"TLS_KEY_FILE", CONFIG_TEXT, AT(tls_key_file), "", 0, 0, "Private key (PEM) of the certificate."},
    {"LOG_LEVEL", CONFIG_LEVEL, AT(log_level), "info", 0, 0, "debug, info, warn or error."},
    {"SECRET_KEYS", CONFIG_SECRET, AT(secret_keys), NULL, 0, 0,
     "Instance keys, `id:64 hex digits`, comma separated; the first signs, all verify. The same for vote-api and "
     "result-api."},
    {"API_KEYS", CONFIG_SECRET, AT(api_keys), "", 0, 0,
     "Keys of gateways, `name:SHA-256 of the key in hex`, comma separated. Empty: no bulk ballots."},
    {"CREATE_NEEDS_API_KEY", CONFIG_FLAG, AT(create_needs_key), "false", 0, 0,
     "Whether only the holder of an API key may create polls."},
    {"DEFAULT_POLL", CONFIG_TEXT, AT(default_poll), "demo", 0, 0,
     "Id of the poll that the classic `POST /` votes in; made at start when it is missing. Empty: none."},
    {"OPTION_A", CONFIG_TEXT, AT(option_a), "Cats", 0, 0, "Label of option `a` of the default poll."},
    {"OPTION_B", CONFIG_TEXT, AT(option_b), "Dogs", 0, 0, "Label of option `b` of the default poll."},
    {"HTTP_LOOPS", CONFIG_NUMBER, AT(http_loops), "2", 1, 64,
     "Event loops, each a thread. Two answer more ballots than one database writes."},
    {"MAX_CONNECTIONS", CONFIG_NUMBER, AT(max_connections), "10000", 1, 1000000,
     "Open connections; one more is closed at once. Memory: about 10 KiB each."},
    {"MAX_CONNECTIONS_PER_ADDRESS", CONFIG_NUMBER, AT(max_per_address), "5000", 0, 1000000,
     "Open connections of one IPv4 address or IPv6 /64; one more is closed at once. Half of all: room for a hall "
     "behind one address, and for others. TRUSTED_PROXIES have none. 0: no limit."},
    HTTP_GUARD_SETTINGS,
    {"MAX_IN_FLIGHT", CONFIG_NUMBER, AT(max_in_flight), "4000", 1, 1000000,
     "Requests that wait for an acknowledgement; one more is answered 503. Memory: about 8 KiB each."},
    {"ACK_TIMEOUT_MS", CONFIG_NUMBER, AT(ack_timeout_ms), "1500", 100, 60000,
     "How long a ballot may wait for the broker's acknowledgement. With the write deadline of 500 ms no voter waits "
     "longer than two seconds for an answer."},
    {"BATCHES_IN_FLIGHT", CONFIG_NUMBER, AT(batches_in_flight), "4", 1, 64,
     "Batches that each loop has with the broker at once; ballots gather meanwhile. More: smaller batches and more "
     "fsyncs."},
    {"BATCH_BALLOTS", CONFIG_NUMBER, AT(batch_ballots), "4000", 1, ORDINAL_INDEX_MAX + 1,
     "Ballots in a batch, at most; a bulk request with more is one batch all the same. A batch is one message and "
     "stays "
     "far below the broker's 1 MB."},
    {"BULK_BALLOTS", CONFIG_NUMBER, AT(bulk_ballots), "1000", 1, ORDINAL_INDEX_MAX + 1,
     "Ballots in a bulk request, at most."},
    {"POLLS_MAX", CONFIG_NUMBER, AT(polls_max), "10000", 1, 1000000,
     "Polls that may be created; a quarter of them only with an API key. Deleted ones count until nothing depends on "
     "them any more. Memory: about 2 KiB each, in every service."},
    {"CODES_MAX", CONFIG_NUMBER, AT(codes_max), "1000000", 0, 100000000,
     "Voting codes of all polls that may be issued, a quarter of them only for polls made with an API key; a poll has "
     "at most 100,000. Memory: about 60 bytes each."},
    {"CODES_WITHOUT_KEY", CONFIG_NUMBER, AT(codes_without_key), "5000", 0, POLL_CODES_MAX,
     "Voting codes of a poll that was made without an API key, at most: a hall of 3,000 with some to spare."},
    {"DRAIN_MS", CONFIG_NUMBER, AT(drain_ms), "5000", 0, 60000,
     "After SIGTERM: how long requests in flight may take before connections are cut."},
    HTTP_CLIENT_SETTINGS,
    {"LIMIT_BALLOTS", CONFIG_TEXT, AT(limit_ballots), "10000/10", 0, 0,
     "Ballots of new voters (no cookie, token or voting code yet) of one address, IPv6 by /64, `requests/seconds`: so "
     "many at once, and as many again in that time. A hall of 3,000 behind one address votes three times over without "
     "waiting. `off`: no limit."},
    {"LIMIT_CLASSIC", CONFIG_TEXT, AT(limit_classic), "10000/10", 0, 0,
     "The same for the classic `POST /`, apart from it: a script that posts forms takes nothing from the page's "
     "voters. "
     "`off`: no limit."},
    {"LIMIT_VOTER_BALLOTS", CONFIG_TEXT, AT(limit_voter_ballots), "60/300", 0, 0,
     "Ballots of one known voter in all polls: nobody changes their mind every five seconds for long. `off`: no limit, "
     "and none of LIMIT_REVISIONS."},
    {"LIMIT_REVISIONS", CONFIG_TEXT, AT(limit_revisions), "10000/10", 0, 0,
     "Ballots of known voters of one address beyond the ten that each has for himself: bounds what one address costs "
     "that has gathered tokens. `off`: no limit."},
    {"LIMIT_VOTER_TOKENS", CONFIG_TEXT, AT(limit_voter_tokens), "10000/10", 0, 0,
     "Voters' tokens that one address gets: as many as new voters may cast ballots. `off`: no limit."},
    {"LIMIT_POLLS", CONFIG_TEXT, AT(limit_polls), "100/1000", 0, 0,
     "Polls that one address makes without an API key, and twice as many its network: a school in an afternoon, and it "
     "takes more than ten hours to fill what POLLS_MAX has for all. `off`: no limit."},
    {"LIMIT_CODES", CONFIG_TEXT, AT(limit_codes), "10000/5000", 0, 0,
     "Voting codes that one address makes for polls without an API key, codes and not requests, and twice as many its "
     "network: two halls of 5,000 at once. `off`: no limit."},
    {"LIMIT_CHANGES", CONFIG_TEXT, AT(limit_changes), "300/300", 0, 0,
     "Changes of polls, right or wrong token, from one address: each is a write to the broker. `off`: no limit."},
    {"LIMIT_READS", CONFIG_TEXT, AT(limit_reads), "30000/10", 0, 0,
     "Requests for polls of one address, `requests/seconds`: so many at once, and as many again in that time. A hall "
     "of 3,000 that asks every second. `off`: no limit."},
    {"LIMIT_WRONG_CODES", CONFIG_TEXT, AT(limit_wrong_codes), "300/60", 0, 0,
     "Wrong voting codes of one address: one in ten in a hall of 3,000 mistypes. Right ones are taken all the same. "
     "`off`: no limit."},
};
const size_t settings_table_len = sizeof(settings_table) / sizeof(settings_table[0]);
