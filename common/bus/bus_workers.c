/* bus_workers - the queue group of the workers, and messages of core NATS.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include "base/alloc.h"

struct bus_subscription {
    struct bus *bus;
    natsSubscription *sub;
};

enum status bus_join_workers(struct bus *bus, const char *deliver_subject, struct bus_subscription **out,
                             struct errmsg *err)
{
    struct bus_subscription *subscription = alloc_items(1, sizeof(*subscription));
    /* Not a JetStream subscription of the library: when that ends, it may delete the durable consumer. */
    natsStatus s = natsConnection_QueueSubscribeSync(&subscription->sub, bus->nc, deliver_subject, BUS_QUEUE);

    subscription->bus = bus;
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(subscription->sub, -1,
                                              -1); /* MaxAckPending of the consumer is the limit */
    *out = subscription;
    if (s != NATS_OK) {
        bus_subscription_close(subscription);
        *out = NULL;
    }
    return bus_error(s, 0, deliver_subject, err);
}

/* Passes over messages that the consumer of the workers did not deliver. A user who may create a consumer of another
 * stream can make the broker deliver here, and the sequences of that stream belong to other messages. */
enum status bus_next(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                     struct errmsg *err)
{
    *out = (struct delivery){NULL};
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
    struct listener *listener = alloc_bytes(sizeof(*listener));

    *listener = (struct listener){bus->listeners, NULL, on_message, arg};
    natsStatus s = natsConnection_Subscribe(&listener->sub, bus->nc, subject, on_core_message, listener);
    if (s != NATS_OK) {
        free(listener);
        return bus_error(s, 0, subject, err);
    }
    bus->listeners = listener;
    return ST_OK;
}
