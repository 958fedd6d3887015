/* settings - the table of vote-api's environment variables and limits.
 * SPDX-License-Identifier: MIT */
#include "settings.h"

#include "ballot/ordinal.h"
#include "ballot/poll_definition.h"
#include "ballots/ballots.h"
#include "ballots/group.h"
#include "codes/code_voter.h"
#include "jobs.h"
#include "polls/polls.h"
#include "request_limits.h"

struct settings settings;

#define AT(field) offsetof(struct settings, field)

const struct config_entry settings_table[] = {
    CONFIG_SECTION("Other parts and secrets"),
    CONFIG_NATS_URL,
    HTTP_SECRET_KEYS,
    {"API_KEYS", CONFIG_SECRET, AT(api_keys), "", 0, 0,
     "Keys of gateways as `name:SHA-256 of the key in hex`, separated by commas. Without any, bulk ballots are off."},

    HTTP_LISTEN_SETTINGS("8081"),

    CONFIG_SECTION("Polls"),
    {"CREATE_NEEDS_API_KEY", CONFIG_FLAG, AT(create_needs_key), "false", 0, 0,
     "Whether a client needs an API key to create a poll."},
    {"DEFAULT_POLL", CONFIG_TEXT, AT(default_poll), "demo", 0, 0,
     "Id of the poll in which the classic `POST /` votes. If it does not exist, vote-api creates it at start. Empty: "
     "none."},
    {"OPTION_A", CONFIG_TEXT, AT(option_a), "Cats", 0, 0, "Label of option `a` of the default poll."},
    {"OPTION_B", CONFIG_TEXT, AT(option_b), "Dogs", 0, 0, "Label of option `b` of the default poll."},

    CONFIG_SECTION("Operation"),
    CONFIG_LOG_LEVEL("info"),
    {"HTTP_LOOPS", CONFIG_NUMBER, AT(http.loops), "2", 1, HTTP_LOOPS_MAX,
     "Event loops; each is a thread. Two loops accept ballots faster than one PostgreSQL can store them."},
    {"ACK_TIMEOUT_MS", CONFIG_NUMBER, AT(ack_timeout_ms), "1500", 100, 60000,
     "Time in milliseconds that a ballot may wait for the broker's acknowledgement. Together with the write deadline "
     "of 500 ms, a voter waits at most two seconds for an answer."},
    {"BATCHES_IN_FLIGHT", CONFIG_NUMBER, AT(batches_in_flight), "4", 1, 64,
     "Batches that each loop may have at the broker at the same time. While they are there, new ballots gather. A "
     "higher number means smaller batches and more fsyncs."},
    {"BATCH_BALLOTS", CONFIG_NUMBER, AT(batch_ballots), "4000", 1, ORDINAL_INDEX_MAX + 1,
     "Ballots in one batch. A larger bulk request still is one batch. A batch is one message and stays far below the "
     "broker's limit of 1 MB."},
    HTTP_DRAIN_MS("5000"),

    CONFIG_SECTION("Limits for each client"),
    HTTP_RATE_LIMITS,
    {"LIMIT_BALLOTS", CONFIG_TEXT, AT(limit_ballots), "10000/10", 0, 0,
     "Ballots from one address by new voters, who have no cookie, token or voting code yet. A hall of 3,000 people "
     "behind one address can vote three times over without waiting."},
    {"LIMIT_CLASSIC", CONFIG_TEXT, AT(limit_classic), "10000/10", 0, 0,
     "Ballots from one address through the classic `POST /`. They are counted separately: a script that posts forms is "
     "the cheapest attack, and it must not use up the quota of the page's voters."},
    {"LIMIT_VOTER_BALLOTS", CONFIG_TEXT, AT(limit_voter_ballots), "60/300", 0, 0,
     "Ballots of one known voter in all polls together. People change their mind a few times; scripts do not stop. "
     "`off` also turns LIMIT_REVISIONS off."},
    CONFIG_LIMIT(
        LIMIT_OWN_BALLOTS,
        "Ballots that a known voter can always cast at once, even when others have used up the quota of the address."),
    {"LIMIT_REVISIONS", CONFIG_TEXT, AT(limit_revisions), "10000/10", 0, 0,
     "Ballots from one address by known voters, beyond the ten that each of them always has. It limits a client that "
     "has collected many tokens."},
    {"LIMIT_VOTER_TOKENS", CONFIG_TEXT, AT(limit_voter_tokens), "10000/10", 0, 0,
     "Voter tokens that one address may obtain: one for each new voter."},
    {"LIMIT_POLLS", CONFIG_TEXT, AT(limit_polls), "100/1000", 0, 0,
     "Polls that one address may create without an API key: enough for a school in an afternoon. At this rate it takes "
     "more than ten hours to reach POLLS_MAX."},
    {"LIMIT_CODES", CONFIG_TEXT, AT(limit_codes), "10000/5000", 0, 0,
     "Voting codes that one address may create without an API key: enough for two polls with 5,000 codes each. Each "
     "code counts, not each request."},
    {"LIMIT_CHANGES", CONFIG_TEXT, AT(limit_changes), "300/300", 0, 0,
     "Requests from one address to change a poll, with a right or a wrong token. Each change is a write to the "
     "broker."},
    HTTP_LIMIT_READS,
    {"LIMIT_WRONG_CODES", CONFIG_TEXT, AT(limit_wrong_codes), "300/60", 0, 0,
     "Wrong voting codes from one address. In a hall of 3,000 people, one in ten mistypes. Right codes are still "
     "accepted."},
    CONFIG_LIMIT(CODE_VOTER_DELAY_MS,
                 "Time in milliseconds before a wrong voting code is answered, which makes guessing slow. At most a "
                 "quarter of MAX_IN_FLIGHT requests may wait like this; further ones are answered 429."),
    HTTP_NETWORK_QUOTA,
    CONFIG_LIMIT(LIMIT_LASTING_NETWORK,
                 "The same multiple for polls and voting codes. It is lower, because polls and codes stay stored."),

    HTTP_CONNECTION_LIMITS("10000", "5000"),

    CONFIG_SECTION("Limits of work in progress"),
    {"MAX_IN_FLIGHT", CONFIG_NUMBER, AT(max_in_flight), "4000", 1, 1000000,
     "Requests that wait for an acknowledgement. Further requests are answered 503. Memory: about 8 KiB each."},
    CONFIG_LIMIT(GROUP_BATCHES_MAX, "Full batches of bulk ballots that may wait on one loop. Above it, bulk requests "
                                    "are answered 503. Memory: about 100 bytes for each ballot."),
    CONFIG_LIMIT(JOBS_MAX, "Changes of polls that may wait for the broker. Above it, the broker is not answering: the "
                           "request is answered 503, and the change is not made."),

    CONFIG_SECTION("Limits of polls and ballots"),
    {"POLLS_MAX", CONFIG_NUMBER, AT(polls_max), "10000", 1, 1000000,
     "Polls of the instance. A quarter of them can only be created with an API key. A deleted poll counts until "
     "nothing depends on it any more. Memory: about 2 KiB each, in every service."},
    {"CODES_MAX", CONFIG_NUMBER, AT(codes_max), "1000000", 0, 100000000,
     "Voting codes of all polls together. A quarter of them is kept for polls that were created with an API key. "
     "Memory: about 60 bytes each."},
    CONFIG_LIMIT(POLL_CODES_MAX, "Voting codes of one poll: enough for a stadium."),
    {"CODES_WITHOUT_KEY", CONFIG_NUMBER, AT(codes_without_key), "5000", 0, POLL_CODES_MAX,
     "Voting codes of one poll that was created without an API key: enough for a hall of 3,000 people."},
    CONFIG_LIMIT(POLL_ID_MAX, "Bytes of the id of a poll or an option: people type it."),
    CONFIG_LIMIT(POLL_TITLE_MAX, "Characters of a title: people in the last row can still read it."),
    CONFIG_LIMIT(POLL_TEXT_MAX, "Characters of a description: about one page."),
    CONFIG_LIMIT(POLL_OPTIONS_MAX, "Options of one poll. There are at least 2; people cannot read a longer ballot."),
    CONFIG_LIMIT(POLL_RANKED_MAX, "Options of one `ranked` poll. A ranking is one key of a database index, and the "
                                  "rounds of the count are part of every result."),
    CONFIG_LIMIT(POLL_LABEL_MAX, "Characters of an option's label: a line or two on a phone."),
    CONFIG_LIMIT(POLL_BODY_MAX, "Bytes of a request with a poll: 100 options of 200 characters fit in every alphabet."),
    CONFIG_LIMIT(BALLOT_BODY_MAX, "Bytes of a request with a ballot: a score for each of 100 options fits."),
    {"BULK_BALLOTS", CONFIG_NUMBER, AT(bulk_ballots), "1000", 1, ORDINAL_INDEX_MAX + 1,
     "Ballots in one bulk request: about what a gateway collects in a second."},
    CONFIG_LIMIT(BULK_BODY_MAX,
                 "Bytes of a bulk request. Up to this size, both versions of HTTP can still answer 413."),
    CONFIG_LIMIT(BULK_VOTER_MAX, "Characters of a voter's name in a bulk request: an e-mail address fits."),
};
const size_t settings_table_len = sizeof(settings_table) / sizeof(settings_table[0]);
