/* bus_internal - what the files of the bus share. For bus*.c only; beside them nobody includes nats.h.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_BUS_INTERNAL_H
#define SCRUTIN_BUS_INTERNAL_H

#include "bus/bus.h"
#include <jansson.h>
#include <nats/nats.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define BUS_INBOX 128 /* bytes of a subject for answers */
#define BUS_API "$JS.API."

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
    char inbox_prefix[BUS_INBOX]; /* of all our inboxes */
    char ack_inbox[BUS_INBOX];
    atomic_uint inboxes; /* made so far */
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

struct bus_subscription {
    struct bus *bus;
    natsSubscription *sub;
    struct stream_reader *reader; /* NULL: of the workers */
};

/* Never fails. */
struct bus_subscription *bus_new_subscription(struct bus *bus);
/* The next message of a subscription, or ST_NOT_FOUND when none came in time (0: only what is here already). */
MUST_CHECK enum status bus_next_message(natsSubscription *sub, int64_t timeout_ms, natsMsg **out, struct errmsg *err);
/* Hands a message to a delivery. */
void bus_set_message(struct delivery *delivery, natsMsg *msg);

/* bus_next of a subscription that bus_read_stream made, and the end of its reader. */
MUST_CHECK enum status bus_next_of_stream(struct bus_subscription *subscription, int64_t timeout_ms,
                                          struct delivery *out, struct errmsg *err);
void bus_end_reader(struct bus_subscription *subscription);

/* A subject for answers that nobody else knows or may listen to. */
void bus_new_inbox(struct bus *bus, char out[BUS_INBOX]);

/* Asks JetStream's API (NATS ADR-2 and its schemas) and gives its answer, which the caller frees. Not the library's
 * calls where permissions name the subject: which one those use depends on its version. */
MUST_CHECK enum status bus_ask(struct bus *bus, const char *subject, const json_t *question, json_t **answer,
                               const char *doing, struct errmsg *err);

/* The workers' consumer as set-up makes it. */
struct bus_consumer_plan {
    int64_t created_ns; /* of the stream */
    int64_t ack_wait_ms, max_ack_pending;
};
/* Makes it, or changes the one that is there. */
MUST_CHECK enum status bus_set_up_consumer(struct bus *bus, const struct bus_consumer_plan *plan, struct errmsg *err);
/* The plan by which set-up made it. ST_NOT_FOUND: no stream, or set-up is not through with it. */
MUST_CHECK enum status bus_read_consumer_plan(struct bus *bus, struct bus_consumer_plan *out, struct errmsg *err);

/* Turns what the library returned into a status, with "doing: ..." as detail. code is the server's, or 0. */
MUST_CHECK enum status bus_error(natsStatus s, jsErrCode code, const char *doing, struct errmsg *err);

#endif
