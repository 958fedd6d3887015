/* bus_bucket - the key-value bucket of polls.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdlib.h>
#include <string.h>

#define WATCH_ROUND_MS 60000 /* the bucket is read as a whole so often, whatever was missed */
#define WATCH_TURN_MS 250

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

/* One round: all values, then each change, until the connection or the round is over. */
static natsStatus watch_round(struct bus *bus, kvStore *kv)
{
    kvWatcher *watcher = NULL;
    unsigned connection = bus_connection_count(bus);
    size_t n = 0;
    int64_t began = nats_Now();
    natsStatus s = kvStore_WatchAll(&watcher, kv, NULL);

    while (s == NATS_OK && !atomic_load(&bus->closing) && bus_connection_count(bus) == connection &&
           nats_Now() - began < WATCH_ROUND_MS) {
        kvEntry *entry = NULL;
        s = kvWatcher_Next(&entry, watcher, WATCH_TURN_MS);
        if (s == NATS_TIMEOUT) {
            s = NATS_OK;
        } else if (s == NATS_OK && entry == NULL) {
            bus->watch.on_synced(bus->watch.arg, n);
        } else if (s == NATS_OK && kvEntry_Operation(entry) == kvOp_Put) {
            n++;
            bus->watch.on_value(bus->watch.arg, kvEntry_Key(entry), kvEntry_Value(entry),
                                (size_t)kvEntry_ValueLen(entry), kvEntry_Revision(entry));
        }
        kvEntry_Destroy(entry);
    }
    kvWatcher_Destroy(watcher);
    return s;
}

static void *watch_run(void *arg)
{
    struct bus *bus = arg;

    while (!atomic_load(&bus->closing)) {
        kvStore *kv = NULL;
        natsStatus s = bus_is_connected(bus) ? bucket(bus, &kv) : NATS_CONNECTION_DISCONNECTED;
        if (s == NATS_OK)
            s = watch_round(bus, kv);
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
