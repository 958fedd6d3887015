/* bus_stream - looks at the stream BALLOTS: its state, its description and single messages.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include "base/alloc.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The description of the stream says which incarnation of the stream it is: when it was first created. The time of
 * creation that the server reports cannot be used. When a stream is updated after a restart, nats-server 2.10.27
 * replaces that time by the time of its own start, and reports the new time from the next restart on. */
#define INCARNATION "; incarnation "
/* The description also has the settings of the workers' consumer, for a worker that must create it again. */
#define ACK_WAIT "; ack_wait_ms "
#define MAX_ACK_PENDING "; max_ack_pending "

/* The number behind a mark in the description of the stream, or 0. */
static int64_t read_described(const jsStreamInfo *info, const char *mark)
{
    const char *description = info->Config->Description;
    const char *at = description == NULL ? NULL : strstr(description, mark);

    return at == NULL ? 0 : strtoll(at + strlen(mark), NULL, 10);
}

int64_t bus_read_incarnation(const jsStreamInfo *info)
{
    int64_t number = read_described(info, INCARNATION);

    return number > 0 ? number : info->Created;
}

void bus_write_description(char out[BUS_DESCRIPTION], const struct bus_consumer_plan *plan)
{
    snprintf(out, BUS_DESCRIPTION, BUS_STREAM_PURPOSE INCARNATION "%lld" ACK_WAIT "%lld" MAX_ACK_PENDING "%lld",
             (long long)plan->created_ns, (long long)plan->ack_wait_ms, (long long)plan->max_ack_pending);
}

enum status bus_read_consumer_plan(struct bus *bus, struct bus_consumer_plan *out, struct errmsg *err)
{
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(&info, bus->js, BUS_STREAM, NULL, &code);
    enum status st = bus_error(s, code, "stream " BUS_STREAM, err);

    *out = (struct bus_consumer_plan){0};
    if (st == ST_OK) {
        *out = (struct bus_consumer_plan){read_described(info, INCARNATION), read_described(info, ACK_WAIT),
                                          read_described(info, MAX_ACK_PENDING)};
        if (out->created_ns <= 0 || out->ack_wait_ms <= 0 || out->max_ack_pending <= 0)
            st = fail(err, ST_NOT_FOUND, "the description of " BUS_STREAM " has no settings of the consumer");
    }
    jsStreamInfo_Destroy(info);
    return st;
}

enum status bus_stream_info(struct bus *bus, struct bus_stream_info *out, struct errmsg *err)
{
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus s = js_GetStreamInfo(&info, bus->js, BUS_STREAM, NULL, &code);

    if (s == NATS_OK)
        *out = (struct bus_stream_info){bus_read_incarnation(info), info->State.FirstSeq, info->State.LastSeq,
                                        info->State.Msgs, info->State.Bytes};
    jsStreamInfo_Destroy(info);
    return bus_error(s, code, "stream " BUS_STREAM, err);
}

/* --- messages */

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
    return bus_error(s, code, "read a message of " BUS_STREAM, err);
}

/* {"message":{"subject":"…","seq":12,"data":"<base64>","time":"…"}}, or {"error":{"code":404,"err_code":10037,…}}
 * (NATS ADR-31). */
enum status bus_read_stored(const char *text, size_t len, struct delivery *out, struct errmsg *err)
{
    json_t *answer = json_loadb(text, len, 0, NULL), *message = json_object_get(answer, "message");
    json_t *error = json_object_get(answer, "error"), *data = json_object_get(message, "data");
    const char *subject = json_string_value(json_object_get(message, "subject"));
    size_t size = json_string_length(data), n = 0;
    uint8_t *bytes = alloc_bytes(size);
    natsMsg *msg = NULL;
    enum status st = ST_OK;

    out->sequence = (uint64_t)json_integer_value(json_object_get(message, "seq"));
    /* Not bus_read_refusal: a stream that is missing must not look like a stream that has no such message. */
    if (json_integer_value(json_object_get(error, "err_code")) == JSNoMessageFoundErr)
        st = fail(err, ST_NOT_FOUND, "the stream has no such message");
    else if (subject == NULL || out->sequence == 0 ||
             (data != NULL && sodium_base642bin(bytes, size, json_string_value(data), size, NULL, &n, NULL,
                                                sodium_base64_VARIANT_ORIGINAL) != 0))
        st = fail(err, ST_BUS_REFUSED, "read a message of " BUS_STREAM ": %.200s", text);
    if (st == ST_OK)
        st = bus_error(natsMsg_Create(&msg, subject, NULL, (const char *)bytes, (int)n), 0, "keep a message", err);
    if (st == ST_OK)
        bus_set_message(out, msg);
    free(bytes);
    json_decref(answer);
    return st;
}

/* js_GetMsg of the library asks by sequence only, and not for the next message of a subject. */
void bus_write_stream_question(char out[BUS_QUESTION], uint64_t sequence, const char *subject)
{
    snprintf(out, BUS_QUESTION, "{\"seq\":%llu,\"next_by_subj\":\"%s\"}", (unsigned long long)sequence, subject);
}

enum status bus_fetch_next(struct bus *bus, const char *subject, uint64_t from_sequence, struct delivery *out,
                           struct errmsg *err)
{
    char question[BUS_QUESTION];
    natsMsg *reply = NULL;

    *out = (struct delivery){NULL};
    bus_write_stream_question(question, from_sequence > 0 ? from_sequence : 1, subject);
    natsStatus s = natsConnection_RequestString(&reply, bus->nc, BUS_STREAM_GET, question, BUS_TIMEOUT_MS);
    enum status st = bus_error(s, 0, "read a message of " BUS_STREAM, err);
    if (st == ST_OK)
        st = bus_read_stored(natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), out, err);
    natsMsg_Destroy(reply);
    return st;
}
