/* bus_receive - deliveries of the stream and messages of core NATS.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the token at `at` is the name. */
static bool token_is(const char *at, const char *name)
{
    size_t len = strlen(name);

    return strncmp(at, name, len) == 0 && at[len] == '.';
}

bool delivery_parse_reply(const char *reply, const char *stream, const char *consumer, struct delivery *out)
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
    const char *const *names = tokens + (n == 9 ? 2 : 4), *const *numbers = names + 2;
    if (!token_is(names[0], stream) || (consumer != NULL && !token_is(names[1], consumer)))
        return false;
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

bool delivery_is_mark(const struct delivery *delivery)
{
    return strcmp(delivery->subject, BUS_SUBJECT_FENCE) == 0;
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

struct bus_subscription *bus_new_subscription(struct bus *bus)
{
    struct bus_subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        abort();
    subscription->bus = bus;
    return subscription;
}

void bus_set_message(struct delivery *delivery, natsMsg *msg)
{
    delivery->message = msg;
    delivery->data = natsMsg_GetData(msg);
    delivery->len = (size_t)natsMsg_GetDataLength(msg);
    delivery->subject = natsMsg_GetSubject(msg);
}

enum status bus_join_workers(struct bus *bus, const char *deliver_subject, struct bus_subscription **out,
                             struct errmsg *err)
{
    struct bus_subscription *subscription = bus_new_subscription(bus);
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

enum status bus_next_message(natsSubscription *sub, int64_t timeout_ms, natsMsg **out, struct errmsg *err)
{
    int waiting = 0;
    natsStatus s = NATS_TIMEOUT;

    /* With no time to wait nats.c wants a positive limit: look first. */
    if (timeout_ms > 0 || (natsSubscription_GetPending(sub, &waiting, NULL) == NATS_OK && waiting > 0))
        s = natsSubscription_NextMsg(out, sub, timeout_ms > 0 ? timeout_ms : 1);
    return s == NATS_TIMEOUT ? ST_NOT_FOUND : bus_error(s, 0, "receive", err);
}

/* Only what the workers' consumer delivers counts: anybody who may make a consumer of another stream can have the
 * broker deliver there, and its sequences are those of other messages. */
static enum status next_of_workers(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                                   struct errmsg *err)
{
    for (;;) {
        natsMsg *msg = NULL;
        enum status st = bus_next_message(subscription->sub, timeout_ms, &msg, err);
        if (st != ST_OK)
            return st;
        if (delivery_parse_reply(natsMsg_GetReply(msg), BUS_STREAM, BUS_CONSUMER, out)) {
            bus_set_message(out, msg);
            return ST_OK;
        }
        natsMsg_Destroy(msg);
    }
}

enum status bus_next(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                     struct errmsg *err)
{
    *out = (struct delivery){NULL};
    return subscription->reader != NULL ? bus_next_of_stream(subscription, timeout_ms, out, err)
                                        : next_of_workers(subscription, timeout_ms, out, err);
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
    bus_end_reader(subscription);
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
