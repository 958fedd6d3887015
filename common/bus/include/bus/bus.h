/* bus - what the services do with NATS. Only the files of this room include nats.h.
 * SPDX-License-Identifier: MIT
 *
 * A bus is one connection. It reconnects for ever, and without a connection every call fails at once or after its own
 * time limit. When the library gives a connection up for good (for example because a password was changed), the process
 * ends, and its supervisor starts it again. Functions are thread-safe unless a line says otherwise.
 *
 * ST_BUS_DOWN     there is no connection
 * ST_BUS_TIMEOUT  no answer came in time; the broker may have done what it was asked
 * ST_BUS_FULL     the stream is at its limits, or the broker has no disk or memory left
 * ST_BUS_REFUSED  any other refusal */
#ifndef SCRUTIN_BUS_H
#define SCRUTIN_BUS_H

#include "base/bytes.h"
#include "base/status.h"

#define BUS_STREAM "BALLOTS"
#define BUS_SUBJECT_BALLOTS "ballots.batch"
#define BUS_SUBJECT_FENCE "ballots.fence"
#define BUS_SUBJECT_STORED "stored.>" /* the broker repeats here what BALLOTS has stored, with its sequence */
#define BUS_STREAM_DEAD "DEAD_LETTERS"
#define BUS_SUBJECT_DEAD "dead.ballots"
#define BUS_SUBJECT_TALLY "tally.changed"
#define BUS_CONSUMER "workers"
#define BUS_QUEUE "workers"
#define BUS_MESSAGE_ID 16 /* bytes of the id by which JetStream recognises a message that is sent twice */
#define BUS_SEQUENCE_MAX ((UINT64_C(1) << 40) - 1) /* a million messages a second for twelve days */
#define BUS_TIMEOUT_MS 2000                        /* time limit of a request to JetStream */
#define BUS_WRITE_DEADLINE_MS 500 /* a broker that has stopped reading blocks a caller for at most this time */

struct bus;

/* Returns at once, even when the broker cannot be reached yet. ST_CONFIG: the URL is not valid. */
MUST_CHECK enum status bus_open(const char *url, const char *name, struct bus **out, struct errmsg *err);
/* Sets the exit code for the case that the library gives the connection up. It is 1 otherwise. */
void bus_set_failure_code(int code);
/* Closes the connection and frees the bus. Close its subscriptions and readers first. NULL is fine. */
void bus_close(struct bus *bus);
bool bus_is_connected(struct bus *bus);
/* The largest message that the broker takes, in bytes with headers; 0 before the first connection. */
size_t bus_max_payload(struct bus *bus);
/* bus_is_connected for struct http_check. arg points at the pointer to the bus, which may still be NULL. */
bool bus_is_ready(void *bus, char detail[128]);
/* How many connections were made. When the number has changed, the broker was away meanwhile. */
unsigned bus_connection_count(struct bus *bus);

/* --- set-up: the streams, the buckets and the durable consumer. It may run again at any time. */
struct bus_setup {
    int64_t max_bytes;       /* of BALLOTS */
    int64_t max_age_s;       /* of BALLOTS */
    int64_t ack_wait_ms;     /* of the consumer */
    int64_t max_ack_pending; /* of the consumer, in batches */
    int64_t replicas;
};
MUST_CHECK enum status bus_set_up(struct bus *bus, const struct bus_setup *setup, struct errmsg *err);

/* --- publishing */
/* Publishes on core NATS, without an acknowledgement. */
MUST_CHECK enum status bus_publish(struct bus *bus, const char *subject, const void *data, size_t len,
                                   struct errmsg *err);
/* Waits for the acknowledgement of JetStream. headers is NULL or name, value, …, NULL. sequence may be NULL. */
MUST_CHECK enum status bus_publish_acked(struct bus *bus, const char *subject, const char *const *headers,
                                         const void *data, size_t len, uint64_t *sequence, struct errmsg *err);

/* Receives the acknowledgements of bus_publish_async, on a NATS thread. token is the one of the publication.
 *
 * ST_OK           the stream has it, at `sequence`
 * ST_NOT_FOUND    no stream takes the subject
 * ST_BUS_FULL, ST_BUS_REFUSED  the stream does not have it, for this reason */
typedef void (*bus_on_ack)(void *arg, uint64_t token, enum status status, uint64_t sequence, const char *reason);
/* Call it once for each bus, before the first bus_publish_async. */
MUST_CHECK enum status bus_open_acks(struct bus *bus, bus_on_ack on_ack, void *arg, struct errmsg *err);
/* Publishes with a message id (written as 32 hex digits). Returns when the kernel has the message, at most
 * BUS_WRITE_DEADLINE_MS later. An acknowledgement may never come: the caller needs a deadline. */
MUST_CHECK enum status bus_publish_async(struct bus *bus, const char *subject, const uint8_t id[BUS_MESSAGE_ID],
                                         uint64_t token, const void *data, size_t len, struct errmsg *err);

/* --- key-value buckets */
enum bus_bucket {
    BUS_BUCKET_POLLS, /* `polls`: poll id -> Poll */
    BUS_BUCKET_CODES, /* `codes`: poll id and a random number -> VotingCodes */
    BUS_BUCKETS,
};

struct bus_value {
    struct bytes bytes; /* the caller frees bytes.data */
    uint64_t revision;
};
/* ST_NOT_FOUND: there is no such key. */
MUST_CHECK enum status bus_bucket_get(struct bus *bus, enum bus_bucket bucket, const char *key, struct bus_value *out,
                                      struct errmsg *err);
/* Writes only if the key is at this revision; 0: only if there is no such key. ST_CONFLICT: it is at another one. */
MUST_CHECK enum status bus_bucket_put(struct bus *bus, enum bus_bucket bucket, const char *key, const void *data,
                                      size_t len, uint64_t revision, struct errmsg *err);
/* Removes all keys that match the pattern (`poll.>`), with their history and without a marker. */
MUST_CHECK enum status bus_bucket_purge(struct bus *bus, enum bus_bucket bucket, const char *pattern,
                                        struct errmsg *err);
/* Callbacks of a watch, called on its thread. on_value gets every value in each round, and then each change. A round
 * begins with the watch, after each reconnection, and after a time (polls: one minute). on_synced is called when a
 * round has read the whole bucket, with the number of values. */
struct bus_watch {
    void (*on_value)(void *arg, const char *key, const void *data, size_t len, uint64_t revision);
    void (*on_synced)(void *arg, size_t n);
    void *arg;
};
/* Starts a thread that watches until bus_close. Call it once for each bucket. */
MUST_CHECK enum status bus_watch_bucket(struct bus *bus, enum bus_bucket bucket, const struct bus_watch *watch,
                                        struct errmsg *err);

/* --- the state of the stream and of its consumer */
struct bus_stream_info {
    int64_t created_ns; /* when the stream was first created, since 1970: it tells one incarnation from the next */
    uint64_t first_sequence, last_sequence, messages, bytes;
};
/* ST_NOT_FOUND: there is no stream. */
MUST_CHECK enum status bus_stream_info(struct bus *bus, struct bus_stream_info *out, struct errmsg *err);

struct bus_consumer_info {
    char deliver_subject[128];
    uint64_t ack_floor;  /* every message of the stream up to this sequence is acknowledged */
    uint64_t pending;    /* messages not yet delivered */
    int64_t ack_pending; /* messages delivered and not acknowledged */
    int64_t redelivered;
};
/* Of the durable consumer. ST_NOT_FOUND: there is no consumer, or no stream. */
MUST_CHECK enum status bus_consumer_info(struct bus *bus, struct bus_consumer_info *out, struct errmsg *err);
/* Creates the durable consumer again after it was lost, to deliver from a sequence on. An existing consumer stays as it
 * is: another worker was faster.
 *
 * ST_NOT_FOUND  there is no stream, or set-up has not finished
 * ST_CONFLICT   the consumer of another worker begins elsewhere; look again */
MUST_CHECK enum status bus_restore_consumer(struct bus *bus, uint64_t from_sequence, struct errmsg *err);

/* --- deliveries */
struct delivery {
    const void *data;
    size_t len;
    const char *subject;
    uint64_t sequence;    /* in the stream */
    uint64_t times;       /* how often it was delivered; 1 the first time */
    int64_t stored_at_ns; /* when the stream stored it, since 1970 */
    uint64_t pending;     /* messages behind it */
    void *message;        /* private to the bus; it owns data and subject */
};
/* True when it came on BUS_SUBJECT_FENCE, the subject of fences and gates. */
bool delivery_is_mark(const struct delivery *delivery);
/* A zeroed delivery is fine. */
void delivery_free(struct delivery *delivery);
/* These answer a delivery of the workers' consumer. */
MUST_CHECK enum status delivery_ack(struct bus *bus, const struct delivery *delivery);
MUST_CHECK enum status delivery_nak(struct bus *bus, const struct delivery *delivery, int64_t delay_ms);
MUST_CHECK enum status delivery_term(struct bus *bus, const struct delivery *delivery);
/* Reads the reply subject of a delivery, `$JS.ACK.…` of 9, 11 or 12 tokens (NATS ADR-15). False: it is not one of this
 * stream and consumer (NULL: any consumer), or its sequence is above BUS_SEQUENCE_MAX. Pure. */
bool delivery_parse_reply(const char *reply, const char *stream, const char *consumer, struct delivery *out);

/* --- messages of the stream BALLOTS, without a consumer. The caller frees the delivery and does not answer it. */
/* The message with this sequence. ST_NOT_FOUND: the stream does not have it any more. */
MUST_CHECK enum status bus_fetch_message(struct bus *bus, uint64_t sequence, struct delivery *out, struct errmsg *err);
/* The first message of a subject from a sequence on. ST_NOT_FOUND: there is none up to the end of the stream. */
MUST_CHECK enum status bus_fetch_next(struct bus *bus, const char *subject, uint64_t from_sequence,
                                      struct delivery *out, struct errmsg *err);

/* Reads the stream from a sequence on, in order and without a gap. It asks for the messages that the stream has, and
 * takes new ones from BUS_SUBJECT_STORED. It changes nothing in the broker. One thread at a time. */
struct bus_reader;
MUST_CHECK enum status bus_reader_open(struct bus *bus, uint64_t from_sequence, struct bus_reader **out,
                                       struct errmsg *err);
/* The next message. timeout_ms 0 does not wait.
 *
 * ST_NOT_FOUND  none came in time
 * ST_BUS_DOWN   also: a message was lost on the way
 *
 * After any error but ST_NOT_FOUND, close the reader and open one behind the last message. */
MUST_CHECK enum status bus_reader_next(struct bus_reader *reader, int64_t timeout_ms, struct delivery *out,
                                       struct errmsg *err);
/* New messages that wait in memory. */
int64_t bus_reader_waiting(struct bus_reader *reader);
void bus_reader_close(struct bus_reader *reader); /* NULL is fine */

/* --- the queue group of the workers. One thread at a time. */
struct bus_subscription;
/* Joins the queue group on a deliver subject. Never creates or deletes the consumer. */
MUST_CHECK enum status bus_join_workers(struct bus *bus, const char *deliver_subject, struct bus_subscription **out,
                                        struct errmsg *err);
/* The next delivery. timeout_ms 0 does not wait. ST_NOT_FOUND: none came in time. Any other error: the subscription
 * cannot be used any more. */
MUST_CHECK enum status bus_next(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                                struct errmsg *err);
void bus_subscription_close(struct bus_subscription *subscription); /* NULL is fine */

/* --- core NATS */
/* Calls on_message on a NATS thread for every message of a subject, until bus_close. */
MUST_CHECK enum status bus_listen(struct bus *bus, const char *subject,
                                  void (*on_message)(void *arg, const void *data, size_t len), void *arg,
                                  struct errmsg *err);

#endif
