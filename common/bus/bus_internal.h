/* bus_internal - what the files of the bus share. Only they include it, and only they include nats.h.
 * SPDX-License-Identifier: MIT
 *
 * The files stand in this order. Each one calls only files above it.
 *
 *     bus_api       questions to JetStream's API, errors
 *     bus           the connection, inboxes, the end of a subscription
 *     bus_publish   publishing
 *     bus_delivery  reply subjects and answers of deliveries
 *     bus_stream    the state, the description and single messages of the stream
 *     bus_consumer  the workers' consumer
 *     bus_reader    reading the stream without a consumer
 *     bus_workers   the queue group of the workers
 *     bus_bucket    key-value buckets
 *     bus_setup     creates all of it */
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
#define BUS_STREAM_GET BUS_API "STREAM.MSG.GET." BUS_STREAM
#define BUS_QUESTION 160    /* bytes of a question for a message of the stream */
#define BUS_DESCRIPTION 160 /* bytes of the stream's description */
#define BUS_STREAM_PURPOSE "Every acknowledged ballot: the audit log"

/* A bucket as set-up creates it. */
struct bus_bucket_plan {
    const char *name;
    const char *stream; /* that holds the bucket */
    const char *prefix; /* of the keys' subjects */
    const char *description;
    uint8_t history;        /* revisions kept of a key */
    int64_t watch_round_ms; /* a watch reads the whole bucket again after this time */
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
    sem_t closed;         /* posted when the last callback of the library has run */
    pthread_mutex_t lock; /* protects kv and ended */
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

/* A subscription that has ended. The read loop of the connection may still hold it. */
struct ended {
    struct ended *next;
    natsSubscription *sub;
};

/* --- bus_api.c */

/* Turns what the library returned into a status, with "doing: ..." as detail. code is the number of the server's error,
 * or 0. */
MUST_CHECK enum status bus_error(natsStatus s, jsErrCode code, const char *doing, struct errmsg *err);
/* The status of an answer of the server by its "error": {"err_code", "description"}. ST_OK: it has none. */
MUST_CHECK enum status bus_read_refusal(const json_t *answer, const char *doing, struct errmsg *err);
/* Asks JetStream's API (NATS ADR-2 and its schemas). The caller frees the answer. The calls of the library choose the
 * subject by the version of the library; this function serves where our permissions name the subject. */
MUST_CHECK enum status bus_ask(struct bus *bus, const char *subject, const json_t *question, json_t **answer,
                               const char *doing, struct errmsg *err);

/* --- bus.c */

/* A subject for answers that nobody else knows or may listen to. */
void bus_new_inbox(struct bus *bus, char out[BUS_INBOX]);
/* Unsubscribes, and destroys the subscription when the read loop has left it. NULL is fine. */
void bus_end_subscription(struct bus *bus, natsSubscription *sub);

/* --- bus_delivery.c */

/* The next message of a subscription. ST_NOT_FOUND: none came in time. timeout_ms 0 does not wait. */
MUST_CHECK enum status bus_next_message(natsSubscription *sub, int64_t timeout_ms, natsMsg **out, struct errmsg *err);
/* Puts a message into a delivery, which owns it from then on. */
void bus_set_message(struct delivery *delivery, natsMsg *msg);

/* --- bus_stream.c */

/* The workers' consumer as set-up creates it. */
struct bus_consumer_plan {
    int64_t created_ns; /* of the stream */
    int64_t ack_wait_ms, max_ack_pending;
};
/* The description of the stream holds the plan, for a worker that must create the consumer again. */
void bus_write_description(char out[BUS_DESCRIPTION], const struct bus_consumer_plan *plan);
/* ST_NOT_FOUND: there is no stream, or set-up has not finished. */
MUST_CHECK enum status bus_read_consumer_plan(struct bus *bus, struct bus_consumer_plan *out, struct errmsg *err);
/* When the stream was first created, in nanoseconds since 1970. */
int64_t bus_read_incarnation(const jsStreamInfo *info);
/* The question for the first message of a subject from a sequence on, and its answer as a delivery. ST_NOT_FOUND: the
 * stream has no such message; any other error is ST_BUS_REFUSED. */
void bus_write_stream_question(char out[BUS_QUESTION], uint64_t sequence, const char *subject);
MUST_CHECK enum status bus_read_stored(const char *text, size_t len, struct delivery *out, struct errmsg *err);

/* --- bus_consumer.c */

/* Creates the workers' consumer or updates it. */
MUST_CHECK enum status bus_set_up_consumer(struct bus *bus, const struct bus_consumer_plan *plan, struct errmsg *err);

#endif
