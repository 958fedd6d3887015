/* bus_bucket - the key-value buckets.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

#define WATCH_TURN_MS 250
#define HEARTBEAT_MS 1500 /* of the consumer of a watch */
#define SILENCE_MS 5000   /* after it the consumer counts as gone */
#define SUBJECT_MAX 96    /* bytes */

/* Voting codes take megabytes and each key is written once, so they have no history and are read less often. */
const struct bus_bucket_plan bus_bucket_plans[BUS_BUCKETS] = {
    [BUS_BUCKET_POLLS] = {"polls", "KV_polls", "$KV.polls.", "Polls, one protobuf Poll a key", 8, 60000},
    [BUS_BUCKET_CODES] = {"codes", "KV_codes", "$KV.codes.", "Keyed hashes of voting codes, by poll", 1, 600000},
};

static natsStatus open_bucket(struct bus *bus, enum bus_bucket bucket, kvStore **out)
{
    natsStatus s = NATS_OK;

    pthread_mutex_lock(&bus->lock);
    if (bus->kv[bucket] == NULL)
        s = js_KeyValue(&bus->kv[bucket], bus->js, bus_bucket_plans[bucket].name);
    *out = bus->kv[bucket];
    pthread_mutex_unlock(&bus->lock);
    return s;
}

enum status bus_bucket_get(struct bus *bus, enum bus_bucket bucket, const char *key, struct bus_value *out,
                           struct errmsg *err)
{
    kvStore *kv = NULL;
    kvEntry *entry = NULL;
    natsStatus s = open_bucket(bus, bucket, &kv);

    *out = (struct bus_value){{NULL, 0}, 0};
    if (s == NATS_OK)
        s = kvStore_Get(&entry, kv, key);
    if (s == NATS_OK) {
        out->revision = kvEntry_Revision(entry);
        out->bytes.len = (size_t)kvEntry_ValueLen(entry);
        out->bytes.data = alloc_bytes(out->bytes.len);
        memcpy(out->bytes.data, kvEntry_Value(entry), out->bytes.len);
    }
    kvEntry_Destroy(entry);
    return bus_error(s, 0, key, err);
}

/* Not kvStore_Update, which keeps the number of the server's error to itself. */
enum status bus_bucket_put(struct bus *bus, enum bus_bucket bucket, const char *key, const void *data, size_t len,
                           uint64_t revision, struct errmsg *err)
{
    char subject[SUBJECT_MAX], number[24];
    const char *const headers[] = {"Nats-Expected-Last-Subject-Sequence", number, NULL};

    snprintf(subject, sizeof(subject), "%s%s", bus_bucket_plans[bucket].prefix, key);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)revision);
    return bus_publish_acked(bus, subject, headers, data, len, NULL, err);
}

enum status bus_bucket_purge(struct bus *bus, enum bus_bucket bucket, const char *pattern, struct errmsg *err)
{
    const struct bus_bucket_plan *plan = &bus_bucket_plans[bucket];
    char subject[SUBJECT_MAX];
    jsOptions options;
    jsErrCode code = 0;

    jsOptions_Init(&options);
    snprintf(subject, sizeof(subject), "%s%s", plan->prefix, pattern);
    options.Wait = BUS_TIMEOUT_MS;
    options.Stream.Purge.Subject = subject;
    natsStatus s = js_PurgeStream(bus->js, plan->stream, &options, &code);
    return bus_error(s, code, pattern, err);
}

/* The request for a consumer that delivers the newest value of each key, and then each change. The server names it, and
 * removes it when nobody listens any more. */
static json_t *make_question(const struct bucket_watch *watch, const char *inbox)
{
    char subject[32];
    json_t *config = json_object(), *question = json_object();

    snprintf(subject, sizeof(subject), "%s>", watch->plan->prefix);
    json_object_set_new(config, "deliver_subject", json_string(inbox));
    json_object_set_new(config, "filter_subject", json_string(subject));
    json_object_set_new(config, "deliver_policy", json_string("last_per_subject"));
    json_object_set_new(config, "ack_policy", json_string("none"));
    json_object_set_new(config, "replay_policy", json_string("instant"));
    json_object_set_new(config, "mem_storage", json_true());
    json_object_set_new(config, "idle_heartbeat", json_integer(HEARTBEAT_MS * INT64_C(1000000)));
    json_object_set_new(question, "stream_name", json_string(watch->plan->stream));
    json_object_set_new(question, "config", config);
    return question;
}

/* Not a watcher of the library: that is an ordered consumer, and in nats.c 3.4 its recreation races with its closing.
 * *empty: the bucket has no values. */
static natsStatus subscribe_values(const struct bucket_watch *watch, natsSubscription **out, bool *empty)
{
    struct bus *bus = watch->bus;
    char inbox[BUS_INBOX], subject[64];
    json_t *answer = NULL;

    bus_new_inbox(bus, inbox);
    snprintf(subject, sizeof(subject), BUS_API "CONSUMER.CREATE.%s", watch->plan->stream);
    natsStatus s = natsConnection_SubscribeSync(out, bus->nc, inbox);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(*out, -1, -1);
    if (s != NATS_OK)
        return s;
    json_t *question = make_question(watch, inbox);
    if (bus_ask(bus, subject, question, &answer, watch->plan->name, NULL) != ST_OK)
        s = NATS_ERR;
    const json_t *delivered = json_object_get(answer, "delivered");
    *empty = s == NATS_OK && json_integer_value(json_object_get(answer, "num_pending")) == 0 &&
             json_integer_value(json_object_get(delivered, "consumer_seq")) == 0;
    json_decref(answer);
    json_decref(question);
    return s;
}

/* Hands a value on. False: the key was deleted. */
static bool read_value(const struct bucket_watch *watch, natsMsg *msg, uint64_t revision)
{
    const char *operation = NULL;

    if (natsMsgHeader_Get(msg, "KV-Operation", &operation) == NATS_OK)
        return false;
    watch->to.on_value(watch->to.arg, natsMsg_GetSubject(msg) + strlen(watch->plan->prefix), natsMsg_GetData(msg),
                       (size_t)natsMsg_GetDataLength(msg), revision);
    return true;
}

/* One round reads all values and then each change. */
struct round {
    natsSubscription *sub;
    size_t n;
    bool synced;
    int64_t began, heard; /* nats_Now() */
};

/* Hands on the next value, if one comes within the turn. An idle consumer sends heartbeats. When the bucket is created
 * again, the consumer disappears without a message, so silence means that it is gone. */
static natsStatus watch_turn(const struct bucket_watch *watch, struct round *round)
{
    struct delivery place = {NULL};
    natsMsg *msg = NULL;
    natsStatus s = natsSubscription_NextMsg(&msg, round->sub, WATCH_TURN_MS);

    if (s == NATS_TIMEOUT)
        return nats_Now() - round->heard < SILENCE_MS ? NATS_OK : NATS_NOT_FOUND;
    if (s == NATS_OK) {
        round->heard = nats_Now();
        if (delivery_parse_reply(natsMsg_GetReply(msg), watch->plan->stream, NULL, &place)) {
            round->n += read_value(watch, msg, place.sequence);
            if (place.pending == 0 && !round->synced)
                watch->to.on_synced(watch->to.arg, round->n);
            round->synced = round->synced || place.pending == 0;
        }
    }
    natsMsg_Destroy(msg);
    return s;
}

/* Runs until the connection, the consumer or the round ends. */
static natsStatus watch_round(const struct bucket_watch *watch)
{
    struct bus *bus = watch->bus;
    struct round round = {.began = nats_Now(), .heard = nats_Now()};
    unsigned connection = bus_connection_count(bus);
    natsStatus s = subscribe_values(watch, &round.sub, &round.synced);

    if (round.synced)
        watch->to.on_synced(watch->to.arg, 0);
    round.heard = nats_Now();
    while (s == NATS_OK && !atomic_load(&bus->closing) && bus_connection_count(bus) == connection &&
           nats_Now() - round.began < watch->plan->watch_round_ms)
        s = watch_turn(watch, &round);
    bus_end_subscription(bus, round.sub);
    return s;
}

static void *watch_run(void *arg)
{
    const struct bucket_watch *watch = arg;
    struct bus *bus = watch->bus;

    while (!atomic_load(&bus->closing)) {
        natsStatus s = bus_is_connected(bus) ? watch_round(watch) : NATS_CONNECTION_DISCONNECTED;
        if (s != NATS_OK)
            nats_Sleep(WATCH_TURN_MS);
    }
    return NULL;
}

enum status bus_watch_bucket(struct bus *bus, enum bus_bucket bucket, const struct bus_watch *to, struct errmsg *err)
{
    struct bucket_watch *watch = &bus->watches[bucket];

    *watch = (struct bucket_watch){.bus = bus, .plan = &bus_bucket_plans[bucket], .to = *to};
    if (pthread_create(&watch->thread, NULL, watch_run, watch) != 0)
        return fail(err, ST_IO, "cannot start a thread");
    watch->running = true;
    return ST_OK;
}
