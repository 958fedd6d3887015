/* bus_bucket - the key-value bucket of polls.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdlib.h>
#include <string.h>

#define WATCH_ROUND_MS 60000 /* the bucket is read as a whole so often, whatever was missed */
#define WATCH_TURN_MS 250
#define KEY_PREFIX "$KV." BUS_BUCKET "."

static natsStatus bucket(struct bus *bus, kvStore **out)
{
    natsStatus s = NATS_OK;

    pthread_mutex_lock(&bus->lock);
    if (bus->kv == NULL)
        s = js_KeyValue(&bus->kv, bus->js, BUS_BUCKET);
    *out = bus->kv;
    pthread_mutex_unlock(&bus->lock);
    return s;
}

enum status bus_bucket_get(struct bus *bus, const char *key, struct bus_value *out, struct errmsg *err)
{
    kvStore *kv = NULL;
    kvEntry *entry = NULL;
    natsStatus s = bucket(bus, &kv);

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

enum status bus_bucket_put(struct bus *bus, const char *key, const void *data, size_t len, uint64_t revision,
                           struct errmsg *err)
{
    kvStore *kv = NULL;
    natsStatus s = bucket(bus, &kv);

    if (s == NATS_OK)
        s = kvStore_Update(NULL, kv, key, data, (int)len, revision);
    enum status st = bus_error(s, 0, key, err);
    /* kvStore_Update keeps the server's code to itself; its text has it. */
    const char *detail = s == NATS_OK ? NULL : nats_GetLastError(NULL);
    if (detail != NULL && strstr(detail, "wrong last sequence") != NULL)
        st = ST_CONFLICT;
    return st;
}

/* The values by an own subscription: a watcher of the library is an ordered consumer, and what makes that again in
 * nats.c 3.4 races with whoever closes it. */
static natsStatus subscribe_values(struct bus *bus, natsSubscription **out)
{
    jsSubOptions options;

    jsSubOptions_Init(&options);
    options.Stream = "KV_" BUS_BUCKET;
    options.Config.AckPolicy = js_AckNone;
    options.Config.DeliverPolicy = js_DeliverLastPerSubject;
    options.Config.MemoryStorage = true;
    natsStatus s = js_SubscribeSync(out, bus->js, KEY_PREFIX ">", NULL, &options, NULL);
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
static bool read_value(struct bus *bus, natsMsg *msg, uint64_t *behind)
{
    struct delivery place = {NULL};
    const char *operation = NULL;

    *behind = delivery_parse_reply(natsMsg_GetReply(msg), &place) ? place.pending : 0;
    if (natsMsgHeader_Get(msg, "KV-Operation", &operation) == NATS_OK)
        return false;
    bus->watch.on_value(bus->watch.arg, natsMsg_GetSubject(msg) + strlen(KEY_PREFIX), natsMsg_GetData(msg),
                        (size_t)natsMsg_GetDataLength(msg), place.sequence);
    return true;
}

/* One round: all values, then each change, until the connection or the round is over. */
static natsStatus watch_round(struct bus *bus)
{
    natsSubscription *sub = NULL;
    unsigned connection = bus_connection_count(bus);
    size_t n = 0;
    bool synced = false;
    int64_t began = nats_Now();
    natsStatus s = subscribe_values(bus, &sub);

    if (s == NATS_OK)
        s = has_no_values(sub, &synced);
    if (synced)
        bus->watch.on_synced(bus->watch.arg, 0);
    while (s == NATS_OK && !atomic_load(&bus->closing) && bus_connection_count(bus) == connection &&
           nats_Now() - began < WATCH_ROUND_MS) {
        natsMsg *msg = NULL;
        uint64_t behind = 0;
        s = natsSubscription_NextMsg(&msg, sub, WATCH_TURN_MS);
        if (s == NATS_TIMEOUT) {
            s = NATS_OK;
        } else if (s == NATS_OK) {
            n += read_value(bus, msg, &behind);
            if (behind == 0 && !synced)
                bus->watch.on_synced(bus->watch.arg, n);
            synced = synced || behind == 0;
        }
        natsMsg_Destroy(msg);
    }
    bus_end_subscription(bus, sub);
    return s;
}

static void *watch_run(void *arg)
{
    struct bus *bus = arg;

    while (!atomic_load(&bus->closing)) {
        natsStatus s = bus_is_connected(bus) ? watch_round(bus) : NATS_CONNECTION_DISCONNECTED;
        if (s != NATS_OK)
            nats_Sleep(WATCH_TURN_MS);
    }
    return NULL;
}

enum status bus_watch_bucket(struct bus *bus, const struct bus_watch *watch, struct errmsg *err)
{
    bus->watch = *watch;
    if (pthread_create(&bus->watch_thread, NULL, watch_run, bus) != 0)
        return fail(err, ST_IO, "cannot start a thread");
    bus->watching = true;
    return ST_OK;
}
