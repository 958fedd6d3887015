/* bus_bucket - the key-value buckets.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_TURN_MS 250
#define WATCH_LOOK_MS 5000 /* how often a watch asks whether its consumer is still there */
#define KEY_MAX 64         /* bytes */

/* Codes are megabytes, and each key of theirs is written once. */
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
        out->bytes.data = malloc(out->bytes.len + 1);
        if (out->bytes.data == NULL)
            abort();
        memcpy(out->bytes.data, kvEntry_Value(entry), out->bytes.len);
    }
    kvEntry_Destroy(entry);
    return bus_error(s, 0, key, err);
}

enum status bus_bucket_put(struct bus *bus, enum bus_bucket bucket, const char *key, const void *data, size_t len,
                           uint64_t revision, struct errmsg *err)
{
    kvStore *kv = NULL;
    natsStatus s = open_bucket(bus, bucket, &kv);

    if (s == NATS_OK)
        s = kvStore_Update(NULL, kv, key, data, (int)len, revision);
    enum status st = bus_error(s, 0, key, err);
    /* kvStore_Update keeps the server's code to itself; its text has it. */
    const char *detail = s == NATS_OK ? NULL : nats_GetLastError(NULL);
    if (detail != NULL && strstr(detail, "wrong last sequence") != NULL)
        st = ST_CONFLICT;
    return st;
}

enum status bus_bucket_purge(struct bus *bus, enum bus_bucket bucket, const char *pattern, struct errmsg *err)
{
    const struct bus_bucket_plan *plan = &bus_bucket_plans[bucket];
    char subject[KEY_MAX + 32];
    jsOptions options;
    jsErrCode code = 0;

    jsOptions_Init(&options);
    snprintf(subject, sizeof(subject), "%s%s", plan->prefix, pattern);
    options.Wait = BUS_TIMEOUT_MS;
    options.Stream.Purge.Subject = subject;
    natsStatus s = js_PurgeStream(bus->js, plan->stream, &options, &code);
    return bus_error(s, code, pattern, err);
}

/* The values by an own subscription: a watcher of the library is an ordered consumer, and what makes that again in
 * nats.c 3.4 races with whoever closes it. */
static natsStatus subscribe_values(const struct bucket_watch *watch, natsSubscription **out)
{
    char subject[32];
    jsSubOptions options;

    jsSubOptions_Init(&options);
    snprintf(subject, sizeof(subject), "%s>", watch->plan->prefix);
    options.Stream = watch->plan->stream;
    options.Config.AckPolicy = js_AckNone;
    options.Config.DeliverPolicy = js_DeliverLastPerSubject;
    options.Config.MemoryStorage = true;
    natsStatus s = js_SubscribeSync(out, watch->bus->js, subject, NULL, &options, NULL);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(*out, -1, -1);
    return s;
}

static natsStatus has_no_values(natsSubscription *sub, bool *out)
{
    jsConsumerInfo *info = NULL;
    natsStatus s = natsSubscription_GetConsumerInfo(&info, sub, NULL, NULL);

    *out = s == NATS_OK && info->NumPending == 0 && info->Delivered.Consumer == 0;
    jsConsumerInfo_Destroy(info);
    return s;
}

/* Hands a value on, and says how many are behind it. False: the key was deleted. */
static bool read_value(const struct bucket_watch *watch, natsMsg *msg, uint64_t *behind)
{
    struct delivery place = {NULL};
    const char *operation = NULL;

    *behind = delivery_parse_reply(natsMsg_GetReply(msg), &place) ? place.pending : 0;
    if (natsMsgHeader_Get(msg, "KV-Operation", &operation) == NATS_OK)
        return false;
    watch->to.on_value(watch->to.arg, natsMsg_GetSubject(msg) + strlen(watch->plan->prefix), natsMsg_GetData(msg),
                       (size_t)natsMsg_GetDataLength(msg), place.sequence);
    return true;
}

/* With a bucket that is made anew the consumer goes, and nobody says so: the subscription is just silent. Any other
 * trouble with the question is for the next one. */
static natsStatus look_at_consumer(natsSubscription *sub)
{
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = natsSubscription_GetConsumerInfo(&info, sub, NULL, &code);

    jsConsumerInfo_Destroy(info);
    return s == NATS_NOT_FOUND || code == JSConsumerNotFoundErr || code == JSStreamNotFoundErr ? NATS_NOT_FOUND
                                                                                               : NATS_OK;
}

/* The next value, if there is one within the turn. */
static natsStatus watch_turn(const struct bucket_watch *watch, natsSubscription *sub, size_t *n, bool *synced)
{
    natsMsg *msg = NULL;
    uint64_t behind = 0;
    natsStatus s = natsSubscription_NextMsg(&msg, sub, WATCH_TURN_MS);

    if (s == NATS_TIMEOUT)
        return NATS_OK;
    if (s == NATS_OK) {
        *n += read_value(watch, msg, &behind);
        if (behind == 0 && !*synced)
            watch->to.on_synced(watch->to.arg, *n);
        *synced = *synced || behind == 0;
    }
    natsMsg_Destroy(msg);
    return s;
}

/* One round: all values, then each change, until the connection, the consumer or the round is over. */
static natsStatus watch_round(const struct bucket_watch *watch)
{
    struct bus *bus = watch->bus;
    natsSubscription *sub = NULL;
    unsigned connection = bus_connection_count(bus);
    size_t n = 0;
    bool synced = false;
    int64_t began = nats_Now(), looked = began;
    natsStatus s = subscribe_values(watch, &sub);

    if (s == NATS_OK)
        s = has_no_values(sub, &synced);
    if (synced)
        watch->to.on_synced(watch->to.arg, 0);
    while (s == NATS_OK && !atomic_load(&bus->closing) && bus_connection_count(bus) == connection &&
           nats_Now() - began < watch->plan->watch_round_ms) {
        s = watch_turn(watch, sub, &n, &synced);
        if (s == NATS_OK && nats_Now() - looked >= WATCH_LOOK_MS) {
            s = look_at_consumer(sub);
            looked = nats_Now();
        }
    }
    bus_end_subscription(bus, sub);
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
