/* bus - what the services do with NATS. Only bus*.c include nats.h.
 * SPDX-License-Identifier: MIT
 *
 * A bus is one connection that reconnects for ever; while it is down every call fails at once or after its own limit.
 * A connection that the library gave up on (authorisation revoked) ends the process: its supervisor starts it again.
 * Thread-safe unless a line says otherwise. */
#ifndef SCRUTIN_BUS_H
#define SCRUTIN_BUS_H

#include "base/bytes.h"
#include "base/status.h"

#define BUS_STREAM "BALLOTS"
#define BUS_SUBJECT_BALLOTS "ballots.batch"
#define BUS_SUBJECT_FENCE "ballots.fence"
#define BUS_SUBJECT_STORED "stored.>" /* the broker sends there what BALLOTS has taken, with its sequence */
#define BUS_STREAM_DEAD "DEAD_LETTERS"
#define BUS_SUBJECT_DEAD "dead.ballots"
#define BUS_SUBJECT_TALLY "tally.changed"
#define BUS_CONSUMER "workers"
#define BUS_QUEUE "workers"
#define BUS_MESSAGE_ID 16 /* bytes of the id by which JetStream knows a message that is sent twice */
#define BUS_SEQUENCE_MAX ((UINT64_C(1) << 40) - 1) /* a million messages a second for twelve days */
#define BUS_TIMEOUT_MS 2000                        /* limit of a request to JetStream */
#define BUS_WRITE_DEADLINE_MS 500 /* a broker that stopped reading holds a caller no longer than this */

struct bus;

/* Returns at once, also where the broker is not there yet. ST_CONFIG: the URL is not one. */
MUST_CHECK enum status bus_open(const char *url, const char *name, struct bus **out, struct errmsg *err);
/* What the process ends with when the library gives a connection up; 1 unless this says otherwise. */
void bus_set_failure_code(int code);
/* Closes the connection and frees the bus; its subscriptions must be closed before. NULL is fine. */
void bus_close(struct bus *bus);
bool bus_is_connected(struct bus *bus);
/* Bytes of a message and its headers that the broker takes; 0 before the first connection. */
size_t bus_max_payload(struct bus *bus);
/* The same for struct http_check; arg points at the bus's pointer, which may be NULL yet. */
bool bus_is_ready(void *bus, char detail[128]);
/* Counts the connections made: a number that changed means that the broker was away. */
unsigned bus_connection_count(struct bus *bus);

/* --- set-up: stream, dead letters, buckets, durable consumer. Idempotent. */
struct bus_setup {
    int64_t max_bytes;       /* of BALLOTS */
    int64_t max_age_s;       /* of BALLOTS */
    int64_t ack_wait_ms;     /* of the consumer */
    int64_t max_ack_pending; /* of the consumer, in batches */
    int64_t replicas;
};
MUST_CHECK enum status bus_set_up(struct bus *bus, const struct bus_setup *setup, struct errmsg *err);

/* --- publishing */
/* Fire and forget, on core NATS. */
MUST_CHECK enum status bus_publish(struct bus *bus, const char *subject, const void *data, size_t len,
                                   struct errmsg *err);
/* Waits for JetStream's acknowledgement. headers is NULL or name, value, …, NULL. */
MUST_CHECK enum status bus_publish_acked(struct bus *bus, const char *subject, const char *const *headers,
                                         const void *data, size_t len, uint64_t *sequence, struct errmsg *err);

/* Acknowledgements of bus_publish_async come here, on a NATS thread: token is the publication's, status ST_OK with its
 * sequence, or ST_BUS_REFUSED with the server's reason. */
typedef void (*bus_on_ack)(void *arg, uint64_t token, enum status status, uint64_t sequence, const char *reason);
/* Once per bus, before the first publication. */
MUST_CHECK enum status bus_open_acks(struct bus *bus, bus_on_ack on_ack, void *arg, struct errmsg *err);
/* Publishes with a message id (written as 32 hex digits), returns when it is handed to the kernel, at most the write
 * deadline (500 ms) later. A token's acknowledgement may never come: the caller has the deadline. */
MUST_CHECK enum status bus_publish_async(struct bus *bus, const char *subject, const uint8_t id[BUS_MESSAGE_ID],
                                         uint64_t token, const void *data, size_t len, struct errmsg *err);

/* --- key-value buckets */
enum bus_bucket {
    BUS_BUCKET_POLLS, /* `polls`: poll id -> Poll */
    BUS_BUCKET_CODES, /* `codes`: poll id and a random number -> VotingCodes */
    BUS_BUCKETS,
};

struct bus_value {
    struct bytes bytes; /* the caller's */
    uint64_t revision;
};
/* ST_NOT_FOUND: no such key. */
MUST_CHECK enum status bus_bucket_get(struct bus *bus, enum bus_bucket bucket, const char *key, struct bus_value *out,
                                      struct errmsg *err);
/* Writes only over the given revision; 0: only where the key is not there. ST_CONFLICT: somebody was faster. */
MUST_CHECK enum status bus_bucket_put(struct bus *bus, enum bus_bucket bucket, const char *key, const void *data,
                                      size_t len, uint64_t revision, struct errmsg *err);
/* Removes all keys that the pattern fits (`poll.>`), with their history and without a marker. */
MUST_CHECK enum status bus_bucket_purge(struct bus *bus, enum bus_bucket bucket, const char *pattern,
                                        struct errmsg *err);
/* A thread that keeps calling on_value for every value of the bucket: all of them at first, after each reconnection and
 * now and then (of polls once a minute), and each change as it comes. on_synced is called after each round through all
 * of them, with how many there were. Runs until bus_close. Once a bucket. */
struct bus_watch {
    void (*on_value)(void *arg, const char *key, const void *data, size_t len, uint64_t revision);
    void (*on_synced)(void *arg, size_t n);
    void *arg;
};
MUST_CHECK enum status bus_watch_bucket(struct bus *bus, enum bus_bucket bucket, const struct bus_watch *watch,
                                        struct errmsg *err);

/* --- looking */
struct bus_stream_info {
    int64_t created_ns; /* since 1970, as the description has it: tells one incarnation of the stream from the next */
    uint64_t first_sequence, last_sequence, messages, bytes;
};
MUST_CHECK enum status bus_stream_info(struct bus *bus, struct bus_stream_info *out, struct errmsg *err);

struct bus_consumer_info {
    char deliver_subject[128];
    uint64_t ack_floor;  /* stream sequence up to which everything is acknowledged */
    uint64_t pending;    /* messages not yet delivered */
    int64_t ack_pending; /* messages delivered and not acknowledged */
    int64_t redelivered;
};
/* Of the durable consumer. ST_NOT_FOUND: it is not there, or the stream is not. */
MUST_CHECK enum status bus_consumer_info(struct bus *bus, struct bus_consumer_info *out, struct errmsg *err);
/* Makes the durable consumer that is missing as set-up made it, to deliver what comes from a sequence on. One that is
 * there stays as it is: another worker was faster.
 *
 * ST_NOT_FOUND  no stream, or set-up is not through with it
 * ST_CONFLICT   another worker's begins elsewhere; look again */
MUST_CHECK enum status bus_restore_consumer(struct bus *bus, uint64_t from_sequence, struct errmsg *err);

/* --- receiving */
struct delivery {
    const void *data;
    size_t len;
    const char *subject;
    uint64_t sequence;    /* in the stream */
    uint64_t times;       /* delivered so often, 1 the first time */
    int64_t stored_at_ns; /* when the stream took it */
    uint64_t pending;     /* messages behind it */
    void *message;        /* the bus's */
};
/* True when it came on BUS_SUBJECT_FENCE, the subject of fences and gates. */
bool delivery_is_mark(const struct delivery *delivery);
void delivery_free(struct delivery *delivery);
MUST_CHECK enum status delivery_ack(struct bus *bus, const struct delivery *delivery);
MUST_CHECK enum status delivery_nak(struct bus *bus, const struct delivery *delivery, int64_t delay_ms);
MUST_CHECK enum status delivery_term(struct bus *bus, const struct delivery *delivery);
/* Reads the reply subject of a delivery, `$JS.ACK.…` of 9, 11 or 12 tokens (NATS ADR-15). False: it is none, or not one
 * of this stream and consumer (NULL: any consumer), or its sequence is above BUS_SEQUENCE_MAX. Pure. */
bool delivery_parse_reply(const char *reply, const char *stream, const char *consumer, struct delivery *out);

struct bus_subscription;
/* Joins the queue group on a deliver subject. Never creates or deletes the consumer. */
MUST_CHECK enum status bus_join_workers(struct bus *bus, const char *deliver_subject, struct bus_subscription **out,
                                        struct errmsg *err);
/* One message of the stream BALLOTS by its sequence, to be freed and not to be answered. ST_NOT_FOUND: the stream does
 * not hold it any more. */
MUST_CHECK enum status bus_fetch_message(struct bus *bus, uint64_t sequence, struct delivery *out, struct errmsg *err);
/* The first message of a subject from a sequence on, likewise. ST_NOT_FOUND: none up to the end of the stream. */
MUST_CHECK enum status bus_fetch_next(struct bus *bus, const char *subject, uint64_t from_sequence,
                                      struct delivery *out, struct errmsg *err);
/* Reads the stream BALLOTS from a sequence on, in order and without a gap, and leaves no trace there: what is in it
 * by asking for it, what comes from BUS_SUBJECT_STORED. bus_next says ST_BUS_DOWN when a message was lost on the way:
 * read again from behind the last one. */
MUST_CHECK enum status bus_read_stream(struct bus *bus, uint64_t from_sequence, struct bus_subscription **out,
                                       struct errmsg *err);
/* The next delivery, or ST_NOT_FOUND when none came in time (0: only what is here already). Other: the subscription is
 * no longer usable. One thread at a time. */
MUST_CHECK enum status bus_next(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                                struct errmsg *err);
/* Deliveries and bytes that wait in memory. */
int64_t bus_subscription_waiting(struct bus_subscription *subscription);
void bus_subscription_close(struct bus_subscription *subscription); /* NULL is fine */

/* Calls on_message on a NATS thread for every message of a core subject, until bus_close. */
MUST_CHECK enum status bus_listen(struct bus *bus, const char *subject,
                                  void (*on_message)(void *arg, const void *data, size_t len), void *arg,
                                  struct errmsg *err);

#endif
