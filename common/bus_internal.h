/* bus_internal - what the files of the bus share. For bus*.c only; beside them nobody includes nats.h.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BUS_INTERNAL_H
#define SCRUTIN_BUS_INTERNAL_H

#include "bus.h"
#include <nats/nats.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A bucket as set-up makes it. */
struct bus_bucket_plan {
    const char *name;
    const char *stream; /* that holds it */
    const char *prefix; /* of its keys' subjects */
    const char *description;
    uint8_t history;        /* revisions kept of a key */
    int64_t watch_round_ms; /* a watch reads it as a whole so often, whatever was missed */
};
extern const struct bus_bucket_plan bus_bucket_plans[BUS_BUCKETS];

/* A thread that watches a bucket. */
struct bucket_watch {
    struct bus *bus;
    const struct bus_bucket_plan *plan;
    struct bus_watch to;
    pthread_t thread;
    bool running;
};

struct bus {
    natsConnection *nc;
    jsCtx *js;
    atomic_uint connections;
    atomic_bool closing;
    sem_t closed;         /* the library's last callback has run */
    pthread_mutex_t lock; /* kv, ended */
    kvStore *kv[BUS_BUCKETS];
    struct ended *ended;
    natsSubscription *acks;
    char *ack_inbox;
    bus_on_ack on_ack;
    void *on_ack_arg;
    struct bucket_watch watches[BUS_BUCKETS];
    struct listener *listeners;
};

struct listener {
    struct listener *next;
    natsSubscription *sub;
    void (*on_message)(void *arg, const void *data, size_t len);
    void *arg;
};

/* A subscription that ended, and that the connection's read loop may still hold. */
struct ended {
    struct ended *next;
    natsSubscription *sub;
};

/* Unsubscribes, and destroys the subscription when the read loop has left it. NULL is fine. */
void bus_end_subscription(struct bus *bus, natsSubscription *sub);

/* Turns what the library returned into a status, with "doing: ..." as detail. code is the server's, or 0. */
MUST_CHECK enum status bus_error(natsStatus s, jsErrCode code, const char *doing, struct errmsg *err);

#endif
