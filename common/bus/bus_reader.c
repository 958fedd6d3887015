/* bus_reader - reads the stream BALLOTS without a consumer.
 * SPDX-License-Identifier: MIT
 *
 * A user who may create a consumer of a stream can also replace any other consumer there: the broker takes the name
 * that stands in the request (nats-server 2.10.27 and 2.12.15). So readers ask for messages by sequence. They hear of
 * new messages on BUS_SUBJECT_STORED, where the broker repeats what it has stored, and ask for those that they missed
 * there. */
#include "answer_window.h"
#include "bus_internal.h"

#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

#define LIVE_MESSAGES 4096            /* that may wait to be read; the reader asks again for those that do not fit */
#define LIVE_BYTES (16 * 1024 * 1024) /* likewise */

struct bus_reader {
    struct bus *bus;
    natsSubscription *stored; /* new messages */
    natsSubscription *answers;
    char inbox[BUS_INBOX];
    uint64_t next;  /* sequence of the message that is handed out next */
    uint64_t asked; /* every message up to this sequence was asked for */
    uint64_t known; /* last sequence of the stream, as far as the reader knows */
    struct answer_window window;
    bool begun;    /* one message was handed out: from there on a gap is an error */
    natsMsg *held; /* a new message that waits until those before it are read; NULL: none */
    uint64_t held_sequence;
};

/* Subscribes first and then asks where the stream ends, so that no message falls between the two. */
static enum status subscribe_reader(struct bus_reader *reader, struct errmsg *err)
{
    struct bus_stream_info info;
    char subject[BUS_INBOX + 2];

    bus_new_inbox(reader->bus, reader->inbox);
    snprintf(subject, sizeof(subject), "%s.*", reader->inbox);
    natsStatus s = natsConnection_SubscribeSync(&reader->answers, reader->bus->nc, subject);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(reader->answers, -1, -1); /* ANSWER_WINDOW is the limit */
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&reader->stored, reader->bus->nc, BUS_SUBJECT_STORED);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(reader->stored, LIVE_MESSAGES, LIVE_BYTES);
    enum status st = bus_error(s, 0, "read " BUS_STREAM, err);
    if (st == ST_OK)
        st = bus_stream_info(reader->bus, &info, err);
    if (st == ST_OK)
        reader->known = info.last_sequence;
    return st;
}

enum status bus_reader_open(struct bus *bus, uint64_t from_sequence, struct bus_reader **out, struct errmsg *err)
{
    struct bus_reader *reader = alloc_items(1, sizeof(*reader));

    *out = NULL;
    reader->bus = bus;
    reader->next = from_sequence > 0 ? from_sequence : 1;
    reader->asked = reader->next - 1;
    enum status st = subscribe_reader(reader, err);
    if (st == ST_OK)
        *out = reader;
    else
        bus_reader_close(reader);
    return st;
}

void bus_reader_close(struct bus_reader *reader)
{
    if (reader == NULL)
        return;
    natsMsg_Destroy(reader->held);
    for (size_t i = 0; i < ANSWER_WINDOW; i++)
        natsMsg_Destroy(reader->window.kept[i]);
    bus_end_subscription(reader->bus, reader->answers);
    bus_end_subscription(reader->bus, reader->stored);
    free(reader);
}

int64_t bus_reader_waiting(struct bus_reader *reader)
{
    int waiting = 0;

    natsSubscription_GetPending(reader->stored, &waiting, NULL);
    return waiting;
}

/* Hands out a message. A gap before the first one is no error: the stream no longer has what is missing there. */
static enum status hand_out(struct bus_reader *reader, natsMsg *msg, uint64_t sequence, struct delivery *out,
                            struct errmsg *err)
{
    if (reader->begun && sequence != reader->next) {
        natsMsg_Destroy(msg);
        *out = (struct delivery){NULL};
        return fail(err, ST_BUS_DOWN, "message %llu follows %llu: the messages between them were lost on the way",
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

/* Asks for the messages up to `last`, as many as the window allows. */
static enum status ask_for_more(struct bus_reader *reader, uint64_t last, struct errmsg *err)
{
    natsStatus s = NATS_OK;
    char question[BUS_QUESTION], inbox[BUS_INBOX + 24];

    while (s == NATS_OK && reader->asked < last && !answer_window_is_full(&reader->window)) {
        bus_write_stream_question(question, ++reader->asked, "ballots.>");
        snprintf(inbox, sizeof(inbox), "%s.%llu", reader->inbox, (unsigned long long)reader->window.asked);
        s = natsConnection_PublishRequestString(reader->bus->nc, BUS_STREAM_GET, inbox, question);
        reader->window.asked++;
    }
    return bus_error(s, 0, "read " BUS_STREAM, err);
}

/* Waits for the answer to the oldest question. Answers to later questions may come before it. */
static enum status wait_for_answer(struct bus_reader *reader, int64_t timeout_ms, natsMsg **out, struct errmsg *err)
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

/* Waits for the next message that was asked for. ST_CONFLICT: it was handed out already. */
static enum status next_old_message(struct bus_reader *reader, uint64_t last, int64_t timeout_ms, struct delivery *out,
                                    struct errmsg *err)
{
    natsMsg *answer = NULL;
    enum status st = ask_for_more(reader, last, err);

    if (st == ST_OK)
        st = wait_for_answer(reader, timeout_ms, &answer, err);
    if (st != ST_OK)
        return st;
    st = bus_read_stored(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer), out, err);
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
static enum status hold_new_message(struct bus_reader *reader, int64_t timeout_ms, struct errmsg *err)
{
    const char *text = NULL, *stream = NULL;
    natsMsg *msg = NULL;
    enum status st = bus_next_message(reader->stored, timeout_ms, &msg, err);

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

enum status bus_reader_next(struct bus_reader *reader, int64_t timeout_ms, struct delivery *out, struct errmsg *err)
{
    enum status st = ST_OK;

    *out = (struct delivery){NULL};
    for (;;) {
        if (reader->held != NULL && reader->held_sequence < reader->next) { /* the reader asked for it meanwhile */
            natsMsg_Destroy(reader->held);
            reader->held = NULL;
        }
        if (reader->held != NULL && reader->held_sequence == reader->next) {
            natsMsg *msg = reader->held;
            reader->held = NULL;
            st = hand_out(reader, msg, reader->held_sequence, out, err);
            if (st == ST_OK && natsMsgHeader_Get(msg, "Nats-Subject", &out->subject) != NATS_OK)
                out->subject = natsMsg_GetSubject(msg);
            return st;
        }
        uint64_t last = reader->held != NULL ? reader->held_sequence - 1 : reader->known;
        if (reader->next <= last) {
            st = next_old_message(reader, last, timeout_ms, out, err);
            if (st != ST_CONFLICT)
                return st;
        } else {
            st = hold_new_message(reader, timeout_ms, err);
            if (st != ST_OK)
                return st;
        }
    }
}
