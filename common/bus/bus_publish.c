/* bus_publish - publishing, with and without JetStream's acknowledgement.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status bus_publish(struct bus *bus, const char *subject, const void *data, size_t len, struct errmsg *err)
{
    return bus_error(natsConnection_Publish(bus->nc, subject, data, (int)len), 0, subject, err);
}

enum status bus_publish_acked(struct bus *bus, const char *subject, const char *const *headers, const void *data,
                              size_t len, uint64_t *sequence, struct errmsg *err)
{
    natsMsg *msg = NULL;
    jsPubAck *ack = NULL;
    jsErrCode code = 0;
    natsStatus s = natsMsg_Create(&msg, subject, NULL, data, (int)len);

    for (; s == NATS_OK && headers != NULL && *headers != NULL; headers += 2)
        s = natsMsgHeader_Set(msg, headers[0], headers[1]);
    if (s == NATS_OK)
        s = js_PublishMsg(&ack, bus->js, msg, NULL, &code);
    if (s == NATS_OK && sequence != NULL)
        *sequence = ack->Sequence;
    jsPubAck_Destroy(ack);
    natsMsg_Destroy(msg);
    return bus_error(s, code, subject, err);
}

/* The sequence in {"stream":"BALLOTS","seq":12} (NATS ADR-22), or 0. The answer is not parsed as a whole, because one
 * comes for each batch. */
static uint64_t read_sequence(const char *answer)
{
    static const char key[] = "\"seq\":";
    const char *at = strstr(answer, key);

    return at == NULL ? 0 : strtoull(at + sizeof(key) - 1, NULL, 10);
}

/* {"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"BALLOTS","seq":0} */
static enum status read_refused_ack(const char *text, struct errmsg *err)
{
    json_t *answer = json_loads(text, 0, NULL);
    enum status st = bus_read_refusal(answer, "publish", err);

    if (st == ST_OK)
        st = fail(err, ST_BUS_REFUSED, "publish: %.200s", text);
    json_decref(answer);
    return st;
}

static void on_ack_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
    struct bus *bus = arg;
    const char *dot = strrchr(natsMsg_GetSubject(msg), '.');
    uint64_t token = strtoull(dot + 1, NULL, 10), sequence = 0;
    struct errmsg err = {""};
    enum status st = ST_OK;
    char text[512];
    int len = natsMsg_GetDataLength(msg);

    if (natsMsg_IsNoResponders(msg)) {
        st = fail(&err, ST_NOT_FOUND, "no stream takes ballots; run scrutin-setup");
    } else {
        if (len >= (int)sizeof(text))
            len = (int)sizeof(text) - 1;
        memcpy(text, natsMsg_GetData(msg), (size_t)len);
        text[len] = '\0';
        sequence = read_sequence(text);
        if (sequence == 0)
            st = read_refused_ack(text, &err);
    }
    bus->on_ack(bus->on_ack_arg, token, st, sequence, err.text);
    natsMsg_Destroy(msg);
}

enum status bus_open_acks(struct bus *bus, bus_on_ack on_ack, void *arg, struct errmsg *err)
{
    char subject[BUS_INBOX + 2];

    bus->on_ack = on_ack;
    bus->on_ack_arg = arg;
    bus_new_inbox(bus, bus->ack_inbox);
    snprintf(subject, sizeof(subject), "%s.*", bus->ack_inbox);
    natsStatus s = natsConnection_Subscribe(&bus->acks, bus->nc, subject, on_ack_message, bus);
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(bus->acks, -1, -1);
    return bus_error(s, 0, "subscribe to acknowledgements", err);
}

enum status bus_publish_async(struct bus *bus, const char *subject, const uint8_t id[BUS_MESSAGE_ID], uint64_t token,
                              const void *data, size_t len, struct errmsg *err)
{
    natsMsg *msg = NULL;
    char reply[160], id_text[2 * BUS_MESSAGE_ID + 1];

    snprintf(reply, sizeof(reply), "%s.%llu", bus->ack_inbox, (unsigned long long)token);
    sodium_bin2hex(id_text, sizeof(id_text), id, BUS_MESSAGE_ID);
    natsStatus s = natsMsg_Create(&msg, subject, reply, data, (int)len);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(msg, "Nats-Msg-Id", id_text);
    if (s == NATS_OK)
        s = natsConnection_PublishMsg(bus->nc, msg);
    natsMsg_Destroy(msg);
    return bus_error(s, 0, subject, err);
}
