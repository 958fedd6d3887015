/* bus_read - reads the stream BALLOTS without a consumer.
 * SPDX-License-Identifier: MIT
 *
 * A user who may make a consumer of a stream can also replace any other one there: the broker takes the name that
 * stands in the request (nats-server 2.10.27 and 2.12.15). So readers ask for messages by sequence, and hear of new
 * ones on BUS_SUBJECT_STORED, where the broker repeats what it has stored. A message that is missed there is asked for.
 */
#include "answer_window.h"
#include "bus_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET BUS_API "STREAM.MSG.GET." BUS_STREAM
#define LIVE_MESSAGES 4096            /* that wait to be read; what does not fit is asked for later */
#define LIVE_BYTES (16 * 1024 * 1024) /* likewise */

struct stream_reader {
    natsSubscription *answers;
    char inbox[BUS_INBOX];
    uint64_t next;  /* sequence that is handed out next */
    uint64_t asked; /* for all up to here */
    uint64_t known; /* the end of the stream, as far as it is known */
    struct answer_window window;
    bool begun;    /* handed out a first one: from there on without a gap */
    natsMsg *held; /* came while those before it are asked for; NULL: none */
    uint64_t held_sequence;
};

enum status bus_fetch_message(struct bus *bus, uint64_t sequence, struct delivery *out, struct errmsg *err)
{
    natsMsg *msg = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetMsg(&msg, bus->js, BUS_STREAM, sequence, NULL, &code);

    *out = (struct delivery){.sequence = sequence};
    if (s == NATS_OK) {
        out->stored_at_ns = natsMsg_GetTime(msg);
        bus_set_message(out, msg);
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
        bus_set_message(out, msg);
    free(bytes);
    json_decref(answer);
    return st;
}

/* The library's js_GetMsg knows a sequence only. */
static void write_question(char question[160], uint64_t sequence, const char *subject)
{
    snprintf(question, 160, "{\"seq\":%llu,\"next_by_subj\":\"%s\"}", (unsigned long long)sequence, subject);
}

enum status bus_fetch_next(struct bus *bus, const char *subject, uint64_t from_sequence, struct delivery *out,
                           struct errmsg *err)
{
    char question[160];
    natsMsg *reply = NULL;

    *out = (struct delivery){NULL};
    write_question(question, from_sequence > 0 ? from_sequence : 1, subject);
    natsStatus s = natsConnection_RequestString(&reply, bus->nc, GET, question, BUS_TIMEOUT_MS);
    enum status st = bus_error(s, 0, "look into " BUS_STREAM, err);
    if (st == ST_OK)
        st = read_message(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), out, err);
    natsMsg_Destroy(reply);
    return st;
}

/* --- a reader */

/* Listens first and then asks where the stream ends: nothing is between. */
static enum status open_reader(struct bus *bus, struct bus_subscription *subscription, struct errmsg *err)
{
    struct stream_reader *reader = subscription->reader;
    struct bus_stream_info info;

    char subject[BUS_INBOX + 2];

    bus_new_inbox(bus, reader->inbox);
    snprintf(subject, sizeof(subject), "%s.*", reader->inbox);
    natsStatus s = natsConnection_SubscribeSync(&reader->answers, bus->nc, subject);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(reader->answers, -1, -1); /* ANSWER_WINDOW limits */
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&subscription->sub, bus->nc, BUS_SUBJECT_STORED);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(subscription->sub, LIVE_MESSAGES, LIVE_BYTES);
    enum status st = bus_error(s, 0, "read " BUS_STREAM, err);
    if (st == ST_OK)
        st = bus_stream_info(bus, &info, err);
    if (st == ST_OK)
        reader->known = info.last_sequence;
    return st;
}

enum status bus_read_stream(struct bus *bus, uint64_t from_sequence, struct bus_subscription **out, struct errmsg *err)
{
    struct bus_subscription *subscription = bus_new_subscription(bus);

    *out = NULL;
    subscription->reader = calloc(1, sizeof(*subscription->reader));
    if (subscription->reader == NULL)
        abort();
    subscription->reader->next = from_sequence > 0 ? from_sequence : 1;
    subscription->reader->asked = subscription->reader->next - 1;
    enum status st = open_reader(bus, subscription, err);
    if (st == ST_OK)
        *out = subscription;
    else
        bus_subscription_close(subscription);
    return st;
}

void bus_end_reader(struct bus_subscription *subscription)
{
    struct stream_reader *reader = subscription->reader;

    if (reader == NULL)
        return;
    natsMsg_Destroy(reader->held);
    for (size_t i = 0; i < ANSWER_WINDOW; i++)
        natsMsg_Destroy(reader->window.kept[i]);
    bus_end_subscription(subscription->bus, reader->answers);
    free(reader);
    subscription->reader = NULL;
}

/* Hands out a message. Before the first one there may be a gap: the stream begins where it does. */
static enum status hand_out(struct stream_reader *reader, natsMsg *msg, uint64_t sequence, struct delivery *out,
                            struct errmsg *err)
{
    if (reader->begun && sequence != reader->next) {
        natsMsg_Destroy(msg);
        *out = (struct delivery){NULL};
        return fail(err, ST_BUS_DOWN, "message %llu follows %llu: what is between was lost on the way",
                    (unsigned long long)sequence, (unsigned long long)reader->next - 1);
    }
    reader->begun = true;
    reader->next = sequence + 1;
    if (reader->asked < sequence)
        reader->asked = sequence;
    if (reader->known < sequence)
        reader->known = sequence;
    out->sequence = sequence;
    out->pending = reader->known - sequence;
    bus_set_message(out, msg);
    return ST_OK;
}

/* Asks for as many as may be under way, up to `last`. */
static enum status ask_for_more(struct bus_subscription *subscription, uint64_t last, struct errmsg *err)
{
    struct stream_reader *reader = subscription->reader;
    natsStatus s = NATS_OK;
    char question[160], inbox[BUS_INBOX + 24];

    while (s == NATS_OK && reader->asked < last && !answer_window_is_full(&reader->window)) {
        write_question(question, ++reader->asked, "ballots.>");
        snprintf(inbox, sizeof(inbox), "%s.%llu", reader->inbox, (unsigned long long)reader->window.asked);
        s = natsConnection_PublishRequestString(subscription->bus->nc, GET, inbox, question);
        reader->window.asked++;
    }
    return bus_error(s, 0, "read " BUS_STREAM, err);
}

/* Waits for the answer to the oldest question; others may come before it. */
static enum status next_answer(struct stream_reader *reader, int64_t timeout_ms, natsMsg **out, struct errmsg *err)
{
    while ((*out = answer_window_take(&reader->window)) == NULL) {
        natsMsg *answer = NULL;
        enum status st = bus_next_message(reader->answers, timeout_ms, &answer, err);
        if (st != ST_OK)
            return st;
        const char *number = strrchr(natsMsg_GetSubject(answer), '.') + 1;
        if (!answer_window_keep(&reader->window, strtoull(number, NULL, 10), answer))
            natsMsg_Destroy(answer);
    }
    return ST_OK;
}

/* Waits for the next message that was asked for. ST_CONFLICT: that was handed out already. */
static enum status next_stored(struct bus_subscription *subscription, uint64_t last, int64_t timeout_ms,
                               struct delivery *out, struct errmsg *err)
{
    struct stream_reader *reader = subscription->reader;
    natsMsg *answer = NULL;
    enum status st = ask_for_more(subscription, last, err);

    if (st == ST_OK)
        st = next_answer(reader, timeout_ms, &answer, err);
    if (st != ST_OK)
        return st;
    st = read_message(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer), out, err);
    natsMsg_Destroy(answer);
    if (st == ST_NOT_FOUND)
        return fail(err, ST_BUS_DOWN, "the stream ends before message %llu", (unsigned long long)reader->next);
    if (st == ST_OK && out->sequence < reader->next) {
        delivery_free(out);
        return ST_CONFLICT;
    }
    return st == ST_OK ? hand_out(reader, out->message, out->sequence, out, err) : st;
}

/* Waits for a message that the broker has just stored, and holds it. */
static enum status hold_next(struct bus_subscription *subscription, int64_t timeout_ms, struct errmsg *err)
{
    struct stream_reader *reader = subscription->reader;
    const char *text = NULL, *stream = NULL;
    natsMsg *msg = NULL;
    enum status st = bus_next_message(subscription->sub, timeout_ms, &msg, err);

    if (st != ST_OK)
        return st;
    if (natsMsgHeader_Get(msg, "Nats-Stream", &stream) == NATS_OK && strcmp(stream, BUS_STREAM) == 0 &&
        natsMsgHeader_Get(msg, "Nats-Sequence", &text) == NATS_OK) {
        reader->held = msg;
        reader->held_sequence = strtoull(text, NULL, 10);
    } else {
        natsMsg_Destroy(msg);
    }
    return ST_OK;
}

enum status bus_next_of_stream(struct bus_subscription *subscription, int64_t timeout_ms, struct delivery *out,
                               struct errmsg *err)
{
    struct stream_reader *reader = subscription->reader;
    enum status st = ST_OK;

    for (;;) {
        if (reader->held != NULL && reader->held_sequence < reader->next) { /* was asked for meanwhile */
            natsMsg_Destroy(reader->held);
            reader->held = NULL;
        }
        if (reader->held != NULL && (reader->held_sequence == reader->next)) {
            natsMsg *msg = reader->held;
            reader->held = NULL;
            st = hand_out(reader, msg, reader->held_sequence, out, err);
            if (st == ST_OK && natsMsgHeader_Get(msg, "Nats-Subject", &out->subject) != NATS_OK)
                out->subject = natsMsg_GetSubject(msg);
            return st;
        }
        uint64_t last = reader->held != NULL ? reader->held_sequence - 1 : reader->known;
        if (reader->next <= last) {
            st = next_stored(subscription, last, timeout_ms, out, err);
            if (st != ST_CONFLICT)
                return st;
        } else {
            st = hold_next(subscription, timeout_ms, err);
            if (st != ST_OK)
                return st;
        }
    }
}
