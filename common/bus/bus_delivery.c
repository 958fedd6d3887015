/* bus_delivery - deliveries of the stream: what a reply subject says, and how a delivery is answered.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the token at `at` is this name. */
static bool token_is(const char *at, const char *name)
{
    size_t len = strlen(name);

    return strncmp(at, name, len) == 0 && at[len] == '.';
}

bool delivery_parse_reply(const char *reply, const char *stream, const char *consumer, struct delivery *out)
{
    /* $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, and from server 2.10 also
     * $JS.ACK.<domain>.<account>.<stream>.<…as before…>[.<random>] */
    const char *tokens[12], *p = reply;
    int n = 0;

    if (reply == NULL || strncmp(reply, "$JS.ACK.", 8) != 0)
        return false;
    while (n < 12) {
        tokens[n++] = p;
        p = strchr(p, '.');
        if (p == NULL)
            break;
        p++;
    }
    if (p != NULL || (n != 9 && n < 11))
        return false;
    const char *const *names = tokens + (n == 9 ? 2 : 4), *const *numbers = names + 2;
    if (!token_is(names[0], stream) || (consumer != NULL && !token_is(names[1], consumer)))
        return false;
    uint64_t values[5];
    for (int i = 0; i < 5; i++) {
        char *end;
        if (numbers[i][0] < '0' || numbers[i][0] > '9')
            return false;
        values[i] = strtoull(numbers[i], &end, 10);
        if (*end != '.' && *end != '\0')
            return false;
    }
    out->times = values[0];
    out->sequence = values[1];
    out->stored_at_ns = (int64_t)values[3];
    out->pending = values[4];
    return out->sequence > 0 && out->sequence <= BUS_SEQUENCE_MAX;
}

bool delivery_is_mark(const struct delivery *delivery)
{
    return strcmp(delivery->subject, BUS_SUBJECT_FENCE) == 0;
}

void delivery_free(struct delivery *delivery)
{
    natsMsg_Destroy(delivery->message);
    *delivery = (struct delivery){NULL};
}

static enum status answer_delivery(struct bus *bus, const struct delivery *delivery, const char *word)
{
    return bus_error(natsConnection_PublishString(bus->nc, natsMsg_GetReply(delivery->message), word), 0, word, NULL);
}

enum status delivery_ack(struct bus *bus, const struct delivery *delivery)
{
    return answer_delivery(bus, delivery, "+ACK");
}

enum status delivery_nak(struct bus *bus, const struct delivery *delivery, int64_t delay_ms)
{
    char word[64];

    snprintf(word, sizeof(word), "-NAK {\"delay\": %lld}", (long long)delay_ms * 1000000);
    return answer_delivery(bus, delivery, word);
}

enum status delivery_term(struct bus *bus, const struct delivery *delivery)
{
    return answer_delivery(bus, delivery, "+TERM");
}

void bus_set_message(struct delivery *delivery, natsMsg *msg)
{
    delivery->message = msg;
    delivery->data = natsMsg_GetData(msg);
    delivery->len = (size_t)natsMsg_GetDataLength(msg);
    delivery->subject = natsMsg_GetSubject(msg);
}

enum status bus_next_message(natsSubscription *sub, int64_t timeout_ms, natsMsg **out, struct errmsg *err)
{
    int waiting = 0;
    natsStatus s = NATS_TIMEOUT;

    /* nats.c refuses a limit of 0, so look first whether a message waits. */
    if (timeout_ms > 0 || (natsSubscription_GetPending(sub, &waiting, NULL) == NATS_OK && waiting > 0))
        s = natsSubscription_NextMsg(out, sub, timeout_ms > 0 ? timeout_ms : 1);
    return s == NATS_TIMEOUT ? ST_NOT_FOUND : bus_error(s, 0, "receive", err);
}
