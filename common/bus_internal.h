/* bus_internal - what the files of the bus share. For bus*.c only; beside them nobody includes nats.h.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BUS_INTERNAL_H
#define SCRUTIN_BUS_INTERNAL_H

#include "bus.h"
#include <nats/nats.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct bus {
    natsConnection *nc;
    jsCtx *js;
    atomic_uint connections;
    atomic_bool closing;
    sem_t closed;         /* the library's last callback has run */
    pthread_mutex_t lock; /* kv, ended */
    kvStore *kv;
    struct ended *ended;
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
