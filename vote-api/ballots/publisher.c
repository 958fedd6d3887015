/* publisher - sends publications, matches acknowledgements to them, and keeps deadlines.
 * SPDX-License-Identifier: MIT */
#include "ballots/publisher.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/metrics.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS 100 /* how often an idle thread checks deadlines and the connection */
/* How long after the deadline an acknowledgement still counts: a message that is sent just before the deadline may wait
 * for the write deadline. After that, for example when this process was stopped for a while, the ballots may be behind
 * the fence of their poll, so no voter may be told that they are recorded. The closer relies on this. */
#define LATE_MS BUS_WRITE_DEADLINE_MS

struct publisher {
    struct bus *bus;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t next_token;
    struct publication *under_way; /* a list, oldest first: sent ones, then unsent ones */
    struct publication *sending;   /* the thread is sending it now, without the lock */
    bool sending_done;             /* its acknowledgement came while it was being sent */
    struct metric *acked, *refused, *timed_out;
};

/* Gives a list of publications back to their owners. Without the lock. */
static void finish_publications(struct publisher *publisher, struct publication *list)
{
    while (list != NULL) {
        struct publication *publication = list;
        list = publication->next;
        metric_add(publication->status == ST_OK            ? publisher->acked
                   : publication->status == ST_BUS_TIMEOUT ? publisher->timed_out
                                                           : publisher->refused,
                   1);
        publication->on_done(publication);
    }
}

/* On a NATS thread. */
static void on_ack(void *arg, uint64_t token, enum status status, uint64_t sequence, const char *reason)
{
    struct publisher *publisher = arg;
    struct publication *done = NULL;

    pthread_mutex_lock(&publisher->lock);
    struct publication **at = &publisher->under_way;
    while (*at != NULL && (*at)->token != token)
        at = &(*at)->next;
    if (*at != NULL) {
        struct publication *publication = *at;
        *at = publication->next;
        publication->next = NULL;
        if (status == ST_OK && clock_mono_ms() > publication->deadline_ms + LATE_MS)
            publication->status = fail(&publication->err, ST_BUS_TIMEOUT, "the acknowledgement came too late");
        else
            publication->status = status == ST_OK ? ST_OK : fail(&publication->err, status, "%s", reason);
        publication->sequence = sequence;
        if (publication == publisher->sending)
            publisher->sending_done = true; /* the publisher's thread still uses it, and finishes it */
        else
            done = publication;
    }
    pthread_mutex_unlock(&publisher->lock);
    finish_publications(publisher, done);
}

/* --- the publisher's thread */

/* Takes the publications that are past their deadline out of the list. */
static struct publication *take_expired(struct publisher *publisher, int64_t now)
{
    struct publication *expired = NULL, **at = &publisher->under_way;

    while (*at != NULL) {
        struct publication *publication = *at;
        if (now < publication->deadline_ms) {
            at = &publication->next;
            continue;
        }
        *at = publication->next;
        publication->status = publication->connection == 0
                                  ? fail(&publication->err, ST_BUS_DOWN, "the broker cannot be reached")
                                  : fail(&publication->err, ST_BUS_TIMEOUT, "the broker did not acknowledge in time");
        publication->next = expired;
        expired = publication;
    }
    return expired;
}

/* The oldest publication that was not sent on this connection. */
static struct publication *find_unsent(struct publisher *publisher, unsigned connection)
{
    for (struct publication *p = publisher->under_way; p != NULL; p = p->next)
        if (p->connection != connection)
            return p;
    return NULL;
}

/* Sends a publication, without the lock. Returns it if its acknowledgement came before the call returned. */
static struct publication *send_one(struct publisher *publisher, struct publication *publication, unsigned connection)
{
    struct errmsg err;
    struct publication *done = NULL;

    publication->connection = connection;
    publisher->sending = publication;
    publisher->sending_done = false;
    pthread_mutex_unlock(&publisher->lock);
    enum status st = bus_publish_async(publisher->bus, publication->subject, publication->id, publication->token,
                                       publication->data.data, publication->data.len, &err);
    pthread_mutex_lock(&publisher->lock);
    if (publisher->sending_done)
        done = publication;
    else if (st == ST_BUS_DOWN)
        publication->connection = 0; /* nothing was sent */
    publisher->sending = NULL;
    return done;
}

static void wait_for_work(struct publisher *publisher)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += IDLE_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&publisher->wake, &publisher->lock, &until);
}

static void *publisher_run(void *arg)
{
    struct publisher *publisher = arg;

    pthread_mutex_lock(&publisher->lock);
    for (;;) {
        struct publication *done = take_expired(publisher, clock_mono_ms());
        unsigned connection = bus_connection_count(publisher->bus);
        struct publication *next = bus_is_connected(publisher->bus) ? find_unsent(publisher, connection) : NULL;
        if (next != NULL) {
            struct publication *acked = send_one(publisher, next, connection);
            if (acked != NULL) {
                acked->next = done;
                done = acked;
            }
        } else if (done == NULL) {
            wait_for_work(publisher);
        }
        if (done != NULL) {
            pthread_mutex_unlock(&publisher->lock);
            finish_publications(publisher, done);
            pthread_mutex_lock(&publisher->lock);
        }
    }
    return NULL;
}

enum status publisher_open(struct bus *bus, struct publisher **out, struct errmsg *err)
{
    struct publisher *publisher = alloc_items(1, sizeof(*publisher));
    pthread_condattr_t attr;

    *out = NULL;
    publisher->bus = bus;
    publisher->next_token = 1;
    publisher->acked = metric_counter("publications_total", "result=\"acknowledged\"",
                                      "Batches handed to the broker, by result.");
    publisher->refused = metric_counter("publications_total", "result=\"refused\"",
                                        "Batches handed to the broker, by result.");
    publisher->timed_out = metric_counter("publications_total", "result=\"timed_out\"",
                                          "Batches handed to the broker, by result.");
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->wake, &attr);
    enum status st = bus_open_acks(bus, on_ack, publisher, err);
    if (st == ST_OK && pthread_create(&publisher->thread, NULL, publisher_run, publisher) != 0)
        st = fail(err, ST_IO, "cannot start a thread");
    if (st == ST_OK)
        *out = publisher;
    else
        free(publisher);
    return st;
}

void publisher_submit(struct publisher *publisher, struct publication *publication)
{
    pthread_mutex_lock(&publisher->lock);
    struct publication **at = &publisher->under_way;
    while (*at != NULL)
        at = &(*at)->next;
    *at = publication;
    publication->next = NULL;
    publication->connection = 0;
    publication->sequence = 0;
    publication->token = publisher->next_token++;
    pthread_cond_signal(&publisher->wake);
    pthread_mutex_unlock(&publisher->lock);
}
