/* bus_receive - deliveries of the stream and messages of core NATS.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_NS INT64_C(5000000000) /* flow control wants one */

struct bus_subscription {
    struct bus *bus;
    natsSubscription *sub;
    bool is_gapless;
    uint64_t last; /* sequence of a gapless one, 0 at first */
};

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
    return out->sequence > 0 && out->sequence <= BUS_SEQUENCE_MAX;
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

static struct bus_subscription *subscription_new(struct bus *bus)
{
    struct bus_subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        abort();
    subscription->bus = bus;
    return subscription;
}

enum status bus_join_workers(struct bus *bus, const char *deliver_subject, struct bus_subscription **out,
                             struct errmsg *err)
{
    struct bus_subscription *subscription = subscription_new(bus);
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

static void set_message(struct delivery *delivery, natsMsg *msg)
{
    delivery->message = msg;
    delivery->data = natsMsg_GetData(msg);
    delivery->len = (size_t)natsMsg_GetDataLength(msg);
    delivery->subject = natsMsg_GetSubject(msg);
}

enum status bus_fetch_message(struct bus *bus, uint64_t sequence, struct delivery *out, struct errmsg *err)
{
    natsMsg *msg = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetMsg(&msg, bus->js, BUS_STREAM, sequence, NULL, &code);

    *out = (struct delivery){.sequence = sequence};
    if (s == NATS_OK) {
        out->stored_at_ns = natsMsg_GetTime(msg);
        set_message(out, msg);
    }
    return code == JSNoMessageFoundErr ? fail(err, ST_NOT_FOUND, "the stream does not hold it")
                                       : bus_error(s, code, "read a message of " BUS_STREAM, err);
}

/* {"message":{"subject":"…","seq":12,"data":"<base64>","time":"…"}}, or {"error":{"code":404,…}} (NATS ADR-31). */
static enum status read_message(const char *text, size_t len, struct delivery *out, struct errmsg *err)
{
    json_t *answer = json_loadb(text, len, 0, NULL), *message = json_object_get(answer, "message");
    json_t *error = json_object_get(answer, "error"), *data = json_object_get(message, "data");
    const char *subject = json_string_value(json_object_get(message, "subject"));
    size_t size = json_string_length(data), n = 0;
    uint8_t *bytes = calloc(1, size + 1);
    natsMsg *msg = NULL;
    enum status st = ST_OK;

    if (bytes == NULL)
        abort();
    out->sequence = (uint64_t)json_integer_value(json_object_get(message, "seq"));
    if (json_integer_value(json_object_get(error, "err_code")) == JSNoMessageFoundErr)
        st = fail(err, ST_NOT_FOUND, "the stream holds no such message");
    else if (subject == NULL || out->sequence == 0 ||
             (data != NULL && sodium_base642bin(bytes, size, json_string_value(data), size, NULL, &n, NULL,
                                                sodium_base64_VARIANT_ORIGINAL) != 0))
        st = fail(err, ST_BUS_REFUSED, "look into " BUS_STREAM ": %.200s", text);
    else
        st = bus_error(natsMsg_Create(&msg, subject, NULL, (const char *)bytes, (int)n), 0, "keep a message", err);
    if (st == ST_OK)
        set_message(out, msg);
    free(bytes);
    json_decref(answer);
    return st;
}

/* The library's js_GetMsg knows a sequence only. */
enum status bus_fetch_next(struct bus *bus, const char *subject, uint64_t from_sequence, struct delivery *out,
                           struct errmsg *err)
{
    char question[160];
    natsMsg *reply = NULL;

    *out = (struct delivery){NULL};
    snprintf(question, sizeof(question), "{\"seq\":%llu,\"next_by_subj\":\"%s\"}",
             (unsigned long long)(from_sequence > 0 ? from_sequence : 1), subject);
    natsStatus s = natsConnection_RequestString(&reply, bus->nc, "$JS.API.STREAM.MSG.GET." BUS_STREAM, question,
                                                BUS_TIMEOUT_MS);
    enum status st = bus_error(s, 0, "look into " BUS_STREAM, err);
    if (st == ST_OK)
        st = read_message(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), out, err);
    natsMsg_Destroy(reply);
    return st;
}

enum status bus_read_stream(struct bus *bus, uint64_t from_sequence, struct bus_subscription **out, struct errmsg *err)
{
    struct bus_subscription *subscription = subscription_new(bus);
    jsSubOptions options;
    jsErrCode code = 0;

    /* Not the library's ordered consumer: what makes it again in nats.c 3.4 races with whoever closes it. */
    jsSubOptions_Init(&options);
    options.Stream = BUS_STREAM;
    options.Config.AckPolicy = js_AckNone;
    options.Config.MemoryStorage = true;
    options.Config.FlowControl = true; /* the broker holds what we do not read */
    options.Config.Heartbeat = HEARTBEAT_NS;
    subscription->is_gapless = true;
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
    if (subscription->is_gapless && subscription->last != 0 && out->sequence != subscription->last + 1) {
        natsMsg_Destroy(msg);
        return fail(err, ST_BUS_DOWN, "message %llu follows %llu: what is between was lost on the way",
                    (unsigned long long)out->sequence, (unsigned long long)subscription->last);
    }
    subscription->last = out->sequence;
    set_message(out, msg);
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
    bus_end_subscription(subscription->bus, subscription->sub);
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
