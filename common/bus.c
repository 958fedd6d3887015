/* bus - connection, set-up, publishing, bucket and deliveries, on nats.c.
 * SPDX-License-Identifier: MIT */
#include "bus.h"

#include "log.h"
#include "ordinal.h"
#include <errno.h>
#include <nats/nats.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_DEADLINE_MS 500   /* a broker that stopped reading holds a caller no longer than this */
#define RECONNECT_WAIT_MS 250   /* the broker is near; it is asked often */
#define RECONNECT_JITTER_MS 250 /* and not by all at once */
#define PING_INTERVAL_MS 5000   /* a silent connection is noticed after two of them */
#define WATCH_ROUND_MS 60000    /* the bucket is read as a whole so often, whatever was missed */
#define WATCH_TURN_MS 250
#define URLS_MAX 16
#define CLOSE_WAIT_S 2 /* for the library's last callback */

struct bus {
    natsConnection *nc;
    jsCtx *js;
    atomic_uint connections;
    atomic_bool closing;
    sem_t closed;         /* the library's last callback has run */
    pthread_mutex_t lock; /* kv */
    kvStore *kv;
    natsSubscription *acks;
    char *ack_inbox;
    bus_on_ack on_ack;
    void *on_ack_arg;
    struct bus_watch watch;
    pthread_t watch_thread;
    bool watching;
    struct listener *listeners;
};

struct listener {
    struct listener *next;
    natsSubscription *sub;
    void (*on_message)(void *arg, const void *data, size_t len);
    void *arg;
};

struct bus_subscription {
    natsSubscription *sub;
};

static enum status bus_error(natsStatus s, jsErrCode code, const char *doing, struct errmsg *err)
{
    enum status st = ST_BUS_REFUSED;

    if (s == NATS_OK)
        return ST_OK;
    if (s == NATS_TIMEOUT)
        st = ST_BUS_TIMEOUT;
    else if (s == NATS_NOT_FOUND || code == JSStreamNotFoundErr || code == JSConsumerNotFoundErr)
        st = ST_NOT_FOUND;
    else if (code == JSStreamWrongLastSequenceErr)
        st = ST_CONFLICT;
    else if (s == NATS_CONNECTION_CLOSED || s == NATS_CONNECTION_DISCONNECTED || s == NATS_INSUFFICIENT_BUFFER ||
             s == NATS_NOT_YET_CONNECTED || s == NATS_IO_ERROR || s == NATS_STALE_CONNECTION || s == NATS_NO_SERVER)
        st = ST_BUS_DOWN;
    const char *detail = nats_GetLastError(NULL);
    return fail(err, st, "%s: %s%s%s", doing, natsStatus_GetText(s), detail != NULL && detail[0] != '\0' ? ": " : "",
                detail != NULL ? detail : "");
}

/* --- connection */

static void on_connected(natsConnection *nc, void *arg)
{
    struct bus *bus = arg;
    char url[256] = "";

    atomic_fetch_add(&bus->connections, 1);
    natsConnection_GetConnectedUrl(nc, url, sizeof(url));
    char *at = strrchr(url, '@'); /* no credentials in the log */
    log_info("broker connected", LOG_S("server", at != NULL ? at + 1 : url));
}

static void on_disconnected(natsConnection *nc, void *arg)
{
    struct bus *bus = arg;

    if (!atomic_load(&bus->closing))
        log_warn("broker disconnected");
}

static void on_closed(natsConnection *nc, void *arg)
{
    struct bus *bus = arg;
    const char *reason = NULL;

    if (atomic_load(&bus->closing)) {
        sem_post(&bus->closed);
        return;
    }
    natsConnection_GetLastError(nc, &reason);
    log_error("broker connection given up", LOG_S("reason", reason != NULL ? reason : "unknown"));
    _Exit(1);
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
    const char *detail = NULL;

    natsConnection_GetLastError(nc, &detail);
    log_warn("broker error", LOG_S("error", natsStatus_GetText(s)),
             LOG_S("subject", sub != NULL ? natsSubscription_GetSubject(sub) : ""),
             LOG_S("detail", detail != NULL ? detail : ""));
}

static natsStatus set_servers(natsOptions *opts, char *urls)
{
    const char *list[URLS_MAX];
    int n = 0;
    char *save = NULL;

    for (char *url = strtok_r(urls, ", ", &save); url != NULL && n < URLS_MAX; url = strtok_r(NULL, ", ", &save))
        list[n++] = url;
    return n > 0 ? natsOptions_SetServers(opts, list, n) : NATS_INVALID_ARG;
}

static natsStatus set_options(natsOptions *opts, struct bus *bus, const char *name)
{
    natsStatus s = natsOptions_SetName(opts, name);

    if (s == NATS_OK)
        s = natsOptions_SetMaxReconnect(opts, -1);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectWait(opts, RECONNECT_WAIT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectJitter(opts, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS);
    if (s == NATS_OK) /* what is not on the wire is not published */
        s = natsOptions_SetReconnectBufSize(opts, 0);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(opts, WRITE_DEADLINE_MS);
    if (s == NATS_OK)
        s = natsOptions_SetSendAsap(opts, true);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(opts, PING_INTERVAL_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxPingsOut(opts, 2);
    if (s == NATS_OK)
        s = natsOptions_SetRetryOnFailedConnect(opts, true, on_connected, bus);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectedCB(opts, on_connected, bus);
    if (s == NATS_OK)
        s = natsOptions_SetDisconnectedCB(opts, on_disconnected, bus);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(opts, on_closed, bus);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(opts, on_error, bus);
    return s;
}

enum status bus_open(const char *url, const char *name, struct bus **out, struct errmsg *err)
{
    struct bus *bus = calloc(1, sizeof(*bus));
    natsOptions *opts = NULL;
    jsOptions js_opts;
    char *urls = strdup(url);
    enum status st;

    *out = NULL;
    if (bus == NULL || urls == NULL)
        abort();
    pthread_mutex_init(&bus->lock, NULL);
    sem_init(&bus->closed, 0, 0);
    natsStatus s = natsOptions_Create(&opts);
    if (s == NATS_OK)
        s = set_servers(opts, urls);
    if (s != NATS_OK) {
        st = fail(err, ST_CONFIG, "NATS_URL: not a list of addresses like nats://host:4222");
        goto out;
    }
    s = set_options(opts, bus, name);
    if (s == NATS_OK)
        s = natsConnection_Connect(&bus->nc, opts);
    if (s == NATS_OK)
        on_connected(bus->nc, bus);
    if (s == NATS_NOT_YET_CONNECTED) {
        log_warn("broker not there yet; trying until it is");
        s = NATS_OK;
    }
    jsOptions_Init(&js_opts);
    js_opts.Wait = BUS_TIMEOUT_MS;
    if (s == NATS_OK)
        s = natsConnection_JetStream(&bus->js, bus->nc, &js_opts);
    st = bus_error(s, 0, "connect", err);
    if (st == ST_OK) {
        *out = bus;
        bus = NULL;
    }

out:
    natsOptions_Destroy(opts);
    free(urls);
    bus_close(bus);
    return st;
}

/* The library runs its callbacks on a thread of its own, also after natsConnection_Close is back; the one for the
 * closed connection is the last. */
static void close_connection(struct bus *bus)
{
    struct timespec until;

    if (bus->nc == NULL)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_WAIT_S;
    natsConnection_Close(bus->nc);
    while (sem_timedwait(&bus->closed, &until) != 0 && errno == EINTR)
        ;
}

void bus_close(struct bus *bus)
{
    if (bus == NULL)
        return;
    atomic_store(&bus->closing, true);
    if (bus->watching)
        pthread_join(bus->watch_thread, NULL);
    natsSubscription_Destroy(bus->acks);
    close_connection(bus);
    while (bus->listeners != NULL) {
        struct listener *listener = bus->listeners;
        bus->listeners = listener->next;
        natsSubscription_Destroy(listener->sub);
        free(listener);
    }
    kvStore_Destroy(bus->kv);
    jsCtx_Destroy(bus->js);
    natsConnection_Destroy(bus->nc);
    pthread_mutex_destroy(&bus->lock);
    free(bus->ack_inbox);
    free(bus);
}

bool bus_is_connected(struct bus *bus)
{
    return natsConnection_Status(bus->nc) == NATS_CONN_STATUS_CONNECTED;
}

unsigned bus_connection_count(struct bus *bus)
{
    return atomic_load(&bus->connections);
}

/* --- set-up */

static enum status set_up_stream(struct bus *bus, jsStreamConfig *config, jsStreamInfo **info, struct errmsg *err)
{
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(info, bus->js, config->Name, NULL, &code);

    if (s == NATS_NOT_FOUND || code == JSStreamNotFoundErr) {
        code = 0;
        s = js_AddStream(info, bus->js, config, NULL, &code);
    } else if (s == NATS_OK) {
        jsStreamInfo_Destroy(*info);
        *info = NULL;
        s = js_UpdateStream(info, bus->js, config, NULL, &code);
    }
    return bus_error(s, code, config->Name, err);
}

static enum status set_up_ballots(struct bus *bus, const struct bus_setup *setup, int64_t *created_ns,
                                  struct errmsg *err)
{
    const char *subjects[] = {"ballots.>"};
    jsStreamConfig config;
    jsStreamInfo *info = NULL;

    jsStreamConfig_Init(&config);
    config.Name = BUS_STREAM;
    config.Description = "Every acknowledged ballot: the audit log";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Retention = js_LimitsPolicy;
    config.Discard = js_DiscardNew; /* full: refuse the new ones, drop no old one */
    config.MaxBytes = setup->max_bytes;
    config.MaxAge = setup->max_age_s * 1000000000;
    config.Duplicates = INT64_C(120) * 1000000000;
    config.DenyDelete = true;
    config.DenyPurge = true;
    config.Replicas = setup->replicas;
    enum status st = set_up_stream(bus, &config, &info, err);
    if (st == ST_OK)
        *created_ns = info->Created;
    jsStreamInfo_Destroy(info);
    return st;
}

static enum status set_up_dead_letters(struct bus *bus, const struct bus_setup *setup, struct errmsg *err)
{
    const char *subjects[] = {"dead.>"};
    jsStreamConfig config;
    jsStreamInfo *info = NULL;

    jsStreamConfig_Init(&config);
    config.Name = BUS_STREAM_DEAD;
    config.Description = "Messages of BALLOTS that can never be applied, with the reason";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Replicas = setup->replicas;
    enum status st = set_up_stream(bus, &config, &info, err);
    jsStreamInfo_Destroy(info);
    return st;
}

static enum status set_up_bucket(struct bus *bus, const struct bus_setup *setup, struct errmsg *err)
{
    kvConfig config;
    kvStore *kv = NULL;
    natsStatus s = js_KeyValue(&kv, bus->js, BUS_BUCKET);

    if (s == NATS_NOT_FOUND) {
        kvConfig_Init(&config);
        config.Bucket = BUS_BUCKET;
        config.Description = "Polls, one protobuf Poll a key";
        config.History = 8;
        config.StorageType = js_FileStorage;
        config.Replicas = (int)setup->replicas;
        s = js_CreateKeyValue(&kv, bus->js, &config);
    }
    kvStore_Destroy(kv);
    return bus_error(s, 0, "bucket " BUS_BUCKET, err);
}

/* The deliver subject names the stream's incarnation: a worker that still listens for an older one hears nothing of
 * the newer one, and so can never take its sequences for those of the older. */
static enum status set_up_consumer(struct bus *bus, const struct bus_setup *setup, int64_t created_ns,
                                   struct errmsg *err)
{
    char deliver[64];
    jsConsumerConfig config;
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;

    snprintf(deliver, sizeof(deliver), "deliver.workers.%lld", (long long)created_ns);
    jsConsumerConfig_Init(&config);
    config.Durable = BUS_CONSUMER;
    config.Description = "The workers";
    config.DeliverSubject = deliver;
    config.DeliverGroup = BUS_QUEUE;
    config.DeliverPolicy = js_DeliverAll;
    config.AckPolicy = js_AckExplicit;
    config.AckWait = setup->ack_wait_ms * 1000000;
    config.MaxDeliver = -1; /* past a limit JetStream would skip the message without a word */
    config.MaxAckPending = setup->max_ack_pending;
    natsStatus s = js_AddConsumer(&info, bus->js, BUS_STREAM, &config, NULL, &code);
    jsConsumerInfo_Destroy(info);
    return bus_error(s, code, "consumer " BUS_CONSUMER, err);
}

enum status bus_set_up(struct bus *bus, const struct bus_setup *setup, struct errmsg *err)
{
    int64_t created_ns = 0;
    enum status st = set_up_ballots(bus, setup, &created_ns, err);

    if (st == ST_OK)
        st = set_up_dead_letters(bus, setup, err);
    if (st == ST_OK)
        st = set_up_bucket(bus, setup, err);
    if (st == ST_OK)
        st = set_up_consumer(bus, setup, created_ns, err);
    return st;
}

/* --- publishing */

enum status bus_publish(struct bus *bus, const char *subject, const void *data, size_t len, struct errmsg *err)
{
    return bus_error(natsConnection_Publish(bus->nc, subject, data, (int)len), 0, subject, err);
}

enum status bus_publish_acked(struct bus *bus, const char *subject, const char *const *headers, const void *data,
                              size_t len, uint64_t *sequence, struct errmsg *err)
{
    natsMsg *msg = NULL;
    jsPubAck *ack = NULL;
    jsErrCode code = 0;
    natsStatus s = natsMsg_Create(&msg, subject, NULL, data, (int)len);

    for (; s == NATS_OK && headers != NULL && *headers != NULL; headers += 2)
        s = natsMsgHeader_Set(msg, headers[0], headers[1]);
    if (s == NATS_OK)
        s = js_PublishMsg(&ack, bus->js, msg, NULL, &code);
    if (s == NATS_OK && sequence != NULL)
        *sequence = ack->Sequence;
    jsPubAck_Destroy(ack);
    natsMsg_Destroy(msg);
    return bus_error(s, code, subject, err);
}

/* The number behind "key": in a flat JSON object that the server wrote, or 0. */
static uint64_t read_number(const char *json, const char *key)
{
    const char *at = strstr(json, key);

    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* {"stream":"BALLOTS","seq":12} or {"error":{"code":503,"err_code":10077,"description":"..."}} (NATS ADR-22) */
static void on_ack_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
    struct bus *bus = arg;
    const char *dot = strrchr(natsMsg_GetSubject(msg), '.');
    uint64_t token = strtoull(dot + 1, NULL, 10), sequence;
    char text[512];
    int len = natsMsg_GetDataLength(msg);

    if (natsMsg_IsNoResponders(msg)) {
        bus->on_ack(bus->on_ack_arg, token, ST_NOT_FOUND, 0, "no stream takes ballots; scrutin-setup must run");
    } else {
        if (len >= (int)sizeof(text))
            len = (int)sizeof(text) - 1;
        memcpy(text, natsMsg_GetData(msg), (size_t)len);
        text[len] = '\0';
        sequence = read_number(text, "\"seq\":");
        if (sequence > 0)
            bus->on_ack(bus->on_ack_arg, token, ST_OK, sequence, "");
        else
            bus->on_ack(bus->on_ack_arg, token, ST_BUS_REFUSED, 0, text);
    }
    natsMsg_Destroy(msg);
}

enum status bus_open_acks(struct bus *bus, bus_on_ack on_ack, void *arg, struct errmsg *err)
{
    natsInbox *inbox = NULL;
    char subject[128];
    natsStatus s = natsInbox_Create(&inbox);

    bus->on_ack = on_ack;
    bus->on_ack_arg = arg;
    if (s == NATS_OK) {
        bus->ack_inbox = strdup(inbox);
        snprintf(subject, sizeof(subject), "%s.*", inbox);
        s = natsConnection_Subscribe(&bus->acks, bus->nc, subject, on_ack_message, bus);
    }
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(bus->acks, -1, -1);
    natsInbox_Destroy(inbox);
    return bus_error(s, 0, "subscribe to acknowledgements", err);
}

enum status bus_publish_async(struct bus *bus, const char *subject, const uint8_t batch_id[BATCH_ID], uint64_t token,
                              const void *data, size_t len, struct errmsg *err)
{
    natsMsg *msg = NULL;
    char reply[160], id[2 * BATCH_ID + 1];

    snprintf(reply, sizeof(reply), "%s.%llu", bus->ack_inbox, (unsigned long long)token);
    sodium_bin2hex(id, sizeof(id), batch_id, BATCH_ID);
    natsStatus s = natsMsg_Create(&msg, subject, reply, data, (int)len);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(msg, "Nats-Msg-Id", id);
    if (s == NATS_OK)
        s = natsConnection_PublishMsg(bus->nc, msg);
    natsMsg_Destroy(msg);
    return bus_error(s, 0, subject, err);
}

/* --- the bucket */

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

/* --- looking */

enum status bus_stream_info(struct bus *bus, struct bus_stream_info *out, struct errmsg *err)
{
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(&info, bus->js, BUS_STREAM, NULL, &code);

    if (s == NATS_OK)
        *out = (struct bus_stream_info){info->Created, info->State.FirstSeq, info->State.LastSeq, info->State.Msgs,
                                        info->State.Bytes};
    jsStreamInfo_Destroy(info);
    return bus_error(s, code, "stream " BUS_STREAM, err);
}

enum status bus_consumer_info(struct bus *bus, struct bus_consumer_info *out, struct errmsg *err)
{
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetConsumerInfo(&info, bus->js, BUS_STREAM, BUS_CONSUMER, NULL, &code);

    *out = (struct bus_consumer_info){.ack_floor = 0};
    if (s == NATS_OK) {
        snprintf(out->deliver_subject, sizeof(out->deliver_subject), "%s",
                 info->Config->DeliverSubject != NULL ? info->Config->DeliverSubject : "");
        out->ack_floor = info->AckFloor.Stream;
        out->pending = info->NumPending;
        out->ack_pending = info->NumAckPending;
        out->redelivered = info->NumRedelivered;
    }
    jsConsumerInfo_Destroy(info);
    return bus_error(s, code, "consumer " BUS_CONSUMER, err);
}

/* --- receiving */

bool delivery_parse_reply(const char *reply, struct delivery *out)
{
    /* $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, and from server 2.10 also
     * $JS.ACK.<domain>.<account>.<stream>.<…as before…>[.<random>] */
    const char *tokens[12], *p = reply;
    int n = 0;

    if (reply == NULL || strncmp(reply, "$JS.ACK.", 8) != 0)
        return false;
    while (n < 12) {
        tokens[n++] = p;
        p = strchr(p, '.');
        if (p == NULL)
            break;
        p++;
    }
    if (p != NULL || (n != 9 && n < 11))
        return false;
    const char *const *numbers = tokens + (n == 9 ? 4 : 6);
    uint64_t values[5];
    for (int i = 0; i < 5; i++) {
        char *end;
        if (numbers[i][0] < '0' || numbers[i][0] > '9')
            return false;
        values[i] = strtoull(numbers[i], &end, 10);
        if (*end != '.' && *end != '\0')
            return false;
    }
    out->times = values[0];
    out->sequence = values[1];
    out->stored_at_ns = (int64_t)values[3];
    out->pending = values[4];
    return out->sequence > 0 && out->sequence <= ORDINAL_SEQUENCE_MAX;
}

void delivery_free(struct delivery *delivery)
{
    natsMsg_Destroy(delivery->message);
    *delivery = (struct delivery){NULL};
}

static enum status answer(struct bus *bus, const struct delivery *delivery, const char *word)
{
    return bus_error(natsConnection_PublishString(bus->nc, natsMsg_GetReply(delivery->message), word), 0, word, NULL);
}

enum status delivery_ack(struct bus *bus, const struct delivery *delivery)
{
    return answer(bus, delivery, "+ACK");
}

enum status delivery_nak(struct bus *bus, const struct delivery *delivery, int64_t delay_ms)
{
    char word[64];

    snprintf(word, sizeof(word), "-NAK {\"delay\": %lld}", (long long)delay_ms * 1000000);
    return answer(bus, delivery, word);
}

enum status delivery_term(struct bus *bus, const struct delivery *delivery)
{
    return answer(bus, delivery, "+TERM");
}

enum status bus_join_workers(struct bus *bus, const char *deliver_subject, struct bus_subscription **out,
                             struct errmsg *err)
{
    struct bus_subscription *subscription = calloc(1, sizeof(*subscription));
    /* A plain subscription: a JetStream one of the library could delete the durable when it ends. */
    natsStatus s = natsConnection_QueueSubscribeSync(&subscription->sub, bus->nc, deliver_subject, BUS_QUEUE);

    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(subscription->sub, -1, -1); /* the consumer's MaxAckPending limits */
    *out = subscription;
    if (s != NATS_OK) {
        bus_subscription_close(subscription);
        *out = NULL;
    }
    return bus_error(s, 0, deliver_subject, err);
}

enum status bus_read_stream(struct bus *bus, uint64_t from_sequence, struct bus_subscription **out, struct errmsg *err)
{
    struct bus_subscription *subscription = calloc(1, sizeof(*subscription));
    jsSubOptions options;
    jsErrCode code = 0;

    jsSubOptions_Init(&options);
    options.Ordered = true;
    options.Stream = BUS_STREAM;
    options.Config.DeliverPolicy = js_DeliverByStartSequence;
    options.Config.OptStartSeq = from_sequence > 0 ? from_sequence : 1;
    natsStatus s = js_SubscribeSync(&subscription->sub, bus->js, "ballots.>", NULL, &options, &code);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(subscription->sub, -1, -1);
    *out = subscription;
    if (s != NATS_OK) {
        bus_subscription_close(subscription);
        *out = NULL;
    }
    return bus_error(s, code, "read " BUS_STREAM, err);
}

enum status bus_next(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                     struct errmsg *err)
{
    natsMsg *msg = NULL;

    *out = (struct delivery){NULL};
    for (;;) {
        int waiting = 0;
        natsStatus s = NATS_TIMEOUT;
        /* With no time to wait nats.c wants a positive limit: look first. */
        if (timeout_ms > 0 ||
            (natsSubscription_GetPending(subscription->sub, &waiting, NULL) == NATS_OK && waiting > 0))
            s = natsSubscription_NextMsg(&msg, subscription->sub, timeout_ms > 0 ? timeout_ms : 1);
        if (s == NATS_TIMEOUT)
            return ST_NOT_FOUND;
        if (s != NATS_OK)
            return bus_error(s, 0, "receive", err);
        if (delivery_parse_reply(natsMsg_GetReply(msg), out))
            break;
        natsMsg_Destroy(msg); /* no delivery of JetStream's */
    }
    out->message = msg;
    out->data = natsMsg_GetData(msg);
    out->len = (size_t)natsMsg_GetDataLength(msg);
    out->subject = natsMsg_GetSubject(msg);
    return ST_OK;
}

int64_t bus_subscription_waiting(struct bus_subscription *subscription)
{
    int waiting = 0;

    natsSubscription_GetPending(subscription->sub, &waiting, NULL);
    return waiting;
}

void bus_subscription_close(struct bus_subscription *subscription)
{
    if (subscription == NULL)
        return;
    natsSubscription_Destroy(subscription->sub);
    free(subscription);
}

static void on_core_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
    struct listener *listener = arg;

    listener->on_message(listener->arg, natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
    natsMsg_Destroy(msg);
}

enum status bus_listen(struct bus *bus, const char *subject,
                       void (*on_message)(void *arg, const void *data, size_t len), void *arg, struct errmsg *err)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (listener == NULL)
        abort();
    *listener = (struct listener){bus->listeners, NULL, on_message, arg};
    natsStatus s = natsConnection_Subscribe(&listener->sub, bus->nc, subject, on_core_message, listener);
    if (s != NATS_OK) {
        free(listener);
        return bus_error(s, 0, subject, err);
    }
    bus->listeners = listener;
    return ST_OK;
}
