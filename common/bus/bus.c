/* bus - the connection to the broker, made with nats.c.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECONNECT_WAIT_MS 250   /* short, because the broker is near */
#define RECONNECT_JITTER_MS 250 /* so that not all clients try at once */
#define PING_INTERVAL_MS 5000   /* after two pings without an answer the connection counts as lost */
#define URLS_MAX 16
#define FLUSH_MS 1000
#define CLOSE_WAIT_S 2  /* for the last callback of the library */
#define INBOX_RANDOM 12 /* bytes. An inbox is a secret: any user may ask the broker to send an answer there. */

static atomic_int failure_code = 1;

void bus_set_failure_code(int code)
{
    atomic_store(&failure_code, code);
}

static void on_connected(natsConnection *nc, void *arg)
{
    struct bus *bus = arg;
    char url[256] = "";

    atomic_fetch_add(&bus->connections, 1);
    natsConnection_GetConnectedUrl(nc, url, sizeof(url));
    char *at = strrchr(url, '@'); /* credentials do not belong in the log */
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
    log_error("broker connection closed for good", LOG_S("reason", reason != NULL ? reason : "unknown"));
    _Exit(atomic_load(&failure_code));
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
        s = natsOptions_SetCustomInboxPrefix(opts, bus->inbox_prefix);
    if (s == NATS_OK)
        s = natsOptions_SetMaxReconnect(opts, -1);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectWait(opts, RECONNECT_WAIT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectJitter(opts, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS);
    if (s == NATS_OK) /* publish nothing while there is no connection */
        s = natsOptions_SetReconnectBufSize(opts, 0);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(opts, BUS_WRITE_DEADLINE_MS);
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

/* Inboxes begin with `_INBOX.<user>.`, where only this user may listen. The user is the one that the first address
 * names together with a password. A text alone before the host is a token: it must not appear in a subject. */
static void choose_inboxes(struct bus *bus, const char *url, const char *name)
{
    uint8_t random[INBOX_RANDOM];
    char hex[2 * INBOX_RANDOM + 1];
    const char *user = strstr(url, "://"), *end = user != NULL ? strpbrk(user += 3, ":@/, ") : NULL;
    int len = end != NULL ? (int)(end - user) : 0;

    if (len == 0 || *end != ':' || strpbrk(end, "@,") == NULL || *strpbrk(end, "@,") != '@' || len > 40) {
        user = name;
        len = (int)strlen(name);
    }
    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
    snprintf(bus->inbox_prefix, sizeof(bus->inbox_prefix), "_INBOX.%.*s.%s", len, user, hex);
}

void bus_new_inbox(struct bus *bus, char out[BUS_INBOX])
{
    snprintf(out, BUS_INBOX, "%.100s.own%u", bus->inbox_prefix, atomic_fetch_add(&bus->inboxes, 1));
}

enum status bus_open(const char *url, const char *name, struct bus **out, struct errmsg *err)
{
    struct bus *bus = alloc_items(1, sizeof(*bus));
    natsOptions *opts = NULL;
    jsOptions js_opts;
    char *urls = alloc_copy(url);
    enum status st;

    *out = NULL;
    pthread_mutex_init(&bus->lock, NULL);
    sem_init(&bus->closed, 0, 0);
    choose_inboxes(bus, url, name);
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
        log_warn("broker not reachable yet; trying again");
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

/* nats.c 3.4 hands a message to its subscription without holding a reference. If another thread destroys the
 * subscription at that moment, the read loop works on freed memory. After an unsubscribe, no new message reaches the
 * subscription. The read loop also reads the answer to a PING, so when a PING sent after that is answered, the loop has
 * left the subscription. Without a connection, ended subscriptions wait for the next end of one, or for bus_close. */
static void destroy_ended(struct bus *bus)
{
    pthread_mutex_lock(&bus->lock);
    struct ended *list = bus->ended;
    bus->ended = NULL;
    pthread_mutex_unlock(&bus->lock);

    bool destroy = natsConnection_IsClosed(bus->nc) || natsConnection_FlushTimeout(bus->nc, FLUSH_MS) == NATS_OK;
    while (list != NULL) {
        struct ended *ended = list;
        list = ended->next;
        if (destroy) {
            natsSubscription_Destroy(ended->sub);
            free(ended);
        } else {
            pthread_mutex_lock(&bus->lock);
            ended->next = bus->ended;
            bus->ended = ended;
            pthread_mutex_unlock(&bus->lock);
        }
    }
}

void bus_end_subscription(struct bus *bus, natsSubscription *sub)
{
    if (sub == NULL)
        return;
    struct ended *ended = alloc_items(1, sizeof(*ended));
    natsSubscription_Unsubscribe(sub);
    ended->sub = sub;
    pthread_mutex_lock(&bus->lock);
    ended->next = bus->ended;
    bus->ended = ended;
    pthread_mutex_unlock(&bus->lock);
    destroy_ended(bus);
}

/* The library runs its callbacks on its own thread, even after natsConnection_Close has returned. The callback for the
 * closed connection is the last one. */
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
    for (int i = 0; i < BUS_BUCKETS; i++)
        if (bus->watches[i].running)
            pthread_join(bus->watches[i].thread, NULL);
    close_connection(bus); /* this ends the read loop, so the subscriptions can be destroyed */
    natsSubscription_Destroy(bus->acks);
    if (bus->ended != NULL)
        destroy_ended(bus);
    while (bus->listeners != NULL) {
        struct listener *listener = bus->listeners;
        bus->listeners = listener->next;
        natsSubscription_Destroy(listener->sub);
        free(listener);
    }
    for (int i = 0; i < BUS_BUCKETS; i++)
        kvStore_Destroy(bus->kv[i]);
    jsCtx_Destroy(bus->js);
    natsConnection_Destroy(bus->nc);
    pthread_mutex_destroy(&bus->lock);
    free(bus);
}

bool bus_is_connected(struct bus *bus)
{
    return natsConnection_Status(bus->nc) == NATS_CONN_STATUS_CONNECTED;
}

size_t bus_max_payload(struct bus *bus)
{
    int64_t max = natsConnection_GetMaxPayload(bus->nc);

    return max > 0 ? (size_t)max : 0;
}

bool bus_is_ready(void *arg, char detail[128])
{
    struct bus *const *bus = arg;
    bool connected = *bus != NULL && bus_is_connected(*bus);

    if (!connected)
        snprintf(detail, 128, "the broker cannot be reached");
    return connected;
}

unsigned bus_connection_count(struct bus *bus)
{
    return atomic_load(&bus->connections);
}
